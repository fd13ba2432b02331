"""Everything about the session under the cursor, and what it said last."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from banger_tui.engine.model import SessionMode, SessionState, SessionView
from banger_tui.widgets import clock, units
from banger_tui.widgets.lines import Lines
from banger_tui.widgets.session_rows import command, look, state
from banger_tui.widgets.states import style

_LABEL = 10


class SessionDetail(Lines):
    """A session's facts, then the last lines of its output."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._seen: SessionView | None = None
        self._said: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._nothing: tuple[str, ...] = ()

    def show(
        self,
        seen: SessionView | None,
        said: tuple[Sequence[str], Sequence[str]] = ((), ()),
        nothing: Sequence[str] = (),
    ) -> None:
        """Show one, and the last lines of its stdout and stderr; ``nothing`` is said when there is
        none."""
        self._seen, self._said, self._nothing = seen, said, tuple(nothing)
        self.changed()

    def lines(self, width: int) -> list[Content]:
        if self._seen is None:
            texts = [Content(text) for text in self._nothing]
            return [part for text in texts for part in text.wrap(max(10, width))]
        lines = self._facts(self._seen)
        for title, said in zip(("What it said last", "And on stderr"), self._said, strict=True):
            if said:
                lines += [Content(""), Content.styled(title, "bold")]
                lines += [Content(line) for line in said]
        return [line.truncate(max(1, width), ellipsis=True) for line in lines]

    def _facts(self, seen: SessionView) -> list[Content]:
        now = clock.now()
        looks = look(seen)
        took = units.span((seen.ended or now) - seen.started)
        facts = [
            ("state", Content.styled(f"{looks.glyph} {state(seen)}", style(looks))),
            ("command", Content(command(seen))),
            ("machine", Content(units.plain(seen.vm_name, 60))),
            ("started", Content(f"{units.ago(seen.started, now)}, {_took(seen)} {took}")),
        ]
        if seen.user or seen.cwd:
            facts.append(("as", Content(units.plain(f"{seen.user or 'its user'} in {seen.cwd}"))))
        if seen.title:
            facts.append(("title", Content(units.plain(seen.title, 200))))
        facts.append(("said", Content(_said(seen))))
        if seen.kept != (0, 0):
            gone = units.size(sum(seen.kept))
            facts.append(("", Content.styled(f"the first {gone} are gone", "$foreground-muted")))
        facts.append(("clients", Content(_clients(seen))))
        return [
            Content.assemble((label.ljust(_LABEL), "$foreground-muted"), value)
            for label, value in facts
        ]


def _took(seen: SessionView) -> str:
    return "for" if seen.state is SessionState.RUNNING else "took"


def _said(seen: SessionView) -> str:
    if seen.mode is SessionMode.PTY:
        return units.moved(seen.out_bytes)
    out, err = units.moved(seen.out_bytes), units.moved(seen.err_bytes)
    return f"{out} · {err} on stderr · {units.moved(seen.in_bytes)} read"


def _clients(seen: SessionView) -> str:
    if not seen.viewers:
        return "none"
    who = "1 client" if seen.viewers == 1 else f"{seen.viewers} clients"
    return f"{who}, {units.plain(seen.writer, 60)} types" if seen.writer else f"{who}, nobody types"
