"""What is done to sessions: start, stop, signal, delete, and a look at what one said last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen

from banger_tui.bridge import Bridge
from banger_tui.engine.errors import BangerError
from banger_tui.engine.model import SessionState, SessionView
from banger_tui.screens.actions import Actions
from banger_tui.screens.session_form import NewSession
from banger_tui.widgets import units
from banger_tui.widgets.terminal import core

if TYPE_CHECKING:
    from banger_tui.screens.confirm import Question

_TAIL = 8 << 10  # bytes of the end of its output that are looked at
_COLUMNS, _LINES = 120, 40
_SIGNALS = (("INT", "i"), ("HUP", "h"), ("TERM", "t"), ("KILL", "k"), ("USR1", "u"))


class SessionActions(Actions):
    """Works for one screen; ``changed`` is called when sessions of a machine are others."""

    def __init__(
        self, screen: Screen[None], bridge: Bridge, changed: Callable[[str], None]
    ) -> None:
        super().__init__(screen, bridge)
        self._changed = changed

    def new(self, begun: Callable[[str, str], None]) -> None:
        """Ask for the particulars and start one; ``begun`` gets its machine and name."""
        vms = sorted((vm for vm in self._world.vms.values() if vm.running), key=lambda v: v.name)
        if not vms:
            self.say("Start one first: 1, then r or u.", "No machine runs")
            return
        from banger_tui.screens.session_form import SessionScreen

        taken = {(seen.vm_id, seen.name) for all_ in self._world.sessions.values() for seen in all_}

        async def start(new: NewSession) -> None:
            made = await self._bridge.engine.sessions.start(new.vm_id, new.spec)
            self._changed(new.vm_id)
            begun(new.vm_id, made.name)

        def answered(new: NewSession | None) -> None:
            if new is not None:
                self.guard(start(new))

        self._screen.app.push_screen(SessionScreen(vms, taken), answered)

    def stop(self, sessions: Sequence[SessionView], done: Callable[[], None]) -> None:
        """Ask, then end those that run."""
        running = [seen for seen in sessions if seen.state is SessionState.RUNNING]
        if not running:
            self.say("What is marked, or under the cursor, has ended.", "Nothing to stop")
            return
        from banger_tui.screens.confirm import Question

        whom, it = _whom(running)
        question = Question(
            f"Stop {whom}?",
            ("It is asked to end (TERM), and made to after 5 s (KILL).",),
            "Stop",
            f"Keep {it} running",
        )

        async def stop(seen: SessionView) -> None:
            await self._bridge.engine.sessions.stop(seen.vm_id, seen.name)

        self._ask(question, running, stop, done)

    def delete(self, sessions: Sequence[SessionView], done: Callable[[], None]) -> None:
        """Ask, then delete; what still runs is ended."""
        if not sessions:
            return
        from banger_tui.screens.confirm import Question

        whom, it = _whom(sessions)
        running = sum(seen.state is SessionState.RUNNING for seen in sessions)
        lines = [f"{running} of them run and end." if len(sessions) > 1 else "It runs and ends."]
        question = Question(
            f"Delete {whom}?",
            lines if running else (),
            "Delete",
            f"Keep {it}",
            grave="What was said is deleted with it.",
        )

        async def delete(seen: SessionView) -> None:
            await self._bridge.engine.sessions.delete(seen.vm_id, seen.name, force=True)

        self._ask(question, sessions, delete, done)

    def signal(self, sessions: Sequence[SessionView], done: Callable[[], None]) -> None:
        """Ask which signal, then send it."""
        running = [seen for seen in sessions if seen.state is SessionState.RUNNING]
        if not running:
            self.say("What is marked, or under the cursor, has ended.", "Nothing to signal")
            return
        from banger_tui.screens.choose import Choice, ChooseScreen

        choices = [Choice("leave", "n", "None")]
        choices += [Choice(name, key, name) for name, key in _SIGNALS]

        def answered(name: str | None) -> None:
            if name and name != "leave":
                done()
                for seen in running:
                    work = self._bridge.engine.sessions.signal(seen.vm_id, seen.name, name)
                    self.guard(self._then_look(seen.vm_id, work))

        title = f"Send which signal to {_whom(running)[0]}?"
        self._screen.app.push_screen(ChooseScreen(title, (), choices), answered)

    async def last_words(self, seen: SessionView, *, err: bool = False) -> tuple[str, ...]:
        """The last lines of stdout, or stderr, as a terminal shows them; none where the guest does
        not answer."""
        data = b""
        said = seen.err_bytes if err else seen.out_bytes
        offset = max(seen.kept[err], said - _TAIL)
        try:
            async for chunk in self._bridge.engine.sessions.stream(
                seen.vm_id, seen.name, err=err, offset=offset
            ):
                data = (data + chunk.data)[-_TAIL:]
        except BangerError:
            return ()
        return await asyncio.to_thread(_rendered, data)

    def _ask(
        self,
        question: Question,
        sessions: Sequence[SessionView],
        work: Callable[[SessionView], Awaitable[None]],
        done: Callable[[], None],
    ) -> None:
        from banger_tui.screens.confirm import ConfirmScreen

        def answered(yes: bool | None) -> None:
            if yes:
                done()
                for seen in sessions:
                    self.guard(self._then_look(seen.vm_id, work(seen)))

        self._screen.app.push_screen(ConfirmScreen(question), answered)

    async def _then_look(self, vm_id: str, work: Awaitable[None]) -> None:
        try:
            await work
        finally:
            self._changed(vm_id)


def _whom(sessions: Sequence[SessionView]) -> tuple[str, str]:
    if len(sessions) == 1:
        return f"{sessions[0].name} of {units.plain(sessions[0].vm_name, 40)}", "it"
    return f"{len(sessions)} sessions", "them"


def _rendered(data: bytes) -> tuple[str, ...]:
    terminal = core.create(_COLUMNS, _LINES)
    try:
        terminal.feed(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        lines = terminal.lines()
    finally:
        terminal.close()
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)
