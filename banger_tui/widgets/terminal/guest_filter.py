"""What of a guest's output is kept from the emulator, however its bytes are cut.

- Switches between 80 and 132 columns (see `columns`).
- Large repeats: `CSI n b` writes the last character again n times, so that four kilobytes can ask
  for 27 million characters, and have held libghostty for 49 seconds. Programs repeat within a
  line.
- Control sequences longer than any program's.
"""

from __future__ import annotations

import re

from .columns import without_column_modes

MAX_REPEAT = 1000
"""Characters that one sequence may repeat: a line of the widest terminal."""

MAX_REPEATS = 4000
"""Characters that all repeats of one piece of output may write, about 10 ms at the very worst."""

_MAX_SEQUENCE = 4096
"""Bytes a control sequence may have."""

_SKIPPED = rb"\x00-\x17\x19\x1c-\x1f\x7f"
"""Controls that parsers obey or skip within a sequence, and go on."""

_REPEAT = re.compile(rb"\x1b[%b]*\[([0-9;:%b]*)b" % (_SKIPPED, _SKIPPED))
_UNFINISHED = re.compile(rb"\x1b[%b]*(?:\[[\x20-\x3f%b]*)?\Z" % (_SKIPPED, _SKIPPED))
_CONTROLS = bytes((*range(32), 127))


class GuestFilter:
    """Filters one guest's output; a sequence that is not complete waits for its rest."""

    def __init__(self) -> None:
        self._waiting = b""
        self._left = MAX_REPEATS

    def feed(self, data: bytes) -> bytes:
        """What the emulator may see of `data` and what waited."""
        data = self._waiting + data
        self._waiting = b""
        last = data.rfind(b"\x1b")
        if last >= 0 and _UNFINISHED.match(data, last):
            data, self._waiting = data[:last], data[last:]
            if len(self._waiting) > _MAX_SEQUENCE:
                # The rest of it will be shown as text, as after any sequence broken off.
                self._waiting = b""
        if b"b" in data:
            self._left = MAX_REPEATS
            data = _REPEAT.sub(self._repeat, data)
        return without_column_modes(data)

    def _repeat(self, sequence: re.Match[bytes]) -> bytes:
        first = re.split(b"[;:]", sequence[1].translate(None, _CONTROLS))[0].lstrip(b"0")
        count = int(first or b"1") if len(first) < 9 else MAX_REPEAT + 1
        if count <= MAX_REPEAT and count <= self._left:
            self._left -= count
            return sequence[0]
        count = min(MAX_REPEAT, self._left)
        self._left -= count
        return b"\x1b[%db" % count if count else b""
