"""The tabs of a panel, as one line: which there are, which are shown, which have news. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from banger_tui.widgets import units

News = Literal["", "output", "bell"]
_MARKS: dict[News, str] = {"": "", "output": "•", "bell": "!"}
_SHORTEST_TITLE = 8  # cells
_LONGEST = 16  # cells of a session's name


@dataclass(frozen=True, slots=True)
class Tab:
    """The overview, the console, or a session by its name."""

    kind: Literal["overview", "console", "session"]
    session: str = ""

    @property
    def label(self) -> str:
        """What it is called on screen."""
        return units.plain(self.session, _LONGEST) if self.session else self.kind.capitalize()


OVERVIEW, CONSOLE = Tab("overview"), Tab("console")


def session(name: str) -> Tab:
    """The tab of a session."""
    return Tab("session", name)


@dataclass(frozen=True, slots=True)
class Pane:
    """One tab of one machine: what one half of the panel shows."""

    machine: str
    tab: Tab


@dataclass(frozen=True, slots=True)
class Shown:
    """A tab as it stands in the line.

    Args:
        name: the machine's, where it is not the one that the line begins with.
        looks: ``here`` has the keyboard or would get it, ``beside`` is in the other half.
    """

    pane: Pane
    name: str = ""
    news: News = ""
    looks: Literal["", "here", "beside"] = ""

    @property
    def text(self) -> str:
        name = f"{units.plain(self.name, _LONGEST)}/" if self.name else ""
        return f" {name}{self.pane.tab.label}{_MARKS[self.news]} "

    @property
    def style(self) -> str:
        if self.looks == "here":
            return "bold reverse"
        if self.looks == "beside":
            return "bold underline"
        return "bold $text-warning" if self.news else "$foreground-muted"


def line(machine: str, tabs: Sequence[Shown], width: int, title: str = "") -> Content:
    """The machine's name and as many tabs as fit in ``width`` cells; the one that is shown always.
    Behind them, where there is room, the title that the guest's program has set.

    A click on a tab is the action ``choose_pane(INDEX)``, by its place in ``tabs``.
    """
    parts = [Content.assemble((units.plain(machine, 40) or "no machine", "bold"), " ")]
    room = width - cell_len(machine) - 2
    first, last = _in_sight([cell_len(tab.text) + 1 for tab in tabs], _current(tabs), room)
    if first > 0:
        parts.append(Content.styled("‹", "$foreground-muted"))
    for index in range(first, last):
        click = Style.from_meta({"@click": f"choose_pane({index})"})
        parts.append(Content.styled(tabs[index].text, tabs[index].style).stylize(click))
    if last < len(tabs):
        news = any(tab.news for tab in tabs[last:])
        parts.append(Content.styled(f"›{len(tabs) - last}", "bold" if news else ""))
    content = Content(" ").join(parts)
    room = width - content.cell_length - 3
    if title and room >= _SHORTEST_TITLE:
        said = Content.styled(f"· {units.plain(title)}", "$foreground-muted")
        content = Content.assemble(content, " ", said.truncate(room, ellipsis=True))
    return content


def _current(tabs: Sequence[Shown]) -> int:
    return next((index for index, tab in enumerate(tabs) if tab.looks == "here"), 0)


def _in_sight(widths: Sequence[int], current: int, room: int) -> tuple[int, int]:
    """From which tab to which, so that the current one is among them."""
    room -= 4  # for the marks at both ends
    first = 0
    while first < current and sum(widths[first : current + 1]) > room:
        first += 1
    last = first
    while last < len(widths) and (last <= current or sum(widths[first : last + 1]) <= room):
        last += 1
    return first, last
