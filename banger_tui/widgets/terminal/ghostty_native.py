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
        layout = json.loads(self.ffi.string(self.lib.ghostty_type_json()))
        bits = layout["types"]["GhosttyCell"]["bits"]
        self.content_shift: int = bits["content"]["lsb"]
        self.wide_shift: int = bits["wide"]["lsb"]
        style = bits["style_id"]
        self.style_mask: int = ((1 << style["width"]) - 1) << style["lsb"]


def native() -> Native:
    """The library, loaded at the first call. Raises ImportError or OSError without it.

    Safe in threads: several terminals may ask at once, and the declarations can be made only once.
    """
    with _LOADING:
        return _native()


@lru_cache(maxsize=1)
def _native() -> Native:
    return Native()
