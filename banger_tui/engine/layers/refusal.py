"""How broken layers are refused: sentences for people, fit for a terminal."""

from __future__ import annotations

from banger_tui.engine.errors import BadContent, LimitExceeded

_SHOWN = 80


class Unsound(Exception):
    """What is wrong with an entry, said by code that does not know which entry it is. Never leaves
    this package: it becomes a ``BadContent`` that names the entry."""


def shown(name: bytes) -> str:
    """A name from an archive, quoted: bytes that are no text and control characters escaped, the
    middle of a long one left out."""
    text = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in name.decode("utf-8", "backslashreplace")
    )
    if len(text) > _SHOWN:
        text = f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 2 :]}"
    return f"'{text}'"


def broken(why: str, name: bytes | None = None, at: int | None = None) -> BadContent:
    """A layer that can't be unpacked. ``at``: the byte of the archive where its entry begins."""
    where = [f"entry {shown(name)}"] if name is not None else []
    where += [f"at byte {at}"] if at is not None else []
    return BadContent(
        "The layer can't be unpacked",
        f"{' '.join(where)}: {why}" if where else why,
        "The image is damaged or unsafe: pull it again, or take another one.",
    )


def exceeded(limit: str, most: int, what: str) -> LimitExceeded:
    """``limit``: a key of ``[limits]``; ``most``: its value; ``what``: a sentence on what there
    is."""
    return LimitExceeded(
        "The image is larger than allowed",
        f"{what}; limits.{limit} is {most:,}",
        f"If you trust the image, raise {limit} under [limits] in config.toml.",
    )
