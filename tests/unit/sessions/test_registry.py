"""What a guest says of its sessions is read with distrust."""

from __future__ import annotations

import base64
import json

import pytest

from banger_tui.engine.errors import GuestFailure
from banger_tui.engine.model import SessionMode, SessionSpec, SessionState
from banger_tui.engine.sessions.registry import describe, parse
from tests.unit.sessions.records import VM

RUNNING = "s job pipe running - 1700000000 - 42 7 waits 2 app:1 {spec}"


def spec_of(**known: object) -> str:
    return base64.b64encode(json.dumps(known).encode()).decode()


def said(*lines: str) -> bytes:
    return "\n".join([*lines, "end", ""]).encode()


def test_a_session_is_read() -> None:
    spec = SessionSpec(("sh", "-c", "true"), cwd="/srv", user="web:web")
    [view] = parse(
        said(
            RUNNING.format(spec=describe(spec)),
            "f /.banger/sessions/job/out.000000000001000 50",
            "f /.banger/sessions/job/out.000000000002000 70",
            "f /.banger/sessions/job/err.000000000000000 5",
            "t job a title",
        ),
        VM,
    )
    assert (view.vm_id, view.vm_name, view.name) == (VM.id, VM.name, "job")
    assert (view.mode, view.state) == (SessionMode.PIPE, SessionState.RUNNING)
    assert (view.argv, view.cwd, view.user) == (("sh", "-c", "true"), "/srv", "web:web")
    assert (view.out_bytes, view.err_bytes, view.in_bytes) == (2070, 5, 7)
    assert view.kept == (1000, 0)
    assert (view.viewers, view.writer, view.waiting, view.pid) == (2, "app:1", True, 42)
    assert view.title == "a title"


def test_an_end_is_read_and_a_lost_one_has_none() -> None:
    gone, lost = parse(
        said(
            "s gone pty exited 137 1700000000 1700000060 42 0 - 0 - -",
            "s lost pty lost - 1700000000 - - 0 - 0 - -",
        ),
        VM,
    )
    assert (gone.exit_code, gone.ended, gone.state) == (137, 1700000060.0, SessionState.EXITED)
    assert (lost.exit_code, lost.ended, lost.pid) == (None, None, None)
    assert lost.state is SessionState.LOST


def test_a_terminals_line_ends_are_no_matter() -> None:
    text = said(RUNNING.format(spec="-")).replace(b"\n", b"\r\n")
    assert [view.name for view in parse(text, VM)] == ["job"]


def test_no_control_character_comes_through() -> None:
    evil = "a\x1b]52;c;eA==\x07b\x9b2J\u202ec\nd"
    [view] = parse(
        said(
            RUNNING.format(spec=spec_of(argv=["sh", evil], cwd=evil, user=evil)),
            f"t job {evil.replace(chr(10), ' ')}",
        ),
        VM,
    )
    for text in (*view.argv, view.cwd, view.user, view.title):
        assert text.isprintable(), repr(text)


@pytest.mark.parametrize(
    "spec",
    ["-", "!!!", "aGVsbG8=", spec_of(argv="sh", cwd=7, user=None), spec_of(argv=[1, None])],
)
def test_a_spec_that_says_nothing_is_no_harm(spec: str) -> None:
    [view] = parse(said(RUNNING.format(spec=spec)), VM)
    assert view.cwd == view.user == ""
    assert not any(view.argv)


@pytest.mark.parametrize(
    "line",
    [
        "s",
        "s job",
        "s ../x pipe running - 1700000000 - 42 7 - 2 - -",
        "s JOB pipe running - 1700000000 - 42 7 - 2 - -",
        "s job tape running - 1700000000 - 42 7 - 2 - -",
        "s job pipe dancing - 1700000000 - 42 7 - 2 - -",
        "s job pipe running - soon - 42 7 - 2 - -",
        "s job pipe running - 1700000000 - 42 -7 - 2 - -",
        "s job pipe running - 1700000000 - 42 ٣ - 2 - -",
        "s job pipe exited - 1700000000 - 42 7 - 2 - -",
        "s job pipe running - 1700000000 - 42 " + "9" * 400 + " - 2 - -",
        "s job pipe running - 1700000000 - 42 7 - 2 - - and more",
        "\x00\xff",
    ],
)
def test_lines_that_make_no_sense_are_left_out(line: str) -> None:
    good = "s good pipe running - 1700000000 - 42 7 - 2 - -"
    assert [view.name for view in parse(said(line, good), VM)] == ["good"]


def test_sizes_of_no_session_and_odd_ones_are_left_out() -> None:
    [view] = parse(
        said(
            RUNNING.format(spec="-"),
            "f /.banger/sessions/other/out.000000000000000 9",
            "f /etc/passwd 9",
            "f /.banger/sessions/job/out.1 9",
            "f /.banger/sessions/job/out.000000000000000 -9",
            "f /.banger/sessions/job/out.000000000000000 " + "9" * 400,
            "t other title",
        ),
        VM,
    )
    assert (view.out_bytes, view.kept, view.title) == (0, (0, 0), "")


def test_a_list_without_end_is_refused_and_a_long_one_cut() -> None:
    with pytest.raises(GuestFailure):
        parse(b"s job pipe running", VM)
    line = "s n{} pipe running - 1700000000 - 42 7 - 2 - -"
    assert len(parse(said(*(line.format(n) for n in range(5000))), VM)) == 2000


def test_a_long_command_is_described_by_its_beginning() -> None:
    spec = SessionSpec(("sh", "-c", "x" * 1_000_000, "y"))
    [view] = parse(said(RUNNING.format(spec=describe(spec))), VM)
    assert view.argv[:2] == ("sh", "-c")
    assert 1000 < len(view.argv[2]) < 5000
