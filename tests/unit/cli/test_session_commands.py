"""``session …`` on sessions that a test makes up: words in, words and exit codes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from banger_tui.cli.parser import build, parse
from banger_tui.cli.session_name import session_name
from banger_tui.engine.errors import BangerError, IllegalMove, InvalidInput, NotFound
from banger_tui.engine.model import MIB, SessionMode, SessionSpec, SessionState, SessionView
from banger_tui.engine.sessions.service import Sessions
from banger_tui.engine.sessions.stream import Chunk
from tests.unit.test_cli_commands import Cli

BUILD = SessionView(
    "0123456789ab", "web", "build", SessionMode.PIPE, SessionState.RUNNING, ("make", "a b"),
    1_700_000_000.0, pid=42, cwd="/srv", user="www", out_bytes=2048, kept=(1024, 0), viewers=1,
    writer="pts/0 \x1b[31mevil", title="\x1b]0;evil\x07",
)  # fmt: skip


@dataclass
class MadeUp:
    """What was asked of the engine, and one session."""

    view: SessionView = BUILD
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    out: list[bytes] = field(default_factory=lambda: [b"out\n"])
    err: list[bytes] = field(default_factory=lambda: [b"err\n"])
    writer: bool = True


class MadeUpAttached:
    """Implements ``Attached``."""

    def __init__(self, made_up: MadeUp) -> None:
        self._made_up = made_up
        self.session = made_up.view
        self.writer = made_up.writer

    async def read(self) -> bytes:
        return self._made_up.out.pop(0) if self._made_up.out else b""

    async def read_stderr(self) -> bytes:
        return self._made_up.err.pop(0) if self._made_up.err else b""

    async def write(self, data: bytes) -> None:
        self._made_up.asked.append(("write", data))

    async def write_eof(self) -> None:
        self._made_up.asked.append(("write_eof",))

    async def resize(self, columns: int, rows: int) -> None: ...

    async def wait(self) -> int:
        return 7

    async def close(self) -> None:
        self._made_up.asked.append(("close",))


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    state = MadeUp()

    async def start(_: object, vm: str, spec: SessionSpec, size: tuple[int, int]) -> SessionView:
        state.asked.append(("start", vm, spec))
        return state.view

    async def listed(_: object, vm: str | None = None) -> list[SessionView]:
        state.asked.append(("list", vm))
        return [state.view]

    async def show(_: object, vm: str, name: str) -> SessionView:
        if name != state.view.name:
            raise NotFound(f"There is no session {name} in {vm}")
        return state.view

    async def attach(_: object, vm: str, name: str, size: object = None, **how: Any) -> object:
        state.asked.append(("attach", vm, name, how))
        return MadeUpAttached(state)

    async def stream(
        _: object, vm: str, name: str, *, err: bool, offset: int, follow: bool
    ) -> AsyncIterator[Chunk]:
        state.asked.append(("stream", err, offset, follow))
        yield Chunk(max(offset, 4), b"one\x1b[31m\n")
        yield Chunk(4096, b"two\n")

    async def verb(kind: str, *arguments: Any, **more: Any) -> SessionView:
        state.asked.append((kind, *arguments, *more.values()))
        return replace(state.view, state=SessionState.EXITED, exit_code=143)

    def made(kind: str) -> Any:
        return lambda _, *arguments, **more: verb(kind, *arguments, **more)

    for name, function in (
        ("start", start), ("list", listed), ("show", show), ("attach", attach), ("stream", stream),
        *((kind, made(kind)) for kind in ("send", "eof", "signal", "stop", "delete")),
    ):  # fmt: skip
        monkeypatch.setattr(Sessions, name, function)
    return state


async def test_start_prints_the_name(cli: Cli, made_up: MadeUp) -> None:
    started = await cli(
        "session", "start", "web", "--pipe", "--name", "build", "-u", "www", "-w", "/srv",
        "-e", "A=b c", "--keep", "1M", "--drop", "--", "make", "-j",
    )  # fmt: skip
    assert (started.code, started.out) == (0, "web/build\n")
    wanted = SessionSpec(
        ("make", "-j"), "build", SessionMode.PIPE, "/srv", (("A", "b c"),), "www", MIB, True
    )
    assert made_up.asked == [("start", "web", wanted)]
    told = await cli("session", "start", "web", "--json")
    assert made_up.asked[-1] == ("start", "web", SessionSpec())
    assert told.events[-1]["session"]["name"] == "build"


async def test_list_and_show(cli: Cli, made_up: MadeUp) -> None:
    listed = await cli("session", "list")
    header, row = listed.out.splitlines()
    assert header.split() == ["SESSION", "MODE", "STATE", "FOR", "SAID", "COMMAND"]
    assert row.split()[:4] == ["web/build", "pipe", "●", "running"]
    assert row.endswith("make 'a b'")
    await cli("session", "list", "web")
    assert made_up.asked == [("list", None), ("list", "web")]
    assert (await cli("session", "list", "--json")).document[0]["name"] == "build"
    shown = await cli("session", "show", "web/build")
    assert "kept from byte 1024" in shown.out
    assert "\x1b" not in shown.out
    assert (await cli("session", "show", "web/build", "--json")).document["exit_code"] is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"state": SessionState.LOST}, "✗ lost"),
        ({"state": SessionState.EXITED, "exit_code": 0}, "✓ exited 0"),
        ({"state": SessionState.EXITED, "exit_code": 3}, "✗ exited 3"),
        ({"waiting": True}, "◐ waits"),
    ],
)
async def test_states(cli: Cli, made_up: MadeUp, change: dict[str, Any], word: str) -> None:
    made_up.view = replace(BUILD, **change)
    assert word in (await cli("session", "list")).out


async def test_attached_to_three_streams(cli: Cli, made_up: MadeUp) -> None:
    attached = await cli("session", "attach", "web/build", "--take", "--from", "1024")
    assert (attached.code, attached.out, attached.err) == (7, "out\n", "err\n")
    how = {"read_only": False, "take": True, "out": 1024}
    assert ("attach", BUILD.vm_id, "build", how) in made_up.asked
    assert made_up.asked[-1] == ("close",)
    # Nothing came from stdin, so its end is not passed on.
    assert ("write_eof",) not in made_up.asked
    made_up.out, made_up.err = [b"again\n"], []
    told = await cli("session", "attach", "web/build", "--json")
    assert told.events == [
        {"event": "output", "stream": "stdout", "text": "again\n"},
        {"event": "result", "ok": True, "exit_code": 7},
    ]


async def test_who_only_looks_on_is_told(cli: Cli, made_up: MadeUp) -> None:
    made_up.writer = False
    assert "--take takes over" in (await cli("session", "attach", "web/build")).err
    made_up.out, made_up.err = [], []
    assert (await cli("session", "attach", "--read-only", "web/build")).err == ""


async def test_logs_from_anywhere(cli: Cli, made_up: MadeUp) -> None:
    logs = await cli("session", "logs", "web/build", "--stderr", "--offset", "4")
    assert logs.out == "one\x1b[31m\ntwo\n"
    assert made_up.asked == [("stream", True, 4, False)]
    assert "4.0 KiB of stderr are not kept any more" in logs.err
    followed = await cli("session", "logs", "web/build", "-f", "--json")
    assert [event["event"] for event in followed.events] == ["gap", "output", "gap", "output"]
    assert followed.events[0] == {"event": "gap", "stream": "stdout", "bytes": 4}
    one = await cli("session", "logs", "web/build", "--json")
    assert one.document == {"log": "one\x1b[31m\ntwo\n"}


async def test_talking(cli: Cli, made_up: MadeUp) -> None:
    await cli("session", "send", "web/build", "häh\udcff", "--line", "--eof")
    await cli("session", "signal", "web/build", "sigusr1")
    await cli("session", "stop", "web/build", "--grace", "0.5")
    deleted = await cli("session", "delete", "--force", "web/build", "--json")
    assert made_up.asked == [
        ("send", "web", "build", "hä".encode() + b"h\xff"),
        ("send", "web", "build", b"\n"),
        ("eof", "web", "build"),
        ("signal", "web", "build", "USR1"),
        ("stop", "web", "build", 0.5),
        ("delete", "web", "build", True),
    ]
    assert deleted.events == [{"event": "result", "ok": True, "deleted": "web/build"}]


async def test_one_that_fails_does_not_keep_the_others_waiting(
    cli: Cli, made_up: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def delete(_: object, vm: str, name: str, *, force: bool) -> None:
        made_up.asked.append((vm, name))
        if name == "a":
            raise IllegalMove("Session a runs", "", "Add --force")

    monkeypatch.setattr(Sessions, "delete", delete)
    result = await cli("session", "delete", "web/a", "web/b")
    assert result.code == 1
    assert "hint: Add --force" in result.err
    assert made_up.asked == [("web", "a"), ("web", "b")]


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["show", "web"], 2, "VM/NAME"),
        (["show", "web/"], 2, "VM/NAME"),
        (["show", "web/a/b"], 2, "VM/NAME"),
        (["show", "web/none"], 1, "no session none"),
        (["signal", "web/build", "NOPE"], 2, "no signal"),
        (["send", "web/build"], 2, "nothing to send"),
        (["stop", "web/build", "--grace", "-1"], 2, "--grace"),
        (["logs", "web/build", "--offset", "-1"], 2, "--offset"),
        (["attach", "web/build", "--from", "-1"], 2, "--from"),
        (["attach", "web/build", "--read-only", "--take"], 2, "exclude"),
        (["start", "web", "--keep", "12Q"], 2, "12Q"),
    ],
)
async def test_bad_input_is_told(
    cli: Cli, made_up: MadeUp, argv: list[str], code: int, told: str
) -> None:
    result = await cli("session", *argv)
    assert result.code == code
    assert told in result.err
    assert made_up.asked == []


async def test_a_terminal_is_needed_where_there_is_one(cli: Cli, made_up: MadeUp) -> None:
    made_up.view = replace(BUILD, mode=SessionMode.PTY)
    refused = await cli("session", "attach", "web/build")
    assert refused.code == 2
    assert "session logs web/build" in refused.err
    assert (await cli("session", "attach", "web/build", "--json")).code == 2
    assert (await cli("session", "start", "web", "--attach")).code == 2
    assert made_up.asked == []


async def test_a_screen_that_is_gone_is_told(cli: Cli, made_up: MadeUp) -> None:
    made_up.view = replace(BUILD, mode=SessionMode.PTY, state=SessionState.EXITED, exit_code=4)
    refused = await cli("session", "attach", "web/build")
    assert refused.code == 1
    assert "exit code was 4" in refused.err
    assert "session logs web/build" in refused.err


@pytest.mark.parametrize(
    "argv",
    [
        ["session", "start", "web", "--pty", "--pipe"],
        ["session", "attach"],
        ["session", "show", "web/a", "--", "ls"],
        ["vm", "cp", "one"],
        ["ssh-config", "--install", "--remove"],
    ],
)
def test_no_commands(argv: list[str]) -> None:
    with pytest.raises(InvalidInput):
        parse(argv)


def test_every_command_has_examples() -> None:
    def all_of(parser: Any) -> list[Any]:
        below = [
            child
            for action in parser._actions
            if isinstance(getattr(action, "choices", None), dict)
            for child in action.choices.values()
        ]
        return [parser, *(found for child in below for found in all_of(child))]

    parsers = all_of(build())
    assert len(parsers) > 45
    for parser in parsers:
        assert "examples:\n  " in parser.format_help(), parser.prog


async def test_the_life_of_a_session(cli: Cli) -> None:
    await cli("vm", "create", "--name", "web")
    assert (await cli("session", "list")).out.startswith("No sessions.")
    started = await cli("session", "start", "web", "--pipe", "--name", "s", "--", "echo", "hello")
    assert (started.code, started.out) == (0, "web/s\n"), started.err
    attached = await cli("session", "attach", "web/s")
    assert (attached.code, attached.out) == (0, "hello\n"), attached.err
    assert (await cli("session", "list", "web", "--json")).document[0]["exit_code"] == 0
    assert (await cli("session", "delete", "web/s")).err == "Deleted session web/s.\n"
    assert (await cli("session", "show", "web/s")).code == 1


def test_names() -> None:
    assert session_name("web/build") == ("web", "build")
    with pytest.raises(BangerError):
        session_name("build")
