"""What a person may set in ``config.toml``.

::

    [app]
    theme = "textual-light"

    [machine]              # defaults of new machines
    image = "debian-bookworm"
    cpus = 2
    memory = "1G"
    network = "user"

    [engine]
    driver = "auto"
    accelerator = "auto"

A wrong value never keeps the program from starting: the default stands in for it, and the problem
is told with file, line and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from banger_tui.engine.errors import BangerError, InvalidInput
from banger_tui.engine.model import MIB, NetworkMode, VmSpec
from banger_tui.engine.settings import Settings

DEFAULT_THEME = "banger"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force. ``problems`` are sentences with file, line and key."""

    theme: str = DEFAULT_THEME
    engine: Settings = Settings()  # noqa: RUF009  # frozen, so shared safely
    problems: tuple[str, ...] = ()


def load(path: Path) -> Loaded:
    """Read the file; defaults where there is none. Blocking, a few kilobytes."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Loaded()
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(problems=(f"{path}: can't be read: {error}",))
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Loaded(problems=(f"{path}: {error}",))
    return _Reader(path, text).read(content)


class _Reader:
    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._problems: list[str] = []

    def read(self, content: dict[str, Any]) -> Loaded:
        keys: dict[str, dict[str, Callable[[Any], object]]] = {
            "app": {"theme": _text},
            "machine": {
                "image": _text, "cpus": _cpus, "memory": _memory, "network": NetworkMode,
            },
            "engine": {
                "driver": _one_of("auto", "qemu", "fake"),
                "accelerator": _one_of("auto", "kvm", "tcg"),
            },
        }  # fmt: skip
        found: dict[str, Any] = {}
        for table, entries in content.items():
            if table not in keys or not isinstance(entries, dict):
                self._problem(table, None, f"unknown; known are {', '.join(keys)}")
                continue
            for key, value in entries.items():
                read = keys[table].get(key)
                if read is None:
                    known = ", ".join(keys[table])
                    self._problem(table, key, f"unknown; known are {known}")
                    continue
                try:
                    found[key] = read(value)
                except BangerError as error:
                    self._problem(table, key, str(error))
                except (ValueError, TypeError) as error:
                    self._problem(table, key, str(error))
        theme = found.pop("theme", DEFAULT_THEME)
        if "memory" in found:
            found["memory_mib"] = found.pop("memory")
        return Loaded(theme, replace(Settings(), **found), tuple(self._problems))

    def _problem(self, table: str, key: str | None, what: str) -> None:
        name = table if key is None else f"{table}.{key}"
        self._problems.append(f"{self._path}:{self._line(table, key)}: {name}: {what}")

    def _line(self, table: str, key: str | None) -> int:
        """Where it stands, counted from 1; the table's line where the key is written oddly."""
        start = 1
        inside = False
        for number, line in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[\s*([^\]]+?)\s*\]", line):
                inside = header[1] == table
                start = number if inside else start
                continue
            wanted = table if key is None else key if inside else None
            if wanted is not None and re.match(rf"\s*{re.escape(wanted)}\s*=", line):
                return number
        return start


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("must be a text in quotes")
    return value.strip()


def _cpus(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("must be a whole number")
    from banger_tui.engine.vms.spec import validate

    return validate(VmSpec(cpus=value)).cpus


def _memory(value: Any) -> int:
    """MiB; a bare number means MiB too."""
    from banger_tui.engine.vms.spec import parse_size, validate

    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError('must be a size like "512M"')
    size = value * MIB if isinstance(value, int) else parse_size(value)
    return validate(VmSpec(memory_mib=size // MIB)).memory_mib


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise InvalidInput(f"must be one of {', '.join(words)}")
        return str(value)

    return read
