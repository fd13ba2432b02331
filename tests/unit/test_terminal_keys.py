"""Keys, pastes and mouse events as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banger_tui.widgets.terminal.core import Modes, Mouse, MouseFormat
from banger_tui.widgets.terminal.keys import WHEEL_UP, encode_key, encode_mouse, encode_paste

NORMAL = Modes()
APPLICATION = Modes(application_cursor=True)
BRACKETED = Modes(bracketed_paste=True)

TABLE = [
    # key, character, bytes
    ("a", "a", b"a"),
    ("A", "A", b"A"),
    ("é", "é", "é".encode()),
    ("漢", "漢", "漢".encode()),
    ("plus", "+", b"+"),
    ("+", "+", b"+"),
    ("space", " ", b" "),
    ("full_stop", ".", b"."),
    ("slash", "/", b"/"),
    ("enter", "\r", b"\r"),
    ("ctrl+j", None, b"\n"),
    ("tab", "\t", b"\t"),
    ("shift+tab", None, b"\x1b[Z"),
    ("escape", "\x1b", b"\x1b"),
    ("backspace", "\x7f", b"\x7f"),
    ("backspace", "\x08", b"\x7f"),
    ("alt+backspace", None, b"\x1b\x7f"),
    ("ctrl+backspace", None, b"\x08"),
    ("shift+enter", None, b"\r"),
    ("alt+enter", None, b"\x1b\r"),
    ("ctrl+a", "\x01", b"\x01"),
    ("ctrl+c", "\x03", b"\x03"),
    ("ctrl+c", None, b"\x03"),
    ("ctrl+z", "\x1a", b"\x1a"),
    ("ctrl+shift+c", None, b"\x03"),
    ("ctrl+@", "\x00", b"\x00"),
    ("ctrl+space", None, b"\x00"),
    ("ctrl+left_square_bracket", None, b"\x1b"),
    ("ctrl+backslash", "\x1c", b"\x1c"),
    ("ctrl+right_square_bracket", "\x1d", b"\x1d"),
    ("ctrl+circumflex_accent", "\x1e", b"\x1e"),
    ("ctrl+underscore", "\x1f", b"\x1f"),
    ("ctrl+slash", None, b"\x1f"),
    ("ctrl+question_mark", None, b"\x7f"),
    ("alt+a", "a", b"\x1ba"),
    ("alt+shift+a", "A", b"\x1bA"),
    ("alt+full_stop", None, b"\x1b."),
    ("alt+ctrl+e", None, b"\x1b\x05"),
    ("meta+x", None, b"\x1bx"),
    ("super+x", None, b""),
    ("up", None, b"\x1b[A"),
    ("down", None, b"\x1b[B"),
    ("right", None, b"\x1b[C"),
    ("left", None, b"\x1b[D"),
    ("home", None, b"\x1b[H"),
    ("end", None, b"\x1b[F"),
    ("shift+up", None, b"\x1b[1;2A"),
    ("alt+left", None, b"\x1b[1;3D"),
    ("ctrl+right", None, b"\x1b[1;5C"),
    ("ctrl+shift+end", None, b"\x1b[1;6F"),
    ("alt+ctrl+shift+home", None, b"\x1b[1;8H"),
    ("insert", None, b"\x1b[2~"),
    ("delete", None, b"\x1b[3~"),
    ("pageup", None, b"\x1b[5~"),
    ("pagedown", None, b"\x1b[6~"),
    ("ctrl+delete", None, b"\x1b[3;5~"),
    ("f1", None, b"\x1bOP"),
    ("f4", None, b"\x1bOS"),
    ("f5", None, b"\x1b[15~"),
    ("f10", None, b"\x1b[21~"),
    ("f11", None, b"\x1b[23~"),
    ("f12", None, b"\x1b[24~"),
    ("shift+f1", None, b"\x1b[1;2P"),
    ("ctrl+f5", None, b"\x1b[15;5~"),
    ("left_shift", None, b""),
    ("caps_lock", None, b""),
    ("<ignore>", "\x1b[?1u", b""),
]


@pytest.mark.parametrize(("key", "character", "expected"), TABLE)
def test_key(key: str, character: str | None, expected: bytes) -> None:
    assert encode_key(key, character, NORMAL) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("up", b"\x1bOA"),
        ("left", b"\x1bOD"),
        ("home", b"\x1bOH"),
        ("end", b"\x1bOF"),
        ("ctrl+up", b"\x1b[1;5A"),
        ("pageup", b"\x1b[5~"),
    ],
)
def test_application_cursor_keys(key: str, expected: bytes) -> None:
    assert encode_key(key, None, APPLICATION) == expected


KITTY = [
    ("a", "a", b"a"),
    ("A", "A", b"A"),
    ("escape", "\x1b", b"\x1b[27u"),
    ("alt+escape", None, b"\x1b[27;3u"),
    ("enter", "\r", b"\r"),
    ("tab", "\t", b"\t"),
    ("backspace", "\x7f", b"\x7f"),
    ("shift+enter", None, b"\x1b[13;2u"),
    ("ctrl+enter", None, b"\x1b[13;5u"),
    ("shift+tab", None, b"\x1b[9;2u"),
    ("alt+backspace", None, b"\x1b[127;3u"),
    ("ctrl+i", None, b"\x1b[105;5u"),
    ("ctrl+c", "\x03", b"\x1b[99;5u"),
    ("ctrl+shift+c", None, b"\x1b[99;6u"),
    ("alt+a", "a", b"\x1b[97;3u"),
    ("alt+A", "A", b"\x1b[97;4u"),
    ("alt+shift+a", "A", b"\x1b[97;4u"),
    ("ctrl+left_square_bracket", None, b"\x1b[91;5u"),
    ("ctrl+space", None, b"\x1b[32;5u"),
    ("super+x", None, b"\x1b[120;9u"),
    ("space", " ", b" "),
    ("full_stop", ".", b"."),
    ("up", None, b"\x1b[A"),
    ("ctrl+right", None, b"\x1b[1;5C"),
    ("home", None, b"\x1b[H"),
    ("f1", None, b"\x1b[P"),
    ("f3", None, b"\x1b[13~"),
    ("ctrl+f3", None, b"\x1b[13;5~"),
    ("f5", None, b"\x1b[15~"),
    ("f13", None, b"\x1b[57376u"),
    ("delete", None, b"\x1b[3~"),
    ("shift+pageup", None, b"\x1b[5;2~"),
    ("left_shift", None, b""),
]


@pytest.mark.parametrize(("key", "character", "expected"), KITTY)
def test_kitty_keyboard(key: str, character: str | None, expected: bytes) -> None:
    modes = Modes(kitty_keyboard=1, application_cursor=True)
    assert encode_key(key, character, modes) == expected


def test_keypad() -> None:
    application = Modes(application_keypad=True)
    assert encode_key("add", None, NORMAL) == b"+"
    assert encode_key("add", None, application) == b"\x1bOk"
    assert encode_key("divide", None, application) == b"\x1bOo"
    assert encode_key("equal", None, application) == b"\x1bOX"
    assert encode_key("kp_begin", None, NORMAL) == b"\x1b[E"


def test_every_ctrl_letter() -> None:
    for code in range(1, 27):
        assert encode_key(f"ctrl+{chr(code + 96)}", None, NORMAL) == bytes((code,))


def test_paste_plain_and_bracketed() -> None:
    assert encode_paste("a\r\nb\nc\td", NORMAL) == b"a\rb\rc\td"
    assert encode_paste("a\nb", BRACKETED) == b"\x1b[200~a\rb\x1b[201~"
    assert encode_paste("", BRACKETED) == b""


@pytest.mark.parametrize(
    "evil",
    [
        "x\x1b[201~rm -rf /\r",
        "x\x1b[20\x1b[201~1~rm\r",
        "x\x1b\x1b[201~[201~rm\r",
        "x\x9b201~rm\r",
        "x\x00\x1b\x00[201~rm\r",
    ],
)
def test_paste_cannot_leave_its_brackets(evil: str) -> None:
    data = encode_paste(evil, BRACKETED)
    assert data.startswith(b"\x1b[200~x")
    assert data.endswith(b"\x1b[201~")
    inner = data[6:-6]
    assert b"\x1b" not in inner
    assert "\x9b" not in inner.decode()


@given(st.text())
def test_paste_never_presses_keys(text: str) -> None:
    inner = encode_paste(text, NORMAL).decode()
    assert not {c for c in inner if ord(c) < 32 or 127 <= ord(c) < 160} - {"\t", "\r"}


@given(st.text(max_size=30), st.none() | st.text(min_size=1, max_size=2), st.booleans())
def test_any_key_name_is_encoded_without_error(
    key: str, character: str | None, application: bool
) -> None:
    assert isinstance(
        encode_key(
            key, character, Modes(application_cursor=application, kitty_keyboard=int(application))
        ),
        bytes,
    )


def test_mouse_levels_and_encodings() -> None:
    off = Modes()
    buttons = Modes(mouse=Mouse.BUTTONS, mouse_format=MouseFormat.SGR)
    drag = Modes(mouse=Mouse.DRAG, mouse_format=MouseFormat.SGR)
    motion = Modes(mouse=Mouse.MOTION, mouse_format=MouseFormat.SGR)
    legacy = Modes(mouse=Mouse.BUTTONS)
    assert encode_mouse(0, 3, 4, off, pressed=True) == b""
    assert encode_mouse(0, 3, 4, buttons, pressed=True) == b"\x1b[<0;4;5M"
    assert encode_mouse(2, 3, 4, buttons, pressed=False) == b"\x1b[<2;4;5m"
    assert encode_mouse(WHEEL_UP, 0, 0, buttons, pressed=True) == b"\x1b[<64;1;1M"
    assert encode_mouse(0, 1, 1, buttons, pressed=True, ctrl=True) == b"\x1b[<16;2;2M"
    assert encode_mouse(0, 1, 1, buttons, pressed=True, motion=True) == b""
    assert encode_mouse(0, 1, 1, drag, pressed=True, motion=True) == b"\x1b[<32;2;2M"
    assert encode_mouse(3, 1, 1, drag, pressed=True, motion=True) == b""
    assert encode_mouse(3, 1, 1, motion, pressed=True, motion=True) == b"\x1b[<35;2;2M"
    assert encode_mouse(0, 0, 0, legacy, pressed=True) == b"\x1b[M !!"
    assert encode_mouse(0, 0, 0, legacy, pressed=False) == b"\x1b[M#!!"
    assert encode_mouse(0, 300, 0, legacy, pressed=True) == b""
    wide = Modes(mouse=Mouse.BUTTONS, mouse_format=MouseFormat.UTF8)
    assert encode_mouse(0, 300, 0, wide, pressed=True) == "\x1b[M \u014d!".encode()
    urxvt = Modes(mouse=Mouse.BUTTONS, mouse_format=MouseFormat.URXVT)
    assert encode_mouse(0, 300, 0, urxvt, pressed=True) == b"\x1b[32;301;1M"
    assert encode_mouse(0, 300, 0, urxvt, pressed=False) == b"\x1b[35;301;1M"
    pixels = Modes(mouse=Mouse.BUTTONS, mouse_format=MouseFormat.SGR_PIXELS)
    assert encode_mouse(0, 2, 1, pixels, pressed=True) == b"\x1b[<0;21;25M"
    nine = Modes(mouse=Mouse.PRESS)
    assert encode_mouse(0, 1, 1, nine, pressed=True, ctrl=True) == b'\x1b[M ""'
    assert encode_mouse(0, 1, 1, nine, pressed=False) == b""
    assert encode_mouse(0, 300, 0, buttons, pressed=True) == b"\x1b[<0;301;1M"
