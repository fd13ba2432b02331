"""Addresses behind text, and texts for the clipboard."""

from __future__ import annotations

import base64

import pytest

from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import Attr, CellStyle, VtCore
from banger_tui.widgets.terminal.links import safe_link


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://example.org/a?b=c#d", True),
        ("HTTP://example.org", True),
        ("ftp://example.org/file", True),
        ("mailto:somebody@example.org", True),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("vscode://x/y", False),
        ("ssh://host", False),
        ("-version", False),
        ("http://", False),
        ("http:///etc/passwd", False),
        ("http://a b", False),
        ("http://a\x1b]52;c;eA==\x07", False),
        ("http://a\nb", False),
        ("http://exаmple.org", False),
        ("http://example.org/" + "x" * core.MAX_LINK_CHARS, False),
        ("", False),
    ],
)
def test_which_addresses_are_offered(address: str, kept: bool) -> None:
    assert safe_link(address) == (address if kept else "")


def test_the_address_behind_a_cell(vt: VtCore) -> None:
    vt.feed(
        "ab\x1b]8;id=1;https://example.org/x\x1b\\漢字\x1b]8;;\x07 c"
        "\x1b]8;;file:///etc/passwd\x07bad\x1b]8;;\x07".encode()
    )
    address = "https://example.org/x"
    assert [vt.link_at(x, 0) for x in range(8)] == ["", "", *[address] * 4, "", ""]
    assert {vt.link_at(x, 0) for x in range(8, 12)} == {""}
    for x, y in [(-1, 0), (0, -1), (80, 0), (0, 24), (999, 999)]:
        assert vt.link_at(x, y) == ""
    vt.feed(b"\r\n" * 30)
    assert vt.link_at(2, 0) == ""
    vt.scroll_to_top()
    assert vt.link_at(2, 0) == address


def test_links_can_be_seen(vt: VtCore) -> None:
    vt.feed("a \x1b]8;;https://example.org\x07li\x1b[1;44mnk漢\x1b[m\x1b]8;;\x07 b".encode())
    row = dict(vt.take_dirty())[0]
    linked = "".join(run.text for run in row if run.style.attrs & Attr.LINK)
    assert linked == "link漢"
    bold = {run.style for run in row if run.text in ("nk", "漢")}
    assert bold == {CellStyle(bg=4, attrs=Attr.BOLD | Attr.LINK)}


def osc52(text: bytes, selection: bytes = b"c") -> bytes:
    return b"\x1b]52;" + selection + b";" + base64.b64encode(text) + b"\x07"


def test_texts_for_the_clipboard(vt: VtCore) -> None:
    assert vt.take_clipboard() == []
    vt.feed(osc52("häl\r\nlo".encode()) + b"text" + osc52(b"two"))
    assert vt.take_clipboard() == ["häl\nlo", "two"]
    assert vt.take_clipboard() == []
    assert vt.lines()[0] == "text"


def test_the_clipboard_is_never_told(vt: VtCore) -> None:
    vt.feed(osc52(b"secret") + b"\x1b]52;c;?\x07\x1b]52;c;?\x1b\\")
    assert vt.take_replies() == b""


def test_texts_are_few_short_and_without_controls(vt: VtCore) -> None:
    for n in range(20):
        vt.feed(osc52(b"text %d" % n))
    assert vt.take_clipboard() == [f"text {n}" for n in range(20 - core.MAX_CLIPBOARDS, 20)]
    vt.feed(osc52(b"a\x1b]0;x\x07\x00\x7f\xc2\x9bb\tc\n"))
    assert vt.take_clipboard() == ["a]0;xb\tc\n"]
    long = osc52(b"x" * (core.MAX_CLIPBOARD_BYTES + 10))
    for start in range(0, len(long), vt.slice_bytes):
        vt.feed(long[start : start + vt.slice_bytes])
    assert all(len(text) <= core.MAX_CLIPBOARD_BYTES for text in vt.take_clipboard())
    vt.feed(b"\x1b]52;c;!!not base64!!\x07\x1b]52;c;\x07\x1b]52\x07\x1b]52;;\x07")
    assert all(text.isprintable() for text in vt.take_clipboard())
