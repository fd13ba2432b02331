"""pyghostty's native library, loaded late and once.

The package is untyped, so its modules are reached through `importlib` (whose attributes are
`Any`); only the `ghostty*` files of this package handle these values.
"""

from __future__ import annotations

import importlib
import json
import threading
from functools import lru_cache
from typing import Any

_LOADING = threading.RLock()
_SCROLL_SIGNATURE = "void(*)(GhosttyTerminal, BangerScrollViewport)"
_REF_SIGNATURE = "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyGridRef*)"
_TRACK_SIGNATURE = "GhosttyResult(*)(GhosttyTerminal, GhosttyPointS, GhosttyTrackedGridRef*)"


class Native:
    """The loaded library and the bit layout of its cells."""

    def __init__(self) -> None:
        layer = importlib.import_module("pyghostty._ffi")
        core = importlib.import_module("pyghostty.core")
        self.ffi: Any = layer.ffi
        self.lib: Any = layer.lib
        self.check: Any = layer.check
        self.terminal: Any = core.Terminal
        self.init_sized: Any = core.init_sized
        # cffi's ABI mode cannot pass a union by value; a struct of the same layout can be.
        self.ffi.cdef(
            "typedef struct { GhosttyTerminalScrollViewportTag tag; intptr_t delta;"
            " uint64_t pad; } BangerScrollViewport;"
        )
        self.scroll: Any = layer.union_fn("ghostty_terminal_scroll_viewport", _SCROLL_SIGNATURE)
        self._ref: Any = layer.union_fn("ghostty_terminal_grid_ref", _REF_SIGNATURE)
        self._track: Any = layer.union_fn("ghostty_terminal_grid_ref_track", _TRACK_SIGNATURE)
        layout = json.loads(self.ffi.string(self.lib.ghostty_type_json()))
        bits = layout["types"]["GhosttyCell"]["bits"]
        self.content_shift: int = bits["content"]["lsb"]
        self.wide_shift: int = bits["wide"]["lsb"]
        style = bits["style_id"]
        self.style_mask: int = ((1 << style["width"]) - 1) << style["lsb"]
        self.link_mask: int = 1 << bits["hyperlink"]["lsb"]

    def ref(self, handle: Any, x: int, y: int) -> Any:
        """A viewport cell, valid until the terminal changes; None outside the grid."""
        ref = self.init_sized("GhosttyGridRef")
        return None if self._ref(handle, self._viewport(x, y), ref) else ref

    def track(self, handle: Any, x: int, y: int) -> Any:
        """A viewport cell that stays with its text (to be freed by the caller), or None."""
        ref = self.ffi.new("GhosttyTrackedGridRef*")
        return None if self._track(handle, self._viewport(x, y), ref) else ref[0]

    def _viewport(self, x: int, y: int) -> Any:
        point = self.ffi.new("GhosttyPointS*")
        point.tag = self.lib.GHOSTTY_POINT_TAG_VIEWPORT
        point.value.x, point.value.y = x, y
        return point[0]

    def width(self, ref: Any) -> int:
        """What a cell is: 0 narrow, 1 wide, 2 the right half of a wide one, 3 a filler."""
        cell = self.ffi.new("GhosttyCell*")
        if self.lib.ghostty_grid_ref_cell(ref, cell):
            return 0
        return int(cell[0]) >> self.wide_shift & 3

    def screen_point(self, handle: Any, ref: Any) -> tuple[int, int] | None:
        """(x, y) of a cell counted from the oldest row kept; None when it is gone."""
        point = self.ffi.new("GhosttyPointCoordinate*")
        tag = self.lib.GHOSTTY_POINT_TAG_SCREEN
        if self.lib.ghostty_terminal_point_from_grid_ref(handle, ref, tag, point):
            return None
        return int(point.x), int(point.y)


def native() -> Native:
    """The library, loaded at the first call. Raises ImportError or OSError without it.

    Safe in threads: several terminals may ask at once, and the declarations can be made only once.
    """
    with _LOADING:
        return _native()


@lru_cache(maxsize=1)
def _native() -> Native:
    return Native()
