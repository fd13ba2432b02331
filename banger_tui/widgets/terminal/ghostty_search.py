"""Search through a ghostty terminal, in slices: newest text first, letters of any case (a to z)."""

from __future__ import annotations

import struct
import time
from typing import Any

from .core import MAX_NEEDLE_CHARS, Mark, MarkKind
from .ghostty_native import Native

_SLICE = 0.004
"""Seconds of search at a time."""

_MAX_MATCHES = 20_000
"""Enough for anybody; a search for one letter would find millions and keep them all."""


class Search:
    """The search of one terminal, at most one at a time."""

    def __init__(self, native: Native, handle: Any) -> None:
        self._native = native
        self._handle = handle
        self._search: Any = None
        self._needle = ""
        self._placed = False
        self._wide = False
        self._size_t = native.ffi.new("size_t*")
        self._status = native.ffi.new("GhosttySearchStatus*")
        self._layout = _layout(native)

    def start(self, needle: str, *, placed: bool = False) -> None:
        """Look for a text from the newest on, in place of an earlier search.

        `placed`: no match is to be made the current one and shown.
        """
        self.close()
        native, ffi, lib = self._native, self._native.ffi, self._native.lib
        data = needle[:MAX_NEEDLE_CHARS].encode("utf-8", "ignore")
        if not data:
            return
        search = ffi.new("GhosttySearch*")
        native.check(lib.ghostty_search_new(ffi.NULL, search, self._handle), "search")
        self._search = search[0]
        self._needle = needle
        self._placed = placed
        self._wide = not needle[:MAX_NEEDLE_CHARS][-1].isascii()
        text = ffi.new("GhosttyString*")
        buffer = ffi.new("uint8_t[]", data)
        text.ptr, text.len = buffer, len(data)
        if lib.ghostty_search_set(self._search, lib.GHOSTTY_SEARCH_OPT_NEEDLE, text):
            self.close()
            return
        self.work()

    def again(self) -> None:
        """Look from the beginning, without moving the viewport: a resize has moved all text."""
        if self._search is not None:
            self.start(self._needle, placed=self._placed)

    def work(self) -> bool:
        """Look on for some milliseconds; whether there is more to do."""
        if self._search is None:
            return False
        lib = self._native.lib
        until = time.perf_counter() + _SLICE
        # The screen may have changed since the search went over it.
        if lib.ghostty_search_feed(self._search):
            return False
        while True:
            if lib.ghostty_search_tick(self._search, self._status):
                return False
            found = self._total()
            if found and not self._placed:
                self.step(back=True)
            if found >= _MAX_MATCHES:
                return False
            if self._status[0] == lib.GHOSTTY_SEARCH_STATUS_COMPLETE:
                return False
            if time.perf_counter() > until:
                return True
            if self._status[0] == lib.GHOSTTY_SEARCH_STATUS_FEED_REQUIRED:
                lib.ghostty_search_feed(self._search)

    def step(self, *, back: bool) -> None:
        """To the next older or newer match, scrolled into view."""
        if self._search is not None:
            lib = self._native.lib
            key = lib.GHOSTTY_SEARCH_OPT_SELECT_NEXT if back else lib.GHOSTTY_SEARCH_OPT_SELECT_PREV
            if not lib.ghostty_search_set(self._search, key, self._native.ffi.NULL):
                self._placed = True

    @property
    def place(self) -> tuple[int, int]:
        """(number of the current match from the oldest, how many)."""
        index = self._number("SELECTED_INDEX")
        return (0, self._total()) if index is None else (self._total() - index, self._total())

    def marks(self, cols: int, rows: int) -> list[tuple[int, Mark]]:
        """(viewport row, mark) of the matches shown, the current one above the others."""
        if self._search is None:
            return []
        native, lib = self._native, self._native.lib
        # Matches come by page and row; which of these rows are shown where is asked once a row.
        shown: dict[tuple[int, int], int] = {}
        for y in range(rows):
            ref = native.ref(self._handle, 0, y)
            if ref is not None:
                shown[int(native.ffi.cast("uintptr_t", ref.node)), int(ref.y)] = y
        marks = []
        for match in self._viewport_matches():
            marks += self._spans(match, shown, cols, rows, MarkKind.MATCH)
        current = native.init_sized("GhosttySelection")
        if not lib.ghostty_search_get(
            self._search, lib.GHOSTTY_SEARCH_DATA_SELECTED_MATCH, current
        ):
            raw = bytes(native.ffi.buffer(current))
            marks += self._spans(raw, shown, cols, rows, MarkKind.CURRENT_MATCH)
        return marks

    def close(self) -> None:
        """End the search; before the terminal is freed."""
        if self._search is not None:
            self._native.lib.ghostty_search_free(self._search)
            self._search = None

    def _viewport_matches(self) -> list[bytes]:
        ffi, lib = self._native.ffi, self._native.lib
        key = lib.GHOSTTY_SEARCH_DATA_VIEWPORT_MATCHES
        wanted = ffi.new("GhosttySelectionBuffer*")
        lib.ghostty_search_get(self._search, key, wanted)
        count = min(int(wanted.len), _MAX_MATCHES)
        if not count:
            return []
        size = ffi.sizeof("GhosttySelection")
        raw = bytearray(struct.pack("N", size).ljust(size, b"\0") * count)
        memory = ffi.from_buffer("GhosttySelection[]", raw)
        wanted.ptr, wanted.cap = memory, count
        if lib.ghostty_search_get(self._search, key, wanted):
            return []
        return [bytes(raw[n * size : (n + 1) * size]) for n in range(int(wanted.len))]

    def _spans(
        self, raw: bytes, shown: dict[tuple[int, int], int], cols: int, rows: int, kind: MarkKind
    ) -> list[tuple[int, Mark]]:
        node, x, y, last_node, last_x, last_y = self._layout.unpack_from(raw)
        first, last = shown.get((node, y)), shown.get((last_node, last_y))
        # Matches found before the last output or resize may be where no cell is now.
        if (first is None and last is None) or x >= cols or last_x >= cols:
            return []
        if first is None:
            first, x = 0, 0
        if last is None:
            last, last_x = rows - 1, cols - 1
        end = last_x + 1
        if self._wide and self._native.width(self._native.ref(self._handle, last_x, last)) == 1:
            end += 1
        return [
            (row, Mark(start, stop, kind))
            for row in range(first, last + 1)
            for start, stop in (
                (x if row == first else 0, min(end, cols) if row == last else cols),
            )
            if start < stop
        ]

    def _total(self) -> int:
        return self._number("TOTAL_MATCHES") or 0

    def _number(self, name: str) -> int | None:
        if self._search is None:
            return None
        key = getattr(self._native.lib, f"GHOSTTY_SEARCH_DATA_{name}")
        failed = self._native.lib.ghostty_search_get(self._search, key, self._size_t)
        return None if failed else int(self._size_t[0])


def _layout(native: Native) -> struct.Struct:
    """node, x and y of a selection's start and end, as they lie in memory."""
    offset = native.ffi.offsetof
    places = [
        offset("GhosttySelection", end) + offset("GhosttyGridRef", field)
        for end in ("start", "end")
        for field in ("node", "x", "y")
    ]
    text, position = "=", 0
    for place, code, size in zip(places, "NHHNHH", (8, 2, 2, 8, 2, 2), strict=True):
        text += f"{place - position}x{code.replace('N', 'Q')}"
        position = place + size
    return struct.Struct(text)
