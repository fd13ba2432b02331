"""Numbers as people read them: short, binary, relative. Pure."""

from __future__ import annotations

import unicodedata
from datetime import datetime

_STEPS = ("B", "K", "M", "G", "T", "P")
_BARS = "▁▂▃▄▅▆▇█"


def size(count: float) -> str:
    """Bytes in at most five cells: ``0B``, ``212M``, ``1.9G``."""
    value = float(max(0.0, count))
    for unit in _STEPS:
        if value < 999.5 or unit == _STEPS[-1]:
            if unit == "B" or value >= 99.95 or value == int(value):
                return f"{value:.0f}{unit}"
            return f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("the last unit always fits")


def moved(count: float) -> str:
    """Bytes of a transfer, with the unit written out: ``52.1 MB``."""
    text = size(count)
    number, unit = text[:-1], text[-1]
    return f"{number} B" if unit == "B" else f"{number} {unit}iB"


def span(seconds: float) -> str:
    """How long something took: ``4ms``, ``2.1s``, ``41s``, ``3m05s``, ``2h04m``."""
    if seconds < 0.0995:
        return f"{max(0.0, seconds) * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def age(seconds: float) -> str:
    """How long something has lasted, one unit: ``12s``, ``14m``, ``5h``, ``3d``."""
    whole = max(0, int(seconds))
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h")):
        if whole < limit:
            return f"{whole // unit}{name}"
    return f"{whole // 86400}d"


def ago(then: float, now: float) -> str:
    """When something happened: ``just now``, ``14m ago``, ``yesterday``, ``3 Nov``."""
    seconds = now - then
    if seconds < 5:
        return "just now"
    if seconds < 86400:
        return f"{age(seconds)} ago"
    day = datetime.fromtimestamp(then).astimezone()
    days = (datetime.fromtimestamp(now).astimezone().date() - day.date()).days
    if days <= 1:
        return "yesterday"
    if days < 7:
        return f"{days}d ago"
    return f"{day.day} {day:%b}" if days < 300 else f"{day:%Y-%m-%d}"


def percent(share: float) -> str:
    """0.384 → ``38%``."""
    return f"{max(0.0, share) * 100:.0f}%"


def chart(samples: list[float], width: int) -> str:
    """Shares (0..1) as bars, the newest at the right; shorter than ``width`` while few."""
    top = len(_BARS) - 1
    return "".join(
        _BARS[min(top, max(0, round(value * top)))] for value in samples[-width:] if width > 0
    )


def plain(text: str, limit: int = 500) -> str:
    """One line that can't do anything to the screen: what guests and tools say is not trusted."""
    if len(text) <= limit and text.isprintable():
        return text
    kept = "".join(
        " " if char in "\t\r\n" else char
        for char in text[: limit * 4]
        if char in "\t\r\n" or unicodedata.category(char)[0] not in "CZ" or char == " "
    )
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
