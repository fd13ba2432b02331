"""The budget of loop time: never late when idle, never greedy in a flood."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from banger_tui.widgets.terminal import core, pace
from banger_tui.widgets.terminal.pace import (
    BUDGET_SECONDS,
    MAX_SLICE,
    MIN_SLICE,
    PLAIN_SLICES,
    Pace,
)


class Clock:
    """A clock that goes on by what each feed costs."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Sink:
    """Takes bytes as an emulator does; each feed takes `seconds` of the clock."""

    slice_bytes = MAX_SLICE

    def __init__(self, clock: Clock, seconds: Callable[[bytes], float]) -> None:
        self.pieces: list[bytes] = []
        self._clock = clock
        self._seconds = seconds

    def feed(self, data: bytes) -> None:
        self.pieces.append(data)
        self._clock.now += self._seconds(data)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "perf_counter", clock)
    return clock


async def flood(sink: Sink, data: bytes, log: list[str], name: str) -> None:
    mine, start = Pace(), 0
    while start < len(data):
        await mine.turn()
        start = mine.feed(sink, data, start)  # type: ignore[arg-type]
        log.append(name)


async def test_below_the_budget_nothing_waits(clock: Clock) -> None:
    sink = Sink(clock, lambda _: BUDGET_SECONDS / 10)
    log: list[str] = []
    ticks = asyncio.create_task(asyncio.sleep(0))
    for _ in range(9):
        await flood(sink, b"key", log, "fed")
    assert not ticks.done()
    assert len(log) == 9


async def test_above_the_budget_all_others_have_a_turn_first(clock: Clock) -> None:
    sink = Sink(clock, lambda _: BUDGET_SECONDS * 1.1)
    log: list[str] = []

    async def other() -> None:
        while True:
            log.append("other")
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await flood(sink, b"\x1b[m" * 20_000, log, "fed")
    beside.cancel()
    turns = "".join(word[0] for word in log)
    assert "fff" not in turns
    assert turns.count("f") >= 10


async def test_floods_share_one_budget_and_none_starves(clock: Clock) -> None:
    log: list[str] = []
    sinks = [Sink(clock, lambda _: BUDGET_SECONDS) for _ in range(4)]
    data = b"\x1b[m" * 20_000
    await asyncio.gather(*(flood(s, data, log, str(n)) for n, s in enumerate(sinks)))
    for sink in sinks:
        assert b"".join(sink.pieces) == data
    early = log[: len(log) // 2]
    counts = [early.count(str(n)) for n in range(4)]
    assert min(counts) >= max(counts) - 2, log


async def test_a_turn_ends_with_the_budget(clock: Clock) -> None:
    sink = Sink(clock, lambda _: BUDGET_SECONDS / 4)
    mine = Pace()
    data = b"\x1b[m" * 100_000
    await mine.turn()
    assert mine.feed(sink, data, 0) == sum(map(len, sink.pieces)) < len(data)  # type: ignore[arg-type]
    assert len(sink.pieces) == 4


def test_slices_shrink_when_slow_and_grow_back() -> None:
    pace = Pace()
    for _ in range(10):
        pace.account(0.03)
    assert pace.slice == MIN_SLICE
    for _ in range(10):
        pace.account(0.0001)
    assert pace.slice == MAX_SLICE


@pytest.mark.parametrize("usual", [b"\x1b[38;2;100;200;250mx", "日本語".encode()])
async def test_usual_output_is_fed_in_full_slices(clock: Clock, usual: bytes) -> None:
    sink = Sink(clock, lambda _: 0.0)
    await flood(sink, usual * 2_000, [], "")
    assert max(map(len, sink.pieces)) == MAX_SLICE


async def test_plain_text_is_fed_in_larger_slices(clock: Clock) -> None:
    sink = Sink(clock, lambda _: 0.0)
    await flood(sink, b"a line of text 1234b\r\n" * 20_000, [], "")
    assert max(map(len, sink.pieces)) == PLAIN_SLICES * MAX_SLICE


async def test_what_an_emulator_limits_is_kept_to(clock: Clock) -> None:
    sink = Sink(clock, lambda _: 0.0)
    sink.slice_bytes = 512
    await flood(sink, b"a line of text\r\n" * 1_000, [], "")
    assert max(map(len, sink.pieces)) == 512


def test_a_real_emulator_ends_as_if_fed_at_once() -> None:
    data = b"".join(b"line %d \x1b[3%dm\x1b[1m\r\n" % (n, n % 8) for n in range(300))

    async def fed() -> list[str]:
        terminal, mine, start = core.create(80, 24), Pace(), 0
        while start < len(data):
            await mine.turn()
            start = mine.feed(terminal, data, start)
        return terminal.lines()

    whole = core.create(80, 24)
    whole.feed(data)
    assert asyncio.run(fed()) == whole.lines()
