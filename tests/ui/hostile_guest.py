"""A program: a terminal whose guest writes one attack, a hex line of a file, after each key."""

from __future__ import annotations

import sys
from pathlib import Path

from textual import on
from textual.app import App, ComposeResult

from banger_tui.widgets.terminal import TerminalView


class HostileGuest(App[None]):
    """Shows `ready`, then a number after each attack."""

    def __init__(self, attacks: list[bytes]) -> None:
        super().__init__()
        self.attacks = attacks
        self.made = 0

    def compose(self) -> ComposeResult:
        yield TerminalView()

    async def on_mount(self) -> None:
        view = self.query_one(TerminalView)
        view.focus()
        await view.write(b"ready")

    @on(TerminalView.Input)
    async def _attack(self, message: TerminalView.Input) -> None:
        if message.data != b"g":
            return  # an answer of the emulator: the guest's business
        attack = self.attacks[self.made]
        self.made += 1
        # Whatever state it leaves behind, the next begins on a blank screen.
        await message.view.write(attack)
        await message.view.write(b"\x18\x1bc\x1b[2J\x1b[H%d done" % self.made)


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text().splitlines()
    HostileGuest([bytes.fromhex(line) for line in lines]).run()
