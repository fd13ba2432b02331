"""One JSON object being read, field by field; each complaint names file and field."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from banger_tui.engine.catalog.location import is_reference, is_url
from banger_tui.engine.errors import BangerError, InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT = 4096


def is_name(text: str) -> bool:
    """Whether an image or kernel of a catalog may be called so."""
    return _NAME.fullmatch(text) is not None


def document(data: bytes, file: str, error: type[BangerError] = InvalidInput) -> object:
    """What a JSON text says.

    Raises:
        error: it is none, or says a thing twice, or is nested without end.
    """
    try:
        return json.loads(data, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as wrong:
        raise error(f"{file} is no valid JSON", shown(str(wrong))) from wrong


def shown(text: str) -> str:
    """The text fit for a message: short, and without what a terminal would obey."""
    return text[:200] if text[:200].isprintable() else repr(text[:200])


class Fields:
    """Reads typed fields; ``done`` refuses those nobody read. All raise ``error``.

    A field with a ``default`` may be missing.
    """

    def __init__(
        self, content: object, file: str, where: str, error: type[BangerError] = InvalidInput
    ) -> None:
        self._file = file
        self._where = where
        self._error = error
        if not isinstance(content, dict):
            raise error(f"{file}: {where} is wrong", "must be an object")
        self._content: dict[str, Any] = content
        self._read: set[str] = set()

    def wrong(self, field: str, reason: str) -> BangerError:
        """The error to raise about a field."""
        return self._error(f"{self._file}: {self._where}.{shown(field)} is wrong", reason)

    def has(self, field: str) -> bool:
        return field in self._content

    def text(self, field: str, default: str | None = None) -> str:
        """One line for people."""
        value = self._value(field, default)
        if not isinstance(value, str) or not (value or default == ""):
            raise self.wrong(field, "must be a text")
        if not value.isprintable() or len(value) > _MAX_TEXT:
            raise self.wrong(field, "must be one line of plain text")
        return value

    def name(self, field: str, default: str | None = None) -> str:
        value = self.text(field, default)
        if value != default and not is_name(value):
            raise self.wrong(field, "must be letters a-z, digits, dot, underscore, dash")
        return value

    def path(self, field: str, default: str | None = None) -> str:
        """An absolute path in the guest."""
        value = self.text(field, default)
        if value != default and (not value.startswith("/") or value.split() != [value]):
            raise self.wrong(field, "must be an absolute path")
        return value

    def package(self, field: str, architecture: str) -> str:
        """``{architecture}`` in it stands for Debian's name of this host's."""
        value = self.text(field).replace("{architecture}", architecture)
        if not _PACKAGE.fullmatch(value):
            raise self.wrong(field, "must be a Debian package's name")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of lines; none where it is missing."""
        value = self._value(field, [])
        if not isinstance(value, list):
            raise self.wrong(field, "must be a list of texts")
        for item in value:
            sound = isinstance(item, str) and item.isprintable() and 0 < len(item) <= _MAX_TEXT
            if not sound:
                raise self.wrong(field, f"{shown(repr(item))} is no line of plain text")
        return tuple(value)

    def packages(self, field: str) -> tuple[str, ...]:
        value = self._value(field)
        if not isinstance(value, list):
            raise self.wrong(field, "must be a list of Debian packages")
        for item in value:
            if not isinstance(item, str) or not _PACKAGE.fullmatch(item):
                raise self.wrong(field, f"{shown(repr(item))} is no Debian package's name")
        return tuple(value)

    def number(self, field: str, least: int, most: int, default: int | None = None) -> int:
        value = self._value(field, default)
        if default is not None and not self.has(field):
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(field, f"must be a whole number from {least} to {most}")
        return value

    def sha256(self, field: str) -> str:
        """64 hex digits."""
        value = self.text(field)
        if not _SHA256.fullmatch(value):
            raise self.wrong(field, "must be a SHA-256 in 64 hex digits, lower case")
        return value

    def url(self, field: str) -> str:
        value = self.text(field)
        if not is_url(value):
            raise self.wrong(field, "must be an https URL")
        return value

    def reference(self, field: str, *, pinned: bool = False) -> str:
        """A reference to a registry; ``pinned``: by digest."""
        value = self.text(field)
        if not is_reference(value, pinned=pinned):
            pin = " pinned by its digest (NAME@sha256:…)" if pinned else ""
            raise self.wrong(field, f"must be a reference to a registry{pin}")
        return value

    def object(self, field: str) -> Fields:
        return Fields(self._value(field), self._file, f"{self._where}.{field}", self._error)

    def value(self, field: str) -> Any:
        """Whatever is there."""
        return self._value(field)

    def done(self) -> None:
        if unknown := sorted(self._content.keys() - self._read):
            raise self.wrong(unknown[0], "is no known field")

    def _value(self, field: str, default: Any = None) -> Any:
        self._read.add(field)
        if field not in self._content and default is None:
            raise self.wrong(field, "is missing")
        return self._content.get(field, default)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
