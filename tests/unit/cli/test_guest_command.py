"""How a command is started in a guest, and what signals to us become."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from banger_tui.cli.interrupts import Interrupts
from banger_tui.cli.vm_guest import variables
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.sessions.command import LONGEST, guest_command

RUN = "/.banger/run"


def test_nothing_asked_for_is_nothing_in_between() -> None:
    assert guest_command({}, ["ls", "-l"]) == ["ls", "-l"]
    assert guest_command({"Cmd": ["x"]}, ["ls"]) == ["ls"]


def test_the_images_settings_and_ours() -> None:
    assert guest_command({"Env": ["A=1"]}, ["ls"]) == [RUN, "--", "ls"]
    assert guest_command({}, [], option="--entrypoint") == [RUN, "--entrypoint", "--"]
    words = guest_command(
        {}, ["--user", "x"], user="www:0", directory="/srv", env=[("A", "b c"), ("B", "")]
    )
    assert words == [
        RUN, "--user", "www:0", "--directory", "/srv", "--env", "A=b c", "--env", "B=",
        "--", "--user", "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [
        {"user": ""}, {"user": "--entrypoint"}, {"directory": "srv"}, {"env": [("1A", "")]},
        {"env": [("", "x")]}, {"env": [("A-B", "x")]}, {"env": [("Ä", "x")]},
        {"env": [("A", "\0")]}, {"user": "a\0b"},
    ],
)  # fmt: skip
def test_what_can_not_be(odd: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        guest_command({}, ["ls"], **odd)  # type: ignore[arg-type]


def test_a_command_that_would_end_the_connection_is_refused() -> None:
    assert guest_command({}, ["x" * LONGEST]) == ["x" * LONGEST]
    with pytest.raises(InvalidInput, match="too long"):
        guest_command({}, ["x" * (LONGEST + 1)])
    with pytest.raises(InvalidInput, match="too long"):
        guest_command({}, ["ä" * (LONGEST // 2 + 1)])
    with pytest.raises(InvalidInput, match="too long"):
        guest_command({}, ["x" * LONGEST], directory="/")


def test_variables_of_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "ours")
    monkeypatch.delenv("NOWHERE", raising=False)
    given = ["A=1=2", "HERE", "NOWHERE", "B="]
    assert variables(given) == [("A", "1=2"), ("HERE", "ours"), ("B", "")]


async def test_signals_go_to_the_program_and_the_second_to_us() -> None:
    told: list[str] = []
    came = asyncio.Event()

    async def send(name: str) -> None:
        told.append(name)
        came.set()

    async def work() -> None:
        with interrupts.passing_on(send):
            for number in (signal.SIGUSR1, signal.SIGQUIT, signal.SIGUSR1, signal.SIGINT):
                came.clear()
                os.kill(os.getpid(), number)
                await came.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()

    before = signal.getsignal(signal.SIGUSR1)
    task = asyncio.create_task(work())
    interrupts = Interrupts(task, told.append)
    interrupts.install()
    try:
        with pytest.raises(asyncio.CancelledError):
            await task
        assert told == ["USR1", "QUIT", "USR1", "INT"]
        assert interrupts.asked
        assert signal.getsignal(signal.SIGUSR1) == before
    finally:
        interrupts.remove()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
