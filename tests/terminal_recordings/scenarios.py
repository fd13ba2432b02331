"""The programs that are recorded, and what is done in them."""

from __future__ import annotations

from dataclasses import dataclass

ENTER, ESCAPE = "\r", "\x1b"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
APPLICATION_DOWN = "\x1bOB"
PAGE_DOWN = "\x1b[6~"


@dataclass(frozen=True)
class Scenario:
    """A program in a directory of made-up files; a step is keys, or a new size."""

    name: str
    argv: list[str]
    steps: list[str | tuple[int, int]]


VIM = ["vim", "-u", "NONE", "-i", "NONE", "-n", "-N", "--cmd", "set t_u7= | syntax on"]
NOISE = (
    "for n in $(seq 1 60); do printf '\\033[3%dm%03d\\033[0m \\033[1mbold\\033[0m plain text of a"
    " line\\r\\n' $((n % 8)) $n; done;"
    " printf 'wide \\346\\274\\242\\345\\255\\227 e\\314\\201 \\r\\n';"
    " for n in 10 40 70 100; do printf '\\rprogress %3d%%' $n; done; printf '\\r\\n'; "
)

PROGRAMS: list[Scenario] = [
    Scenario(
        "vim",
        [*VIM, "program.py"],
        ["G", "o# one more line" + ESCAPE, "gg", ":set number" + ENTER, "/def" + ENTER, "ddp",
         ":split" + ENTER, "\x06", "ihello" + ESCAPE],
    ),
    Scenario("htop", ["htop", "-d", "100"], [DOWN, DOWN, "t", "/sh" + ENTER]),
    Scenario(
        "less",
        ["less", "-R", "-N", "colours.txt"],
        [" ", " ", "b", "/line 1[0-9]0" + ENTER, "n", "G", "gg", DOWN, DOWN],
    ),
    Scenario(
        "mc",
        ["mc", "-u", "--nomouse", "-X"],
        [APPLICATION_DOWN, APPLICATION_DOWN, "\x1b5", ESCAPE, "\t", APPLICATION_DOWN, "\x1b9"],
    ),
    Scenario(
        "tmux",
        ["tmux", "-f", "/dev/null", "-L", "recording", "new-session", "sh"],
        ["ls --color=always" + ENTER, '\x02"', "cat colours.txt | head -40" + ENTER, "\x02%",
         "echo right" + ENTER, "\x02o"],
    ),
    Scenario(
        "nano",
        ["nano", "-I", "-l", "program.py"],
        ["A new first line" + ENTER, DOWN, DOWN, "\x17def" + ENTER, "\x0b", PAGE_DOWN],
    ),
    Scenario(
        "fish",
        ["fish", "--no-config"],
        ["ls --color=always" + ENTER, "echo one two" + ENTER, "cat colours.txt" + ENTER,
         "git sta", "\x03", UP, UP, ENTER, "for i in (seq 3)" + ENTER, "echo $i; end"],
    ),
    Scenario("shell", ["sh", "-c", NOISE + "exec sh"], ["seq 1 50" + ENTER, "ls -C --color=always"
             + ENTER]),
]  # fmt: skip
