"""A terminal's screen as a PNG: cells in DejaVu Sans Mono, frames and blocks drawn as geometry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from scripts.terminal.ansi import Cell, Colour, rows

_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
# which arms a frame's glyph has: left, up, right, down
_ARMS = {
    "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ur", "┘": "lu", "├": "urd", "┤": "lud",
    "┬": "lrd", "┴": "lur", "┼": "lurd", "╴": "l", "╵": "u", "╶": "r", "╷": "d",
    "━": "LR", "┃": "UD", "╸": "L", "╺": "R", "╹": "U", "╻": "D",
}  # fmt: skip
_ROUND = {"╭": "rd", "╮": "ld", "╰": "ur", "╯": "lu"}
# filled part of the cell: left, top, right, bottom in eighths
_BLOCKS = {
    **{char: (0, 8 - n, 8, 8) for n, char in enumerate("▁▂▃▄▅▆▇█", 1)},
    **{char: (0, 0, 8 - n, 8) for n, char in enumerate("▉▊▋▌▍▎▏", 1)},
    "▐": (4, 0, 8, 8), "▀": (0, 0, 8, 4), "▔": (0, 0, 8, 1), "▕": (7, 0, 8, 8),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """What a terminal shows where a program says nothing."""

    front: Colour = (214, 218, 224)
    back: Colour = (20, 23, 28)


class Painter:
    """Draws screens with glyphs of ``size`` pixels."""

    def __init__(self, size: int = 16, paper: Paper | None = None) -> None:
        """Raises: FileNotFoundError when DejaVu Sans Mono is not installed."""
        self._paper = paper or Paper()
        self._fonts = {
            bold: ImageFont.truetype(_font(f"DejaVuSansMono{'-Bold' if bold else ''}.ttf"), size)
            for bold in (False, True)
        }
        self._width = round(self._fonts[False].getlength("M"))
        ascent, descent = self._fonts[False].getmetrics()
        self._height = ascent + descent + 1
        self._line = max(1, size // 12)

    def save(self, screen: str, target: Path, columns: int) -> None:
        """Write the screen (lines with SGR sequences) as a PNG with a palette, which is small."""
        lines = list(rows(screen))
        size = (columns * self._width, len(lines) * self._height)
        image = Image.new("RGB", size, self._paper.back)
        pen = ImageDraw.Draw(image)
        for y, line in enumerate(lines):
            x = 0
            for cell in line:
                self._cell(pen, x * self._width, y * self._height, cell)
                x += cell.width
        # Octrees keep the few flat colours of a screen; the rest is the edges of glyphs.
        small = image.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        small.save(target, optimize=True)

    def _cell(self, pen: ImageDraw.ImageDraw, x: int, y: int, cell: Cell) -> None:
        look = cell.look
        front, back = look.front or self._paper.front, look.back or self._paper.back
        if look.reverse:
            front, back = back, front
        if look.dim:
            front = _between(front, back)
        right, bottom = x + cell.width * self._width, y + self._height
        pen.rectangle((x, y, right - 1, bottom - 1), fill=back)
        if cell.text in _ARMS:
            self._arms(pen, x, y, _ARMS[cell.text], front)
        elif cell.text in _ROUND:
            self._arc(pen, x, y, _ROUND[cell.text], front)
        elif cell.text in _BLOCKS:
            left, top, east, south = _BLOCKS[cell.text]
            box = (
                x + left * self._width // 8, y + top * self._height // 8,
                x + east * self._width // 8 - 1, y + south * self._height // 8 - 1,
            )  # fmt: skip
            if box[2] >= box[0] and box[3] >= box[1]:
                pen.rectangle(box, fill=front)
        elif cell.text.strip():
            pen.text((x, y), cell.text, font=self._fonts[look.bold], fill=front)
        if look.underline:
            pen.line((x, bottom - 2, right - 1, bottom - 2), fill=front, width=self._line)
        if look.strike:
            middle = (y + bottom) // 2
            pen.line((x, middle, right - 1, middle), fill=front, width=self._line)

    def _arms(self, pen: ImageDraw.ImageDraw, x: int, y: int, arms: str, colour: Colour) -> None:
        across, down = x + self._width // 2, y + self._height // 2
        for arm in arms:
            half = self._line if arm.isupper() else 0
            match arm.lower():
                case "l":
                    box = (x, down - half, across, down + half)
                case "r":
                    box = (across, down - half, x + self._width - 1, down + half)
                case "u":
                    box = (across - half, y, across + half, down)
                case _:
                    box = (across - half, down, across + half, y + self._height - 1)
            pen.rectangle(box, fill=colour)

    def _arc(self, pen: ImageDraw.ImageDraw, x: int, y: int, arms: str, colour: Colour) -> None:
        """A quarter circle that meets the two arms, straight parts where the cell is not square."""
        across, down = x + self._width // 2, y + self._height // 2
        east, south = "r" in arms, "d" in arms
        reach = self._width - self._width // 2 - 1 if east else self._width // 2
        centre_x = across + reach if east else across - reach
        centre_y = down + reach if south else down - reach
        box = (centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach)
        start = {(True, True): 180, (False, True): 270, (False, False): 0, (True, False): 90}
        begin = start[east, south]
        pen.arc(box, begin, begin + 90, fill=colour, width=self._line)
        if south:
            pen.rectangle((across, centre_y, across, y + self._height - 1), fill=colour)
        else:
            pen.rectangle((across, y, across, centre_y), fill=colour)


def _between(one: Colour, other: Colour) -> Colour:
    red, green, blue = ((a + b) // 2 for a, b in zip(one, other, strict=True))
    return red, green, blue


def _font(name: str) -> str:
    for base in _FONTS:
        for path in base.rglob(name):
            return str(path)
    raise FileNotFoundError(f"{name} is not installed (Debian: fonts-dejavu-core)")
