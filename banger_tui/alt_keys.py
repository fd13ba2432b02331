"""Alt with any key: what Textual's parser of the terminal's input forgets.

Escape and then ``:``, typed as quickly as people leave vim's insert mode, comes as alt with that
key. Textual (8.2, ``XTermParser._sequence_to_key_events``) reports alt with letters alone; of
punctuation it loses the escape, and it takes some for other keys (alt+f for ctrl+right, alt+1 for
an exclamation mark turned over). A guest must get what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual._xterm_parser import XTermParser
from textual.events import Key

_Parse = Callable[..., Iterable[Key]]
_ESCAPE = "\x1b"
#: What begins a longer sequence after an escape (ECMA-48): these are keys only on their own.
_INTRODUCERS = frozenset("[O]PX^_")


def install() -> None:
    """Have alt reported with every key; once for the process."""
    parse: _Parse = XTermParser._sequence_to_key_events
    if getattr(parse, "knows_alt", False):
        return

    def with_alt(self: XTermParser, sequence: str, alt: bool = False) -> Iterable[Key]:
        if len(sequence) == 2 and sequence[0] == _ESCAPE and sequence[1] not in _INTRODUCERS:
            sequence, alt = sequence[1], True
        for event in parse(self, sequence, alt=alt):
            if alt and not event.key.startswith("alt+"):
                yield Key(f"alt+{event.key}", event.character)
            else:
                yield event

    with_alt.knows_alt = True  # type: ignore[attr-defined]
    XTermParser._sequence_to_key_events = with_alt  # type: ignore[method-assign]
