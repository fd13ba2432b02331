"""From a spec to what the guest is told."""

from __future__ import annotations

import shlex

import pytest

from banger_tui.engine.errors import InvalidInput, InvalidName
from banger_tui.engine.model import SessionMode, SessionSpec
from banger_tui.engine.sessions.launch import LEAST_KEPT, message, validate, wanted_name

PIPE = SessionMode.PIPE


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        ((), "shell"),
        (("/usr/bin/make", "-j8"), "make"),
        (("./Build Script.SH",), "build-script-sh"),
        (("---",), "session"),
        (("/",), "session"),
        (("ünicode",), "nicode"),
        (("x" * 80,), "x" * 28),
    ],
)
def test_a_name_is_made_of_the_command(argv: tuple[str, ...], name: str) -> None:
    assert wanted_name(SessionSpec(argv)) == (name, "any")
    validate(SessionSpec(argv, f"{name}-999"))


def test_a_given_name_is_kept() -> None:
    assert wanted_name(SessionSpec(("sh",), "mine")) == ("mine", "own")


@pytest.mark.parametrize("name", ["", "Shell", "-a", "_a", "a" * 33, "a b", "a/b", "a\n", "é"])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        validate(SessionSpec(("sh",), name))


@pytest.mark.parametrize(
    "spec",
    [
        SessionSpec(mode=PIPE),
        SessionSpec(("",)),
        SessionSpec(("a\0b",)),
        SessionSpec(("sh",), cwd="here"),
        SessionSpec(("sh",), cwd=""),
        SessionSpec(("sh",), user=""),
        SessionSpec(("sh",), user="--check"),
        SessionSpec(("sh",), env=(("1A", "x"),)),
        SessionSpec(("sh",), env=(("A B", "x"),)),
        SessionSpec(("sh",), env=(("A", "\0"),)),
        SessionSpec(("sh",), keep_bytes=LEAST_KEPT - 1),
    ],
)
def test_what_makes_no_sense_is_refused(spec: SessionSpec) -> None:
    with pytest.raises(InvalidInput):
        validate(spec)


def test_the_message_is_a_word_a_command_for_a_shell_and_its_end() -> None:
    argv = ("sh", "-c", "echo 'a'\n#end", "--", "")
    spec = SessionSpec(argv, cwd="/srv", env=(("A", "b c"),), user="web")
    data = message(spec)
    first, _, rest = data.decode().partition("\n")
    assert " " not in first
    text, _, tail = rest.rpartition("\n#end\n")
    assert tail == ""
    words = ["--user", "web", "--directory", "/srv", "--env", "A=b c", "--", *argv]
    assert shlex.split(text) == ["set", "--", *words]


def test_a_shell_is_asked_for_as_one() -> None:
    assert b"\nset -- --shell --\n" in message(SessionSpec())


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidInput):
        message(SessionSpec(("x" * (2 << 20),)))
