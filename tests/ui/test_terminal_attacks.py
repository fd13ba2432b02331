"""Hostile output: what the app writes to its own terminal is painted cells, and nothing else."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest

from banger_tui.widgets.terminal.core import ENGINE_VARIABLE
from scripts.terminal.program import program
from tests.ui import hostile_guest

PAYLOAD = b"cHduZWQ="  # "pwned"
ATTACKS: dict[str, bytes] = {
    "title": b"\x1b]0;pwned\x07\x1b]1;pwned\x07\x1b]2;pwned\x1b\\\x1bkpwned\x1b\\",
    "title pushed and reported": b"\x1b]2;; rm pwned\r\x07\x1b[22;0t\x1b[21t\x1b[20t\x1b[23;0t",
    "clipboard": b"\x1b]52;c;" + PAYLOAD + b"\x07\x1b]52;p;" + PAYLOAD + b"\x1b\\\x1b]52;c;?\x07",
    "clipboard for tmux": b"\x1bPtmux;\x1b\x1b]52;c;" + PAYLOAD + b"\x07\x1b\\",
    "clipboard for iTerm": b"\x1b]1337;CopyToClipboard=;pwned\x07\x1b]1337;Copy=:"
    + PAYLOAD
    + b"\x07",
    "clipboard for kitty": b"\x1b]5522;type=write\x07",
    "answerback": b"\x05\x1b[c\x1b[>c\x1b[=c\x1b[6n\x1b[5n\x1b[?6n\x1b[>q\x1b[?1;2y\x1bZ",
    "requests of settings": b'\x1bP$q"p\x1b\\\x1bP+q544e\x1b\\\x1b[?2026$p\x1b[18t\x1b[14t\x1b[?u',
    "colours asked": b"\x1b]10;?\x07\x1b]4;1;?\x07\x1b]12;?\x1b\\",
    "colours set": b"\x1b]11;#ff0000\x07\x1b]104\x07\x1b]12;red\x07",
    "notification": b"\x1b]9;pwned\x07\x1b]777;notify;pwned;pwned\x07\x1b]99;;pwned\x1b\\",
    "directory": b"\x1b]7;file:///pwned\x07\x1b]133;A\x07\x1b]633;E;pwned\x07",
    "link": b"\x1b]8;;file:///etc/pwned\x07link\x1b]8;;\x07\x1b]8;;javascript:pwned\x1b\\x\x1b]8;;\x1b\\",
    "file for iTerm": b"\x1b]1337;File=name=pwned;inline=1:" + PAYLOAD + b"\x07",
    "picture": b"\x1b_Ga=T,f=24,s=1,v=1,t=f;L2V0Yy9wYXNzd2Q=\x1b\\\x1bPq#0;2;0;0;0~~\x1b\\",
    "window": b"\x1b[3;0;0t\x1b[8;5;5t\x1b[2t\x1b[9;1t\x1b[?3h\x1b[?40h\x1b[!p",
    "printer": b"\x1b[5ipwned\x1b[4i\x1b[?5i",
    "keys defined": b'\x1bP1;1|17/70776e6564\x1b\\\x1b[0;59;"pwned";13p',
    "keyboard modes": b"\x1b[>31u\x1b[=31;1u\x1b[>4;2m\x1b=\x1b[?66h\x1b[?9001h",
    "mouse and focus modes": b"\x1b[?1000;1002;1003;1004;1005;1006;1015;1016;2004h",
    "screens": b"\x1b[?1049h\x1b[?47h\x1b[?1048h\x1b[?1047l",
    "eight-bit controls": b"\x9b31m\x9d0;pwned\x9c\x90q\x9c" + "\x9b2J\x9d0;pwned\x9c".encode(),
    "controls in a title": b"\x1b]0;a\x1b[31mb\rc\x07\x1b]2;\x9b31m\xe2\x80\xae\x07",
    "unended strings": b"\x1b]52;c;" + PAYLOAD * 20_000,
    "unended string, then text": b"\x1bP" + b"pwned" * 1000 + b"\x1b",
    "order reversed": "\u202epwned\u202d\u2066x\u2069\u200f\u061c".encode(),
    "invisible": "a\u200bb\u200cc\u2060d\ufeffe\u00adf\u034fg\u180eh\U000e0041i".encode(),
    "heap of accents": ("o" + "\u0301" * 5000).encode(),
    "line ends": "a\u2028b\u2029c\u0085d\x0be\x0cf".encode(),
    "broken utf-8": b"\xc3\x28\xed\xa0\x80\xf0\x9f\xff\xfe\xc0\xaf\xf4\x90\x80\x80",
    "tags and private use": "\U000f0000\ue000\U0010fffd\ufffe\U000e0001".encode(),
    "markup": b"[bold red on blue]pwned[/] [@click=app.quit]quit[/] [link=file:///pwned]x[/link]",
    "controls": bytes(range(0x1B)) + bytes(range(0x1C, 0x20)) + b"\x7f",
}

_PAINTING = re.compile(
    rb"\x1b\[(?:[0-9;:]*m"  # how cells look
    rb"|[0-9;]*[Hf]|[0-9]*[ABCDGd]"  # where they are
    rb"|\?25[hl]|\?2026[hl])"  # the app's own cursor and updates
)


def _strays(written: bytes) -> str:
    """What is in the output beside painted cells."""
    text = _PAINTING.sub(b"", written).decode()
    return "".join(
        c
        for c in text
        if c not in "\r\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )


def test_the_test_sees_strays() -> None:
    assert _strays(b"\x1b[1;31mtext\x1b[0m\x1b[2;3Hmore\x1b[?2026h") == ""
    for stray in (b"\x1b]0;t\x07", b"\x1b[2J", b"\x1b[c", "\u202e".encode(), b"\x05", b"\x1bPq"):
        assert _strays(b"\x1b[1m" + stray), stray


@pytest.mark.parametrize("engine", ["ghostty", "bittty"])
def test_attacks_reach_nothing_but_cells(engine: str, tmp_path: Path) -> None:
    attacks = tmp_path / "attacks"
    attacks.write_text("\n".join(attack.hex() for attack in ATTACKS.values()))
    argv = [sys.executable, hostile_guest.__file__, str(attacks)]
    env = {"PYTHONPATH": ":".join(sys.path), ENGINE_VARIABLE: engine}
    with program(argv, env=env, columns=100, rows=30) as app:
        app.until(b"ready", 60)
        app.quiet(0.5)
        for number, name in enumerate(ATTACKS, 1):
            app.write(b"g")
            _, written = app.until(b"%d done" % number, 60)
            strays = _strays(written)
            assert strays == "", (name, strays, written[-2000:])
            assert b"]52" not in written, name
