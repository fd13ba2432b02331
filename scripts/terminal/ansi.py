"""From text with SGR sequences to cells with colours (ECMA-48 8.3.117; as tmux writes them)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.cells import get_character_cell_size

Colour = tuple[int, int, int]
_SEQUENCE = re.compile(r"\x1b\[([0-9:;]*)m|\x1b\][^\x1b\x07]*(?:\x07|\x1b\\)|\x1b[()].|[\x0e\x0f]")
# xterm's first sixteen, toned down to sit beside the app's own colours
_BASE: tuple[Colour, ...] = (
    (27, 31, 38), (229, 103, 122), (95, 191, 119), (224, 168, 74),
    (88, 166, 214), (180, 142, 214), (86, 182, 194), (200, 205, 212),
    (98, 105, 117), (240, 130, 146), (125, 211, 146), (240, 193, 110),
    (122, 189, 232), (203, 170, 232), (116, 207, 218), (240, 243, 247),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """Colours are None where the terminal's own apply."""

    front: Colour | None = None
    back: Colour | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """``width`` columns of the screen; ``text`` may carry combining characters."""

    text: str
    width: int
    look: Look


def rows(screen: str) -> Iterator[list[Cell]]:
    """The cells of each line. A look holds until it is changed, also past the end of a line."""
    look = Look()
    for line in screen.splitlines():
        row: list[Cell] = []
        at = 0
        while at < len(line):
            if match := _SEQUENCE.match(line, at):
                if match[1] is not None:
                    look = applied(look, match[1])
                at = match.end()
                continue
            width = get_character_cell_size(line[at])
            if width == 0 and row:
                row[-1] = replace(row[-1], text=row[-1].text + line[at])
            else:
                row.append(Cell(line[at], max(1, width), look))
            at += 1
        yield row


def applied(look: Look, parameters: str) -> Look:
    """The look after one SGR sequence."""
    words = [word.replace(":", ";") for word in parameters.split(";")] if parameters else ["0"]
    numbers: list[list[int]] = [[int(n or 0) for n in word.split(";")] for word in words]
    while numbers:
        first, *rest = numbers.pop(0)
        match first:
            case 0:
                look = Look()
            case 1:
                look = replace(look, bold=True)
            case 2:
                look = replace(look, dim=True)
            case 3:
                look = replace(look, italic=True)
            case 4:
                look = replace(look, underline=rest != [0])
            case 7:
                look = replace(look, reverse=True)
            case 9:
                look = replace(look, strike=True)
            case 22:
                look = replace(look, bold=False, dim=False)
            case 23:
                look = replace(look, italic=False)
            case 24:
                look = replace(look, underline=False)
            case 27:
                look = replace(look, reverse=False)
            case 29:
                look = replace(look, strike=False)
            case 39:
                look = replace(look, front=None)
            case 49:
                look = replace(look, back=None)
            case 38 | 48 | 58:
                colour = _extended(rest or _take(numbers))
                if first == 38:
                    look = replace(look, front=colour)
                elif first == 48:
                    look = replace(look, back=colour)
            case _ if 30 <= first <= 37:
                look = replace(look, front=_BASE[first - 30])
            case _ if 40 <= first <= 47:
                look = replace(look, back=_BASE[first - 40])
            case _ if 90 <= first <= 97:
                look = replace(look, front=_BASE[first - 82])
            case _ if 100 <= first <= 107:
                look = replace(look, back=_BASE[first - 92])
    return look


def _take(numbers: list[list[int]]) -> list[int]:
    """The arguments of an extended colour that are separated by semicolons."""
    count = 4 if numbers and numbers[0] == [2] else 2
    taken = [word[0] for word in numbers[:count]]
    del numbers[:count]
    return taken


def _extended(words: list[int]) -> Colour | None:
    if words[:1] == [2] and len(words) >= 4:
        red, green, blue = words[-3:]
        return red, green, blue
    if words[:1] == [5] and len(words) == 2:
        return _indexed(words[1])
    return None


def _indexed(index: int) -> Colour:
    """xterm's 256 colours: 16 named, a cube of 6x6x6, 24 greys."""
    if index < 16:
        return _BASE[index]
    if index < 232:
        steps = (0, 95, 135, 175, 215, 255)
        index -= 16
        return steps[index // 36], steps[index // 6 % 6], steps[index % 6]
    grey = 8 + 10 * (index - 232)
    return grey, grey, grey
