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
    console_bytes = "8M"   # of each machine's serial line that are kept

    [terminal]             # of the panel
    leader = "ctrl+]"      # the one key that no guest gets
    scrollback = 10000     # lines
    emulator = "auto"      # "bittty": slower, in pure Python
    copy_on_select = false

    [[catalogs]]           # more images and kernels by name; the first counts most
    url = "https://example.org/images.json"    # or file = "/srv/images.json"
    sha256 = "…"           # may be missing

    [limits]               # of hostile or broken images; all in engine/limits.py
    max_rootfs_bytes = "64G"
    max_layers = 512

A wrong value never keeps the program from starting: the default stands in for it, and the problem
is told with file, line and key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from banger_tui.engine.errors import BangerError, InvalidInput
from banger_tui.engine.limits import Limits
from banger_tui.engine.model import MIB, NetworkMode, VmSpec
from banger_tui.engine.settings import Settings, UserCatalog

DEFAULT_THEME = "banger"

_LARGEST = 16 << 40  # bytes, and of anything else more than there can be
_MOST_LINES = 1_000_000
_CATALOGS = "catalogs"
_CATALOG_KEYS = ("file", "url", "sha256")


@dataclass(frozen=True, slots=True)
class Terminal:
    """The panel's terminals.

    Args:
        leader: the one key that no guest gets: ``ctrl+X`` or ``f1`` … ``f12``.
        scrollback: lines kept above the screen.
        emulator: ``auto``, ``ghostty`` or ``bittty``.
        copy_on_select: what is selected with the mouse is copied at once.
    """

    leader: str = "ctrl+]"
    scrollback: int = 10_000
    emulator: str = "auto"
    copy_on_select: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force. ``problems`` are sentences with file, line and key."""

    theme: str = DEFAULT_THEME
    engine: Settings = Settings()  # noqa: RUF009  # frozen, so shared safely
    terminal: Terminal = Terminal()
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
                "console_bytes": _bytes,
            },
            "terminal": {
                "leader": _leader,
                "scrollback": _lines,
                "emulator": _one_of("auto", "ghostty", "bittty"),
                "copy_on_select": _yes_or_no,
            },
            "limits": {
                limit.name: _bytes if limit.name.endswith("_bytes") else _count
                for limit in fields(Limits)
            },
        }  # fmt: skip
        catalogs = self._catalogs(content.pop(_CATALOGS, []))
        found: dict[str, dict[str, Any]] = {table: {} for table in keys}
        for table, entries in content.items():
            if table not in keys or not isinstance(entries, dict):
                self._problem(table, None, f"unknown; known are {', '.join((*keys, _CATALOGS))}")
                continue
            for key, value in entries.items():
                read = keys[table].get(key)
                if read is None:
                    known = ", ".join(keys[table])
                    self._problem(table, key, f"unknown; known are {known}")
                    continue
                try:
                    found[table][key] = read(value)
                except (BangerError, ValueError, TypeError) as error:
                    self._problem(table, key, str(error))
        machine = found["machine"]
        if "memory" in machine:
            machine["memory_mib"] = machine.pop("memory")
        engine = replace(
            Settings(), **machine, **found["engine"],
            limits=replace(Limits(), **found["limits"]), catalogs=catalogs,
        )  # fmt: skip
        theme = found["app"].get("theme", DEFAULT_THEME)
        terminal = replace(Terminal(), **found["terminal"])
        return Loaded(theme, engine, terminal, tuple(self._problems))

    def _catalogs(self, content: Any) -> tuple[UserCatalog, ...]:
        """What is wrong with one leaves it out: without its digest it would not be the same."""
        if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
            self._problem(_CATALOGS, None, "must be tables: [[catalogs]]")
            return ()
        found: dict[str, UserCatalog] = {}
        for index, table in enumerate(content):
            key = None
            try:
                for key in table:
                    if key not in _CATALOG_KEYS:
                        raise InvalidInput(f"unknown; known are {', '.join(_CATALOG_KEYS)}")
                key = "sha256"
                digest = _sha256(table.get(key, ""))
                key = "url" if "url" in table else "file"
                location = _url(table[key]) if key == "url" else self._file(table.get(key))
                if "url" in table and "file" in table:
                    raise InvalidInput("must not stand beside file")
                if location in found:
                    raise InvalidInput("is there twice")
                found[location] = UserCatalog(location, digest)
            except (BangerError, TypeError) as error:
                self._problem(_CATALOGS, key, str(error), index)
        return tuple(found.values())

    def _file(self, value: Any) -> str:
        """Absolute; what is relative lies beside config.toml."""
        if value is None:
            raise InvalidInput("is missing; a catalog has file or url")
        try:
            return str((self._path.parent / Path(_text(value)).expanduser()).absolute())
        except RuntimeError as error:  # no such home
            raise InvalidInput(str(error)) from error

    def _problem(self, table: str, key: str | None, what: str, index: int = 0) -> None:
        name = table if key is None else f"{table}.{key}"
        self._problems.append(f"{self._path}:{self._line(table, key, index)}: {name}: {what}")

    def _line(self, table: str, key: str | None, index: int) -> int:
        """Where it stands, counted from 1; the table's line where the key is written oddly.

        Args:
            index: which of several tables of one name.
        """
        start = 1
        inside = False
        for number, line in enumerate(self._lines, 1):
            if header := re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]", line):
                inside = header[1] == table and index == 0
                index -= header[1] == table
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


def _bytes(value: Any) -> int:
    """A size as people write it; a bare number means bytes."""
    from banger_tui.engine.vms.spec import parse_size

    if isinstance(value, str):
        return parse_size(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError('must be a size like "64G"')
    return _count(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST:
        raise TypeError("must be a whole number above 0")
    return value


def _lines(value: Any) -> int:
    if _count(value) > _MOST_LINES:
        raise TypeError(f"must be at most {_MOST_LINES:,}")
    return int(value)


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be true or false")
    return value


def _leader(value: Any) -> str:
    key = _text(value).lower()
    if not re.fullmatch(r"ctrl\+[a-z@\[\\\]^_]|f[1-9]|f1[0-2]", key):
        raise TypeError('must be a key like "ctrl+]" or "f12"')
    return key


def _sha256(value: Any) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or not re.fullmatch("[0-9a-fA-F]{64}", value):
        raise TypeError("must be 64 hex digits in quotes")
    return value.lower()


def _url(value: Any) -> str:
    from banger_tui.engine.catalog.location import is_url

    url = _text(value)
    if not is_url(url):
        raise InvalidInput("must be an https URL")
    return url


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise InvalidInput(f"must be one of {', '.join(words)}")
        return str(value)

    return read
