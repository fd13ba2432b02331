"""JSON from strangers: one meaning or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from banger_tui.engine.errors import BadContent

_DEEPEST = 32
_MOST = 1 << 63  # sizes are int64 wherever such a document is read


def load(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object in UTF-8. Blocking: up to some 50 ms for 4 MiB.

    Args:
        what: the document's name for people ("The manifest of alpine:3.20").

    Raises:
        BadContent: it is none, a key stands twice, a number is none of JSON's or too large, or it
            is nested deeper than 32.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
        )
    except RecursionError:
        raise BadContent(f"{what} is broken", "It is nested too deep.") from None
    except UnicodeDecodeError:
        raise BadContent(f"{what} is broken", "It is no UTF-8 text.") from None
    except ValueError as error:
        raise BadContent(f"{what} is broken", f"No valid JSON: {str(error)[:120]}.") from None
    if not isinstance(value, dict):
        raise BadContent(f"{what} is broken", "It is no JSON object.")
    if _depth(value) > _DEEPEST:
        raise BadContent(f"{what} is broken", "It is nested too deep.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        once: set[str] = set()
        for name, _ in pairs:
            if name in once:
                raise ValueError(f"{name[:40]!r} stands there twice")
            once.add(name)
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _integer(digits: str) -> int:
    if len(digits) > 20 or not -_MOST <= int(digits) < _MOST:
        raise ValueError(f"{digits[:40]} is out of range")
    return int(digits)


def _depth(value: object) -> int:
    """Levels of nesting, counted up to one more than are allowed."""
    level: list[Any] = [value]
    depth = 0
    while level and depth <= _DEEPEST:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return depth


def _is_plain(text: str) -> bool:
    """Without NUL, and without half a surrogate pair, which no byte stands for."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Fields:
    """The fields of one JSON object, each of the type it must have; ``what`` names it for people.

    ``null`` counts as missing. Every method raises BadContent.
    """

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise BadContent(f"{what} is broken", "It is no JSON object.")
        self._value: dict[str, Any] = value
        self.what = what

    def bad(self, why: str) -> BadContent:
        return BadContent(f"{self.what} is broken", why)

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """``default`` None: it must be there and not empty."""
        value = self._value.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value):
            raise self.bad(f"{name} must be a text.")
        if not _is_plain(value):
            raise self.bad(f"{name} has characters that are no text.")
        return value

    def number(self, name: str) -> int:
        """A whole number of at least 0."""
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.bad(f"{name} must be a whole number of at least 0.")
        return value

    def inner(self, name: str) -> Fields:
        if not self.has(name):
            raise self.bad(f"{name} is missing.")
        return Fields(self._value[name], f"{self.what}: {name}")

    def items(self, name: str) -> list[Any]:
        value = self._value.get(name)
        if not isinstance(value, list):
            raise self.bad(f"{name} must be a list.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty when it is missing."""
        values = self.items(name) if self.has(name) else []
        if not all(isinstance(value, str) and _is_plain(value) for value in values):
            raise self.bad(f"{name} must be a list of texts.")
        return tuple(values)

    def text_map(self, name: str) -> Mapping[str, str]:
        """An object whose values are texts; empty when it is missing."""
        value = self._value.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(
            isinstance(v, str) and _is_plain(k) and _is_plain(v) for k, v in value.items()
        ):
            raise self.bad(f"{name} must be an object of texts.")
        return value

    def keys(self, name: str) -> tuple[str, ...]:
        """The names in an object; empty when it is missing."""
        value = self._value.get(name)
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise self.bad(f"{name} must be an object.")
        if not all(map(_is_plain, value)):
            raise self.bad(f"{name} has characters that are no text.")
        return tuple(value)
