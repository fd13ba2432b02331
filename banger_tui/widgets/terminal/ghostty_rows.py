"""Rows of a ghostty terminal as runs of styled text, decoded from its packed cells."""

from __future__ import annotations

import weakref
from typing import Any

from .core import PLAIN, Attr, CellStyle, Color, CursorShape, Row, Run
from .ghostty_native import Native
from .glyphs import safe_cells, safe_cluster

_MAX_STYLES = 4096
_MAX_CLUSTER = 16


def _free_render_state(lib: Any, state: Any, iterator: Any, cells: Any) -> None:
    lib.ghostty_render_state_row_cells_free(cells)
    lib.ghostty_render_state_row_iterator_free(iterator)
    lib.ghostty_render_state_free(state)


class RowReader:
    """The render state of one terminal: which viewport rows changed, and what is in them."""

    def __init__(self, native: Native, handle: Any) -> None:
        self._native = native
        self._handle = handle
        ffi, lib, check = native.ffi, native.lib, native.check
        self._state_p = ffi.new("GhosttyRenderState*")
        check(lib.ghostty_render_state_new(ffi.NULL, self._state_p), "render state")
        self._iterator_p = ffi.new("GhosttyRenderStateRowIterator*")
        check(lib.ghostty_render_state_row_iterator_new(ffi.NULL, self._iterator_p), "rows")
        self._cells_p = ffi.new("GhosttyRenderStateRowCells*")
        check(lib.ghostty_render_state_row_cells_new(ffi.NULL, self._cells_p), "cells")
        self._free = weakref.finalize(
            self, _free_render_state, lib, self._state_p[0], self._iterator_p[0], self._cells_p[0]
        )
        self._view = ffi.new("GhosttyCellsView*")
        self._dirty = ffi.new("GhosttyRenderStateDirty*")
        self._shape = ffi.new("GhosttyRenderStateCursorVisualStyle*")
        self._y = ffi.new("uint16_t*")
        self._style = native.init_sized("GhosttyStyle")
        self._style_bytes = ffi.buffer(self._style)
        self._grapheme_len = ffi.new("uint32_t*")
        self._grapheme_cap = 64
        self._grapheme = ffi.new("uint32_t[]", self._grapheme_cap)
        self._styles: dict[bytes, CellStyle] = {}

    def close(self) -> None:
        """Free native memory."""
        self._free()

    def all(self) -> list[Row]:
        """Every viewport row; what is dirty stays so."""
        self._update()
        return [row for _, row in self._rows(only_dirty=False)]

    def take_dirty(self) -> list[tuple[int, Row]]:
        """(y, row) of the rows changed since the last call."""
        lib = self._native.lib
        dirty = self._update()
        if dirty == lib.GHOSTTY_RENDER_STATE_DIRTY_FALSE:
            return []
        rows = self._rows(only_dirty=dirty != lib.GHOSTTY_RENDER_STATE_DIRTY_FULL)
        lib.ghostty_render_state_clean(self._state_p[0])
        return rows

    def cursor_shape(self) -> CursorShape:
        """What the guest wants its cursor to look like."""
        self._update()
        lib = self._native.lib
        key = lib.GHOSTTY_RENDER_STATE_DATA_CURSOR_VISUAL_STYLE
        lib.ghostty_render_state_get(self._state_p[0], key, self._shape)
        if self._shape[0] == lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR:
            return CursorShape.BAR
        if self._shape[0] == lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE:
            return CursorShape.UNDERLINE
        return CursorShape.BLOCK

    def _update(self) -> int:
        lib, state = self._native.lib, self._state_p[0]
        self._native.check(lib.ghostty_render_state_update(state, self._handle), "update")
        lib.ghostty_render_state_get(state, lib.GHOSTTY_RENDER_STATE_DATA_DIRTY, self._dirty)
        return int(self._dirty[0])

    def _rows(self, *, only_dirty: bool) -> list[tuple[int, Row]]:
        lib, unpack, view = self._native.lib, self._native.ffi.unpack, self._view
        self._native.check(
            lib.ghostty_render_state_get(
                self._state_p[0], lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._iterator_p
            ),
            "rows",
        )
        iterator = self._iterator_p[0]
        rows: list[tuple[int, Row]] = []
        y = -1
        while True:
            if only_dirty:
                if not lib.ghostty_render_state_row_iterator_next_dirty(iterator, self._y):
                    return rows
                y = self._y[0]
            else:
                if not lib.ghostty_render_state_row_iterator_next(iterator):
                    return rows
                y += 1
            lib.ghostty_render_state_row_get(
                iterator, lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, view
            )
            rows.append((y, self._row(unpack(view.ptr, view.len))))

    def _row(self, cells: list[int]) -> Row:
        """Decode packed cells: bits 0-1 tell what the content is, `content` holds it."""
        native = self._native
        shift, wide_shift = native.content_shift, native.wide_shift
        style_mask, wide_mask = native.style_mask, 3 << native.wide_shift
        link_mask = native.link_mask
        look_mask = style_mask | link_mask
        seen = 0
        for cell in cells:
            seen |= cell
        if not seen & (look_mask | wide_mask | 3):
            text = "".join([chr(cell >> shift & 0x1FFFFF or 32) for cell in cells])
            return (Run(safe_cells(text), PLAIN, len(cells)),)

        lib = native.lib
        native.check(
            lib.ghostty_render_state_row_get(
                self._iterator_p[0], lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS, self._cells_p
            ),
            "cells",
        )
        runs: list[Run] = []
        styles: dict[int, CellStyle] = {}
        text, key, style, step = "", -1, PLAIN, 1
        half = False
        for x, packed in enumerate(cells):
            cell = packed
            width = cell >> wide_shift & 3
            if width:
                if half and width == 2:  # the right half of a wide character
                    half = False
                    continue
                half = width == 1 and x + 1 < len(cells) and cells[x + 1] >> wide_shift & 3 == 2
                if not half:  # one half without the other, or a filler: a blank
                    cell, width = cell & look_mask, 0
            tag = cell & 3
            new_step = 2 if width else 1
            # An empty cell with a colour keeps it in its content, not in a style.
            content = cell >> shift & 0xFFFFFF if tag >= 2 else 0
            new_key = cell & look_mask | content << 48 | (tag if tag >= 2 else 0)
            if new_key != key or new_step != step or tag == 1:
                if text:
                    runs.append(Run(safe_cells(text), style, len(text) * step))
                    text = ""
                key, step = new_key, new_step
                found = styles.get(key)
                if found is None:
                    found = self._cell_style(x, tag, content, cell & style_mask)
                    if cell & link_mask:
                        found = found._replace(attrs=found.attrs | int(Attr.LINK))
                    styles[key] = found
                style = found
            if tag == 0:
                text += chr(cell >> shift & 0x1FFFFF or 32)
            elif tag == 1:
                runs.append(Run(safe_cluster(self._cluster(x)), style, step))
            else:
                text += " "
        if text:
            runs.append(Run(safe_cells(text), style, len(text) * step))
        return tuple(runs)

    def _cluster(self, x: int) -> str:
        lib, cells = self._native.lib, self._cells_p[0]
        lib.ghostty_render_state_row_cells_select(cells, x)
        get = lib.ghostty_render_state_row_cells_get
        get(cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN, self._grapheme_len)
        length = self._grapheme_len[0]
        if length > self._grapheme_cap:
            self._grapheme_cap = length
            self._grapheme = self._native.ffi.new("uint32_t[]", length)
        get(cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF, self._grapheme)
        return "".join(map(chr, self._grapheme[0 : min(length, _MAX_CLUSTER)]))

    def _cell_style(self, x: int, tag: int, content: int, style_id: int) -> CellStyle:
        if tag == 2:
            return CellStyle(bg=content & 0xFF)
        if tag == 3:
            return CellStyle(bg=(content & 255, content >> 8 & 255, content >> 16 & 255))
        if not style_id:
            return PLAIN
        lib, cells = self._native.lib, self._cells_p[0]
        lib.ghostty_render_state_row_cells_select(cells, x)
        lib.ghostty_render_state_row_cells_get(
            cells, lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE, self._style
        )
        raw = bytes(self._style_bytes)
        style = self._styles.get(raw)
        if style is None:
            if len(self._styles) >= _MAX_STYLES:
                self._styles.clear()
            style = self._styles[raw] = self._decode_style()
        return style

    def _decode_style(self) -> CellStyle:
        raw = self._style
        attrs = (
            raw.bold * Attr.BOLD
            | raw.faint * Attr.DIM
            | raw.italic * Attr.ITALIC
            | (raw.underline != 0) * Attr.UNDERLINE
            | (raw.underline == 2) * Attr.DOUBLE_UNDERLINE
            | raw.blink * Attr.BLINK
            | raw.inverse * Attr.REVERSE
            | raw.invisible * Attr.CONCEAL
            | raw.strikethrough * Attr.STRIKE
            | raw.overline * Attr.OVERLINE
        )
        return CellStyle(self._color(raw.fg_color), self._color(raw.bg_color), int(attrs))

    def _color(self, color: Any) -> Color | None:
        lib = self._native.lib
        if color.tag == lib.GHOSTTY_STYLE_COLOR_PALETTE:
            return int(color.value.palette)
        if color.tag == lib.GHOSTTY_STYLE_COLOR_RGB:
            rgb = color.value.rgb
            return int(rgb.r), int(rgb.g), int(rgb.b)
        return None
