"""Values as people read them: sizes, times, and text that is safe and fits. Pure."""

from __future__ import annotations

import re
import time
import unicodedata

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SHORT = ("B", "K", "M", "G", "T")

# What a terminal would act on: CSI and OSC/DCS/APC/PM strings, other escapes, then single controls.
_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]?", re.DOTALL
)


def _scaled(count: float, units: tuple[str, ...]) -> tuple[float, str]:
    for unit in units[:-1]:
        if abs(count) < 999.5:
            return count, unit
        count /= 1024
    return count, units[-1]


def size(count: float) -> str:
    """Bytes for a sentence: ``52.1 MiB``."""
    value, unit = _scaled(count, _UNITS)
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"


def short_size(count: float) -> str:
    """Bytes for a table: ``212M``, ``1.5G``."""
    value, unit = _scaled(count, _SHORT)
    digits = 0 if unit == "B" or value >= 9.95 or value == int(value) else 1
    return f"{value:.{digits}f}{unit}"


def duration(seconds: float) -> str:
    """A span with its telling digits: ``40ms``, ``2.1s``, ``1m05s``, ``2h03m``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    return running(seconds)


def running(seconds: float) -> str:
    """A span that is still growing: as ``duration``, without jumping units below a second."""
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def span(seconds: float) -> str:
    """A long span in one unit: ``14m``, ``3h``, ``5d``."""
    whole = max(0, int(seconds))
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if whole >= length:
            return f"{whole // length}{unit}"
    return f"{whole}s"


def ago(then: float, now: float) -> str:
    """A moment, seen from now: ``14m ago``, ``yesterday``, ``2026-01-31``."""
    passed = now - then
    if passed < 5:
        return "just now"
    days = _day(now) - _day(then)
    if passed < 12 * 3600 or days == 0:
        return f"{span(passed)} ago"
    if days == 1:
        return "yesterday"
    return f"{days}d ago" if days < 30 else time.strftime("%Y-%m-%d", time.localtime(then))


def _day(moment: float) -> int:
    local = time.localtime(moment)
    return int((moment + local.tm_gmtoff) // 86400)


def clock(moment: float) -> str:
    """A moment, exactly, in local time: ``2026-01-31 12:30:05``."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def printable(text: str) -> str:
    """One line without anything a terminal would act on."""
    return "".join(c if c.isprintable() else " " for c in _SEQUENCES.sub("", text)).strip()


def harmless(text: str) -> str:
    """Guest output for a terminal: lines and tabs stay, escapes and other controls go."""
    text = _SEQUENCES.sub("", text.replace("\r\n", "\n"))
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


def cells(text: str) -> int:
    """How many columns a terminal needs for it."""
    if text.isascii():
        return len(text)
    return sum(_cells(c) for c in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def fit(text: str, width: int) -> str:
    """The text cut to ``width`` columns, an ellipsis where something was cut."""
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    taken, used = [], 0
    for char in text:
        used += _cells(char)
        if used > width - 1:
            break
        taken.append(char)
    return "".join(taken).rstrip() + "…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text filled with blanks to ``width`` columns."""
    blanks = " " * max(0, width - cells(text))
    return blanks + text if right else text + blanks
