"""Locks: their order, between tasks, between processes, and when a holder dies."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import fcntl
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from banger_tui.engine.errors import Busy
from banger_tui.engine.locks import Lock, LockOrderError, Locks, held
from tests.engine_fixtures.gates import PATIENCE

T = TypeVar("T")


def apart(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run it as a task that does not pass for a part of this one (tasks inherit what is held)."""
    return asyncio.create_task(work, context=contextvars.Context())


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path)


def pick(locks: Locks, name: str) -> Lock:
    kind, _, key = name.partition(":")
    return {
        "image_pull": lambda: locks.image_pull(key),
        "kernel_pull": lambda: locks.kernel_pull(key),
        "vm": lambda: locks.vm(key),
        "vm_reservation": lambda: locks.vm_reservation,
        "image_publish": lambda: locks.image_publish,
        "leaf": lambda: locks.leaf(key),
    }[kind]()


@pytest.mark.parametrize(
    "order",
    [
        ("image_pull:debian", "image_publish"),
        ("image_pull:debian", "vm:a", "vm_reservation", "leaf:net"),
        ("kernel_pull:k", "image_publish"),
        ("vm:a", "vm_reservation"),
        ("vm:a", "image_publish", "leaf:x"),
        ("vm:a", "vm:b", "vm:c"),
        ("vm_reservation", "leaf:x"),
    ],
    ids=" ".join,
)
async def test_legal_orders_pass(locks: Locks, order: tuple[str, ...]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in order:
            await stack.enter_async_context(pick(locks, name).hold())
        assert len(held()) == len(order)
    assert held() == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("vm:a", "image_pull:debian"),
        ("vm:a", "kernel_pull:k"),
        ("image_pull:a", "image_pull:b"),
        ("image_pull:a", "kernel_pull:a"),
        ("vm_reservation", "vm:a"),
        ("vm_reservation", "image_publish"),
        ("image_publish", "vm_reservation"),
        ("image_publish", "image_pull:a"),
        ("vm:b", "vm:a"),
        ("vm:a", "vm:a"),
        ("leaf:x", "vm_reservation"),
        ("leaf:x", "leaf:y"),
    ],
)
async def test_illegal_orders_are_refused_at_once(locks: Locks, first: str, second: str) -> None:
    async with pick(locks, first).hold():
        with pytest.raises(LockOrderError) as caught:
            async with pick(locks, second).hold():
                pytest.fail("the lock was given")
        assert pick(locks, first).key in str(caught.value)
        assert pick(locks, second).key in str(caught.value)
    assert held() == ()


async def test_what_one_task_holds_does_not_bind_another(locks: Locks) -> None:
    async with locks.vm_reservation.hold():

        async def other() -> tuple[str, ...]:
            async with locks.vm("a").hold():
                return held()

        assert await apart(other()) == ("vm.a",)


async def test_one_holder_at_a_time(locks: Locks) -> None:
    inside = 0

    async def work() -> None:
        nonlocal inside
        async with locks.vm("a").hold():
            inside += 1
            assert inside == 1, "two tasks hold one lock"
            await asyncio.sleep(0.001)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(10)))


async def test_a_cancelled_wait_leaves_the_lock_usable(locks: Locks) -> None:
    async with locks.vm("a").hold():
        waiting = apart(_hold_once(locks))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.wait_for(_hold_once(locks), PATIENCE)


async def _hold_once(locks: Locks) -> None:
    async with locks.vm("a").hold():
        pass


# --------------------------------------------------------------------------- other processes

HOLDER = """
import asyncio, sys
from pathlib import Path
from banger_tui.engine.locks import Locks
async def main():
    async with Locks(Path(sys.argv[1])).vm("a").hold("boot web"):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
    print("released", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
asyncio.run(main())
"""


class Holder:
    """Another process that holds the lock of the VM "a"."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, directory: Path) -> Holder:
        holder = cls()
        holder.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDER, str(directory),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await holder.says("held")
        return holder

    async def says(self, word: str) -> None:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        assert line.decode().strip() == word

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()


async def test_another_process_waits_and_reads_who_holds_it(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    holder = await Holder.start(tmp_path)
    try:
        with pytest.raises(Busy) as caught:
            async with locks.vm("a").hold("delete", 0.2):
                pytest.fail("two processes hold one lock")
        assert str(holder.process.pid) in caught.value.detail
        assert "boot web" in caught.value.detail
        assert caught.value.hint
        waiting = asyncio.create_task(_hold_once(locks))
        holder.go_on()
        await holder.says("released")
        await asyncio.wait_for(waiting, PATIENCE)
    finally:
        await holder.kill()


async def test_kill_nine_of_the_holder_frees_the_lock(tmp_path: Path) -> None:
    holder = await Holder.start(tmp_path)
    waiting = asyncio.create_task(_hold_once(Locks(tmp_path)))
    await asyncio.sleep(0)
    assert not waiting.done()
    await holder.kill()
    await asyncio.wait_for(waiting, PATIENCE)


async def test_a_lock_on_a_discarded_file_is_not_taken_for_the_lock(
    locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may be discarded between open and flock: the lock would be one of its own."""
    flock, calls = fcntl.flock, 0

    def discarded_meanwhile(descriptor: int, operation: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            locks.discard("vm.a")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", discarded_meanwhile)
    async with locks.vm("a").hold("start"):
        assert calls == 2, "the lock on the discarded file was kept"
        with pytest.raises(Busy):
            await apart(_try(Locks(locks.path("vm.a").parent)))


async def _try(locks: Locks) -> None:
    async with locks.vm("a").hold("look", 0.1):
        pass


async def test_a_lock_file_is_private_and_names_its_holder(locks: Locks) -> None:
    async with locks.vm("a").hold("start web"):
        path = locks.path("vm.a")
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_text() == f"{os.getpid()} start web"


async def test_any_image_name_makes_one_file_name(locks: Locks) -> None:
    name = "../../registry.example/a b:c@d"
    async with locks.image_pull(name).hold():
        assert [p.parent for p in locks.path("x").parent.iterdir()] == [locks.path("x").parent]
