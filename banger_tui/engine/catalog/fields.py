"""One JSON object being read, field by field; each complaint names file and field."""

from __future__ import annotations

import re
from typing import Any

from banger_tui.engine.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")


class Fields:
    """Reads typed fields; ``done`` refuses those nobody read. All raise InvalidInput."""

    def __init__(self, content: object, file: str, where: str) -> None:
        self._file = file
        self._where = where
        if not isinstance(content, dict):
            raise InvalidInput(f"{file}: {where} is wrong", "must be an object")
        self._content: dict[str, Any] = content
        self._read: set[str] = set()

    def wrong(self, field: str, reason: str) -> InvalidInput:
        return InvalidInput(f"{self._file}: {self._where}.{field} is wrong", reason)

    def text(self, field: str) -> str:
        value = self._value(field)
        if not isinstance(value, str) or not value:
            raise self.wrong(field, "must be a text")
        return value

    def name(self, field: str) -> str:
        value = self.text(field)
        if not _NAME.fullmatch(value):
            raise self.wrong(field, "must be letters a-z, digits, dot, underscore, dash")
        return value

    def package(self, field: str, architecture: str) -> str:
        """``{architecture}`` in it stands for Debian's name of this host's."""
        value = self.text(field).replace("{architecture}", architecture)
        if not _PACKAGE.fullmatch(value):
            raise self.wrong(field, "must be a Debian package's name")
        return value

    def packages(self, field: str) -> tuple[str, ...]:
        value = self._value(field)
        if not isinstance(value, list):
            raise self.wrong(field, "must be a list of Debian packages")
        for item in value:
            if not isinstance(item, str) or not _PACKAGE.fullmatch(item):
                raise self.wrong(field, f"{item!r} is no Debian package's name")
        return tuple(value)

    def number(self, field: str, least: int, most: int) -> int:
        value = self._value(field)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(field, f"must be a whole number from {least} to {most}")
        return value

    def object(self, field: str) -> Fields:
        return Fields(self._value(field), self._file, f"{self._where}.{field}")

    def done(self) -> None:
        if unknown := sorted(self._content.keys() - self._read):
            raise self.wrong(unknown[0], "is no known field")

    def _value(self, field: str) -> Any:
        self._read.add(field)
        if field not in self._content:
            raise self.wrong(field, "is missing")
        return self._content[field]
