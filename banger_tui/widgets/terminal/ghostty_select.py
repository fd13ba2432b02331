"""The selection of a ghostty terminal, which the emulator keeps on its text while that moves.

The emulator drops it when the guest clears what is selected or changes to its other screen, and
reflows it with the text on a resize.
"""

from __future__ import annotations

from typing import Any

from .core import Mark, MarkKind, Unit
from .ghostty_native import Native

_MAX_TEXT_BYTES = 32 * 1024 * 1024


class Selection:
    """What is selected in one terminal; cells are given by their place in the viewport."""

    def __init__(self, native: Native, handle: Any) -> None:
        self._native = native
        self._handle = handle
        self._anchor: Any = None
        self._unit = Unit.CELL
        self._current = native.init_sized("GhosttySelection")

    def begin(self, x: int, y: int, unit: Unit) -> None:
        """Select the cell, word or line there."""
        self.clear()
        self._anchor = self._native.track(self._handle, x, y)
        self._unit = unit
        if unit is not Unit.CELL:
            self.extend(x, y)

    def extend(self, x: int, y: int) -> None:
        """Select from the beginning to this cell, by whole words or lines if it began so."""
        native = self._native
        here = native.ref(self._handle, x, y)
        if self._anchor is None or here is None:
            return
        there = native.init_sized("GhosttyGridRef")
        if native.lib.ghostty_tracked_grid_ref_snapshot(self._anchor, there):
            return
        # The anchor may be on the guest's other screen, or its text forgotten by now.
        if native.screen_point(self._handle, there) is None:
            return
        ends = [*self._unit_at(there), *self._unit_at(here)]
        points = [native.screen_point(self._handle, end) for end in ends]
        ordered = sorted(
            ((y, x, n) for n, point in enumerate(points) if point for x, y in (point,))
        )
        if len(ordered) != len(ends):
            return
        self._current.start = ends[ordered[0][2]][0]
        self._current.end = ends[ordered[-1][2]][0]
        self._set(self._current)

    def clear(self) -> None:
        """Select nothing."""
        if self._anchor is not None:
            self._native.lib.ghostty_tracked_grid_ref_free(self._anchor)
            self._anchor = None
        self._set(self._native.ffi.NULL)

    def text(self) -> str:
        """What is selected, wrapped lines joined, without trailing blanks."""
        native = self._native
        selection = self._get()
        if selection is None:
            return ""
        options = native.init_sized("GhosttyTerminalSelectionFormatOptions")
        options.emit = native.lib.GHOSTTY_FORMATTER_FORMAT_PLAIN
        options.unwrap = options.trim = True
        options.selection = selection
        length = native.ffi.new("size_t*")
        write = native.lib.ghostty_terminal_selection_format_buf
        write(self._handle, options[0], native.ffi.NULL, 0, length)
        if not 0 < length[0] <= _MAX_TEXT_BYTES:
            return ""
        buffer = native.ffi.new("uint8_t[]", length[0])
        if write(self._handle, options[0], buffer, length[0], length):
            return ""
        return bytes(native.ffi.buffer(buffer, length[0])).decode("utf-8", "replace")

    def marks(self, top: int, cols: int, rows: int) -> list[tuple[int, Mark]]:
        """(viewport row, mark) of what is selected, `top` being the screen row shown first."""
        selection = self._get()
        if selection is None:
            return []
        native, ffi = self._native, self._native.ffi
        ends = [ffi.addressof(selection, "start"), ffi.addressof(selection, "end")]
        first, last = (native.screen_point(self._handle, end) for end in ends)
        if first is None or last is None:
            return []
        if (first[1], first[0]) > (last[1], last[0]):
            first, last, ends = last, first, ends[::-1]
        start_x = first[0] - (native.width(ends[0]) == 2)
        end_x = last[0] + 1 + (native.width(ends[1]) == 1)
        marks = []
        for y in range(max(first[1], top), min(last[1] + 1, top + rows)):
            start = start_x if y == first[1] else 0
            end = end_x if y == last[1] else cols
            marks.append((y - top, Mark(start, min(end, cols), MarkKind.SELECTED)))
        return marks

    def _unit_at(self, ref: Any) -> tuple[Any, Any]:
        """The first and last cell of the word or line there; the cell itself without one."""
        native, lib = self._native, self._native.lib
        if self._unit is Unit.CELL:
            return ref, ref
        found = native.init_sized("GhosttySelection")
        name = "Word" if self._unit is Unit.WORD else "Line"
        options = native.init_sized(f"GhosttyTerminalSelect{name}Options")
        options.ref = ref[0]
        select = getattr(lib, f"ghostty_terminal_select_{name.lower()}")
        if select(self._handle, options, found):
            return ref, ref
        # The copies own their memory: the structure they come from goes with this call.
        start, end = (native.init_sized("GhosttyGridRef") for _ in range(2))
        start[0], end[0] = found.start, found.end
        return start, end

    def _get(self) -> Any:
        native = self._native
        selection = native.init_sized("GhosttySelection")
        key = native.lib.GHOSTTY_TERMINAL_DATA_SELECTION
        return None if native.lib.ghostty_terminal_get(self._handle, key, selection) else selection

    def _set(self, selection: Any) -> None:
        lib = self._native.lib
        lib.ghostty_terminal_set(self._handle, lib.GHOSTTY_TERMINAL_OPT_SELECTION, selection)
