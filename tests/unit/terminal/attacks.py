"""What a hostile guest may print, by name: data for tests of the core and of the whole app.

Each attack carries the marker where it can, so that a test can look for it wherever it must not be:
in what is typed back to the guest, in the bytes the app writes to its own terminal other than as
plain text, on the host's clipboard.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

MARKER = "gotcha"
COMMAND = f"touch /tmp/{MARKER}\r"
_B64 = base64.b64encode(f"{COMMAND}\n".encode()).decode()
_HEX = MARKER.encode().hex()


@dataclass(frozen=True)
class Attack:
    """Bytes from a guest that must do nothing on the host."""

    name: str
    data: bytes


def _attack(name: str, text: str) -> Attack:
    return Attack(name, text.encode("latin-1"))


ATTACKS: list[Attack] = [
    # The clipboard of the host: writes only by leave of the person, reads never.
    _attack("clipboard write", f"\x1b]52;c;{_B64}\x07"),
    _attack("clipboard write, every selection", f"\x1b]52;cpqs01234567;{_B64}\x1b\\"),
    _attack("clipboard write, eight-bit", f"\x9d52;c;{_B64}\x9c"),
    _attack("clipboard read", "\x1b]52;c;?\x07"),
    _attack("clipboard write and read back", f"\x1b]52;c;{_B64}\x07\x1b]52;c;?\x07"),
    _attack("clipboard clear", "\x1b]52;c;!\x07"),
    _attack("clipboard, kitty's", f"\x1b]5522;type=write;{_B64}\x1b\\"),
    _attack("clipboard read, kitty's", "\x1b]5522;type=read;Lg==\x1b\\"),
    _attack("clipboard through tmux", f"\x1bPtmux;\x1b\x1b]52;c;{_B64}\x07\x1b\\"),
    _attack("clipboard through screen", f"\x1bP\x1b]52;c;{_B64}\x07\x1b\\"),
    _attack("clipboard, iTerm's", f"\x1b]1337;Copy=:{_B64}\x07"),
    # The title: set freely, never reported, never with controls inside.
    _attack("title and its report", f"\x1b]0;{COMMAND}\x07\x1b[21t"),
    _attack("icon title and its report", f"\x1b]1;{COMMAND}\x07\x1b[20t"),
    _attack("title stack", f"\x1b]2;{COMMAND}\x07\x1b[22;0t\x1b[23;0t\x1b[21t"),
    _attack("title in hexadecimal", f"\x1b[>0;1t\x1b]2;{_HEX}\x07\x1b[21t"),
    _attack("title with a sequence inside", f"\x1b]0;a\x1b]52;c;{_B64}\x07b\x07\x1b[21t"),
    _attack("title with eight-bit controls", f"\x1b]0;a\x9d52;c;{_B64}\x9cb\x07"),
    _attack("title that moves text", "\x1b]0;\xe2\x80\xae" + MARKER + "\xe2\x81\xa6\x07"),
    _attack("title without an end", "\x1b]0;" + MARKER * 50_000),
    _attack("tmux title", f"\x1bk{COMMAND}\x1b\\\x1b[21t"),
    # Answers: whatever is asked, the answer is no line and holds nothing the guest chose.
    _attack("answerback", "\x05"),
    _attack("answerback set and asked", f"\x1bP1v{_HEX}\x1b\\\x05"),
    _attack("status string of the guest's", f"\x1bP$q{COMMAND}\x1b\\"),
    _attack("status string of colours", f'\x1bP$q"p\x1b\\\x1bP$qm\x1b\\\x1bP$q{MARKER}m\x1b\\'),
    _attack("terminfo string", f"\x1bP+q{_HEX}\x1b\\\x1bP+p{_HEX}\x1b\\\x1bP+q{_HEX}\x1b\\"),
    _attack("key programmed and reported", f"\x1bP1;1|17/{_HEX}\x1b\\\x1b[?26n"),
    _attack("macro that types", f"\x1bP1;0;0!z{COMMAND}\x1b[5n\x1b\\\x1b[1*z"),
    _attack("checksum of the screen", f"{MARKER}\x1b[1;1;1;1;1;9*y"),
    _attack("screen read as text", f"{MARKER}\x1b[?1;1;1;80'|\x1b[i\x1b[5i{COMMAND}\x1b[4i"),
    _attack("working directory", f"\x1b]7;file://host/{MARKER}\x07\x1b]7;?\x07"),
    _attack("colours set to text and asked", f"\x1b]10;{MARKER}\x07\x1b]10;?\x07\x1b]11;?\x07"),
    _attack("palette asked", "".join(f"\x1b]4;{n};?\x07" for n in range(256))),
    _attack("kitty colours", f"\x1b]21;{MARKER}=?;foreground=?\x1b\\"),
    _attack("font asked", f"\x1b]50;{COMMAND}\x07\x1b]50;?\x07"),
    _attack("notification that answers", f"\x1b]99;i={MARKER}:p=?;{COMMAND}\x1b\\"),
    _attack("terminal parameters", "\x1b[x\x1b[1x\x1b[0c\x1b[>c\x1b[=c\x1b[>q\x1b[?6n\x1b[6n"),
    _attack("locator", "\x1b[1'z\x1b[1'{\x1b['|"),
    _attack("user preferred charset, tab stops, cursor", "\x1b[&u\x1b[1$w\x1b[2$w"),
    # Files, programs and printers of the host.
    _attack("image from a file", "\x1b_Ga=T,f=100,t=f;L2V0Yy9wYXNzd2Q=\x1b\\"),
    _attack("image from shared memory", "\x1b_Ga=q,i=31,s=1,v=1,t=s;AAAA\x1b\\"),
    _attack("image, iTerm's, downloaded", f"\x1b]1337;File=name={_B64};inline=0:{_B64}\x07"),
    _attack("program started", f"\x1b]9;9;{COMMAND}\x07\x1b]777;notify;{MARKER};{COMMAND}\x07"),
    _attack("link to a file", f"\x1b]8;;file:///etc/{MARKER}\x07link\x1b]8;;\x07"),
    _attack("link to a program", f"\x1b]8;;javascript:{MARKER}\x07link\x1b]8;;\x07"),
    _attack("link with controls", f"\x1b]8;;http://a/\x9d52;c;{_B64}\x9c\x07link\x1b]8;;\x07"),
    _attack("link without an end", "\x1b]8;;http://" + MARKER * 50_000),
    _attack("log to a file", f"\x1b]46;/tmp/{MARKER}\x07\x1b[?46h"),
    # The host's screen.
    _attack("window moved and resized", "\x1b[8;200;300t\x1b[3;0;0t\x1b[4;9;9t\x1b[9;1t\x1b[2t"),
    _attack("columns switched", "\x1b[?40h\x1b[?3h\x1b[?3l"),
    _attack("reset of everything", "\x1bc\x1b[!p\x1b[?1049h\x1b[?47h\x1b[?1047h"),
    _attack("controls as characters", "\x80\x84\x85\x8d\x90\x98\x9b2J\x9d0;x\x9e\x9f\xff\x00"),
    _attack("text that runs backwards", f"\xe2\x80\xae{MARKER}\xe2\x81\xa6\xe2\x80\x8f"),
    _attack("line separators", "a\xe2\x80\xa8b\xe2\x80\xa9c\xc2\x85d\xef\xbb\xbf"),
    # Floods, each of which once filled somebody's memory or time.
    _attack("string without an end", "\x1bP" + "q" * 300_000),
    _attack("application string without an end", "\x1b_G" + "A" * 300_000),
    _attack("parameters without an end", "\x1b[" + "9;" * 100_000 + "m"),
    _attack("large numbers", "\x1b[99999999999999999999A\x1b[4294967295b\x1b[2147483647;2147H"),
    _attack("repeat", "x\x1b[999999b" * 30),
    _attack("accents without an end", "e" + "\xcc\x81" * 100_000),
    _attack("questions without an end", "\x1b[c\x1b[6n\x1b[?2026$p" * 20_000),
    _attack("bells", "\x07" * 50_000),
    _attack("scrolls", "\x1b[999S\x1b[999T\x1b[999L\x1b[999M" * 500),
    _attack("stacks", "\x1b[>1u\x1b[22;0t\x1b[#{\x1b7\x1b[#P" * 5_000),
    _attack("synchronised for ever", "\x1b[?2026h" + MARKER),
    _attack("alternate screens", "\x1b[?1049h\x1b[?1049l" * 2_000),
]  # fmt: skip
