"""A terminal in the guest as it stands, as bytes that make another one look and behave like it.

tmux tells the screen, what scrolled off it, and most modes; the last use of the others is looked
for in what the program wrote last. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

#: What ``display-message`` is asked; the answer has one number, or nothing, for each. The title
#: comes last: it may have blanks in it.
_FLAGS = (
    "alternate_on", "cursor_x", "cursor_y", "cursor_flag", "insert_flag", "keypad_cursor_flag",
    "keypad_flag", "mouse_standard_flag", "mouse_button_flag", "mouse_all_flag", "mouse_sgr_flag",
    "mouse_utf8_flag", "origin_flag", "wrap_flag", "scroll_region_upper", "scroll_region_lower",
    "alternate_saved_x", "alternate_saved_y", "pane_width", "pane_height", "history_size",
)  # fmt: skip
FORMAT = ",".join(f"#{{{flag}}}" for flag in _FLAGS) + ",#{pane_title}"
_LARGEST = 10_000

_SWITCHES = (
    ("insert_flag", b"\x1b[4h"),
    ("keypad_cursor_flag", b"\x1b[?1h"),
    ("keypad_flag", b"\x1b="),
    ("mouse_standard_flag", b"\x1b[?1000h"),
    ("mouse_button_flag", b"\x1b[?1002h"),
    ("mouse_all_flag", b"\x1b[?1003h"),
    ("mouse_sgr_flag", b"\x1b[?1006h"),
    ("mouse_utf8_flag", b"\x1b[?1005h"),
)
# tmux 3.3 has no words for these: bracketed paste, focus reports, synchronised output is no state.
_PRIVATE = re.compile(rb"\x1b\[\?([0-9;]{1,40})([hl])")
_UNTOLD = (b"2004", b"1004")
_SHAPE = re.compile(rb"\x1b\[([0-6]?) q")
_RESET = re.compile(rb"\x1bc|\x1b\[!p")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the guest's tmux told at one moment.

    Args:
        state: the answer to ``FORMAT``.
        history: lines above the screen, those that wrapped joined.
        screen: the lines of the screen.
        behind: those of the main screen while a program has the alternate one.
        written: the last bytes the program wrote, up to about that moment.
    """

    state: bytes
    history: Sequence[bytes] = ()
    screen: Sequence[bytes] = ()
    behind: Sequence[bytes] = ()
    written: bytes = b""

    def bytes(self) -> bytes:
        """For a terminal that is blank, or may be made so."""
        flags, title = _parsed(self.state)
        parts = [b"\x1b[m\x1b[H\x1b[2J"]
        # What scrolls off stays in the terminal's own scrollback.
        if flags["history_size"]:
            parts += [line + b"\r\n" for line in self.history]
        # A line feed a row moves the last of the history out of sight.
        alternate = bool(flags["alternate_on"])
        parts.append(_drawn(self.behind if alternate else self.screen, flags["pane_height"]))
        if alternate:
            parts.append(_at(flags["alternate_saved_x"], flags["alternate_saved_y"]))
            parts += [b"\x1b[m\x1b[?1049h\x1b[H\x1b[2J", _drawn(self.screen, 0)]
        upper, lower = flags["scroll_region_upper"], flags["scroll_region_lower"]
        if (upper, lower + 1) != (0, flags["pane_height"]) and lower > upper:
            parts.append(b"\x1b[%d;%dr" % (upper + 1, lower + 1))
        parts += [switch for name, switch in _SWITCHES if flags[name]]
        parts.append(b"\x1b[m" + _at(flags["cursor_x"], flags["cursor_y"]))
        if flags["origin_flag"]:
            parts.append(b"\x1b[?6h" + _at(flags["cursor_x"], flags["cursor_y"] - upper))
        if not flags["wrap_flag"]:
            parts.append(b"\x1b[?7l")
        if not flags["cursor_flag"]:
            parts.append(b"\x1b[?25l")
        if title:
            parts.append(b"\x1b]2;" + title + b"\x1b\\")
        parts.append(untold(self.written))
        return b"".join(parts)


def untold(written: bytes) -> bytes:
    """The modes that only the program's own bytes tell, as they were set last."""
    if reset := list(_RESET.finditer(written)):
        written = written[reset[-1].end() :]
    set_last: dict[bytes, bytes] = {}
    for found in _PRIVATE.finditer(written):
        for mode in found[1].split(b";"):
            if mode in _UNTOLD:
                set_last[mode] = found[2]
    parts = [b"\x1b[?%s%s" % (mode, state) for mode, state in set_last.items()]
    shapes = _SHAPE.findall(written)
    if shapes:
        parts.append(b"\x1b[%s q" % (shapes[-1] or b"0"))
    return b"".join(parts)


def _parsed(state: bytes) -> tuple[dict[str, int], bytes]:
    words = state.split(b",", len(_FLAGS))
    values = [int(word) if word.isdigit() and len(word) < 6 else 0 for word in words[: len(_FLAGS)]]
    values += [0] * (len(_FLAGS) - len(values))
    flags = {name: min(value, _LARGEST) for name, value in zip(_FLAGS, values, strict=True)}
    raw = words[len(_FLAGS)] if len(words) > len(_FLAGS) else b""
    text = raw.decode(errors="replace")
    return flags, "".join(char for char in text if char.isprintable())[:200].encode()


def _drawn(lines: Sequence[bytes], height: int) -> bytes:
    """The lines from the left of the row the cursor is in, then blank ones up to ``height``."""
    missing = max(0, height - len(lines))
    return b"\r\n".join((*lines, *([b""] * missing)))


def _at(x: int, y: int) -> bytes:
    return b"\x1b[%d;%dH" % (max(0, y) + 1, max(0, x) + 1)
