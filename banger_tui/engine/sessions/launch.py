"""From what somebody wants kept running to what the guest's script is told."""

from __future__ import annotations

import re
import shlex

from banger_tui.engine.errors import InvalidInput, InvalidName
from banger_tui.engine.model import MIB, SessionMode, SessionSpec
from banger_tui.engine.sessions.registry import NAME, describe

LEAST_KEPT, MOST_KEPT = 256 << 10, 1 << 40
_MOST_TEXT = 1 * MIB
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_BASE = 28  # room for "-123"


def validate(spec: SessionSpec) -> None:
    """Raises: InvalidName, InvalidInput"""
    if spec.name is not None and not NAME.fullmatch(spec.name):
        raise InvalidName(
            f"{spec.name!r} can't be a session's name",
            "It has 1 to 32 of a-z, 0-9, _ and -, the first a letter or a digit.",
        )
    if not spec.argv and spec.mode is SessionMode.PIPE:
        raise InvalidInput("There is nothing to run", "A shell wants a terminal.", "Say what.")
    if spec.argv and not spec.argv[0]:
        raise InvalidInput("There is nothing to run", "The command's name is empty.")
    if spec.cwd is not None and not spec.cwd.startswith("/"):
        raise InvalidInput("The directory must be absolute", spec.cwd, f"As in /root/{spec.cwd}")
    if spec.user is not None and (not spec.user or spec.user.startswith("-")):
        raise InvalidInput("There can be no such user", repr(spec.user))
    for key, _ in spec.env:
        if not _VARIABLE.fullmatch(key):
            raise InvalidInput(
                f"{key[:80]!r} is no name of a variable",
                "It has letters, digits and _, no digit first.",
            )
    if not LEAST_KEPT <= spec.keep_bytes <= MOST_KEPT:
        raise InvalidInput(
            "That much output can't be kept",
            f"{spec.keep_bytes:,} bytes; it can be {LEAST_KEPT:,} to {MOST_KEPT:,}.",
        )
    if "\0" in "".join(_words(spec)):
        raise InvalidInput("A command can't have a NUL in it")


def wanted_name(spec: SessionSpec) -> tuple[str, str]:
    """The name to ask for, and whether another one may be made of it: "own" or "any"."""
    if spec.name is not None:
        return spec.name, "own"
    if not spec.argv:
        return "shell", "any"
    base = spec.argv[0].rpartition("/")[2].lower()
    base = re.sub(r"[^a-z0-9_-]+", "-", base).lstrip("_-")[:_LONGEST_BASE].rstrip("-")
    return base or "session", "any"


def message(spec: SessionSpec) -> bytes:
    """What ``session start`` reads: what we want to know again, the command as a shell reads it,
    and a last line without which it is not whole.

    Raises:
        InvalidInput: it is too long.
    """
    text = f"{describe(spec)}\nset -- {shlex.join(_words(spec))}\n#end\n"
    data = text.encode("utf-8", "surrogateescape")
    if len(data) > _MOST_TEXT:
        raise InvalidInput("The command is too long", f"{len(data):,} bytes of {_MOST_TEXT:,}.")
    return data


def _words(spec: SessionSpec) -> list[str]:
    words = [] if spec.argv else ["--shell"]
    if spec.user is not None:
        words += ["--user", spec.user]
    if spec.cwd is not None:
        words += ["--directory", spec.cwd]
    for key, value in spec.env:
        words += ["--env", f"{key}={value}"]
    return [*words, "--", *spec.argv]
