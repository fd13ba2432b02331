"""The budget of loop time: never late when idle, never greedy in a flood."""

from __future__ import annotations

from time import perf_counter

from banger_tui.widgets.terminal.pace import MAX_SLICE, MIN_SLICE, Pace


async def test_below_the_budget_nothing_waits() -> None:
    pace = Pace(budget=0.01, frame=5)
    began = perf_counter()
    for _ in range(9):
        await pace.turn()
        pace.spend(0.001)
    assert perf_counter() - began < 1


async def test_above_the_budget_the_next_frame_is_awaited() -> None:
    pace = Pace(budget=0.01, frame=0.2)
    began = perf_counter()
    await pace.turn()
    pace.spend(0.02)
    await pace.turn()
    assert perf_counter() - began >= 0.19
    again = perf_counter()
    pace.spend(0.001)
    await pace.turn()
    assert perf_counter() - again < 0.1


def test_slices_shrink_when_slow_and_grow_back() -> None:
    pace = Pace()
    for _ in range(10):
        pace.spend(0.03)
    assert pace.slice == MIN_SLICE
    for _ in range(10):
        pace.spend(0.0001)
    assert pace.slice == MAX_SLICE
