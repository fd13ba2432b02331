"""Keys typed right behind an escape reach the guest as what they are: escape, and the key."""

from __future__ import annotations

import string
import time

import pytest
from textual import constants
from textual._xterm_parser import XTermParser
from textual.events import Key

from banger_tui import alt_keys
from banger_tui.widgets.terminal.core import Modes
from banger_tui.widgets.terminal.keys import encode_key


def typed(text: str) -> bytes:
    """What a guest gets of input that came at once."""
    parser = XTermParser(debug=False)
    events = [*parser.feed(text)]
    if not events:
        time.sleep(constants.ESCAPE_DELAY + 0.05)  # then the parser stops waiting for more
        events += parser.tick() or []
    keys = [event for event in events if isinstance(event, Key)]
    return b"".join(encode_key(key.key, key.character, Modes()) for key in keys)


@pytest.mark.parametrize("key", sorted(set(string.printable) - set("[O]PX^_\r\n\t\x0b\x0c")))
def test_escape_and_a_key(key: str) -> None:
    alt_keys.install()
    assert typed(f"\x1b{key}") == f"\x1b{key}".encode()


def test_leaving_vim_in_a_hurry() -> None:
    alt_keys.install()
    assert typed("text\x1b:wq\r") == b"text\x1b:wq\r"
    assert typed("\x1b/word\r") == b"\x1b/word\r"


def test_alt_with_keys_that_print_nothing() -> None:
    alt_keys.install()
    assert typed("\x1b\x7f") == b"\x1b\x7f"  # a shell deletes a word
    assert typed("\x1b\r") == b"\x1b\r"


@pytest.mark.parametrize("keys", ["\x1b[A", "\x1bOP", "\x1b[1;5C", "\x1b", "\x1b\x1b[A", "\x1b[3~"])
def test_other_sequences_are_as_before(keys: str) -> None:
    alt_keys.install()
    assert typed(keys) == keys.encode()


def test_it_is_installed_once() -> None:
    alt_keys.install()
    before = XTermParser._sequence_to_key_events
    alt_keys.install()
    assert XTermParser._sequence_to_key_events is before
