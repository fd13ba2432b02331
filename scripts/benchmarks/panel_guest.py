"""What runs in the panel and in tmux's pane while they are measured.

    python -m scripts.benchmarks.panel_guest ORDERS

ORDERS is a FIFO with an order a line: ``play FILE MARK`` writes the file and then, on a screen
that is blank again, MARK; ``flood`` and ``calm`` begin and end endless output; ``end``. Every
letter that is typed is shown in the first row, which no flood scrolls.
"""

from __future__ import annotations

import os
import select
import sys
import tty

# No letters: one that is painted was typed.
_FLOOD = b"0123456789 !#$%&()*+,-./:;<=>?@ 0123456789 {|}~ 0123456789 0123456789\r\n" * 50
# Modes that a recording may have left, then a blank screen.
_BLANK = (
    b"\x1b[0m\x1b[?1049l\x1b[!p\x1b[r\x1b[?1000;1002;1003;1004;1006;2004;2026l"
    b"\x1b[?25h\x1b[2J\x1b[H"
)


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view[: 64 << 10]) :]


def main() -> None:
    tty.setraw(0)
    # Also opened for writing: otherwise it ends with the first who gives an order.
    orders = os.open(sys.argv[1], os.O_RDWR)
    flooding = False
    _write(_BLANK + b"ready-0")
    while True:
        readable, _, _ = select.select([0, orders], [], [], 0 if flooding else None)
        if 0 in readable:
            typed = os.read(0, 4096)  # or an answer to what a recording asks
            if len(typed) == 1 and typed.isalpha():
                _write(b"\x1b7\x1b[1;1H%b\x1b8" % typed)
        if orders in readable:
            for order in os.read(orders, 4096).decode().splitlines():
                match order.split():
                    case ["play", path, mark]:
                        with open(path, "rb") as file:
                            _write(file.read())
                        _write(_BLANK + b"\x1b[3;1H" + mark.encode())
                    case ["flood"]:
                        flooding = True
                        _write(_BLANK + b"\x1b[2r\x1b[2;1H")
                    case ["calm"]:
                        flooding = False
                        _write(_BLANK)
                    case _:
                        return
        if flooding:
            _write(_FLOOD)


if __name__ == "__main__":
    main()
