"""The serial line of a real guest: from its first byte, for many, bounded, there again later."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.hypervisors import console_log
from banger_tui.engine.hypervisors.base import Console
from banger_tui.engine.hypervisors.qemu import QemuDriver
from banger_tui.engine.model import VmRecord, VmSpec
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import ProcessId, processes_with
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.engines import create
from tests.engine_fixtures.template import IMAGE

pytestmark = pytest.mark.timeout(600)
PATIENCE = 200.0


async def read_until(console: Console, wanted: bytes) -> bytes:
    seen = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while wanted not in seen:
                data = await console.read()
                assert data, f"it ended before {wanted!r}: {seen[-500:]!r}"
                seen += data
    except TimeoutError:
        pytest.fail(f"{wanted!r} never came: {seen[-1000:]!r}")
    return seen


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def said(engine: Engine, *argv: str) -> str:
    channel = await engine.vms.exec("web", argv)
    out = b""
    async with asyncio.timeout(PATIENCE):
        while data := await channel.read():
            out += data
        await channel.wait()
    await channel.close()
    return out.decode()


def keepers(paths: Paths) -> list[int]:
    """Processes that bound the logs of this installation's VMs."""
    found = []
    for process, _ in processes_with("banger-console"):
        try:
            directory = os.readlink(f"/proc/{process.pid}/cwd")
        except OSError:
            continue
        if directory.startswith(str(paths.vms)):
            found.append(process.pid)
    return found


async def no_keepers(paths: Paths) -> None:
    async def gone() -> bool:
        return not await asyncio.to_thread(keepers, paths)

    await until(gone, "the keeper's end")


async def test_from_the_first_byte_while_it_boots(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        operation = await engine.vms.create(VmSpec(name="web", image=IMAGE, memory_mib=256))

        async def launched() -> bool:
            return any(vm.pid for vm in await engine.vms.list())

        await until(launched, "its process")
        console = await engine.vms.console("web")
        seen = await read_until(console, b"# ")
        vm = await operation.result()
        log = await asyncio.to_thread((engine.paths.vm(vm.id) / "console.log").read_bytes)
        assert log.startswith(seen)
        # What was told while it booted was kept until the guest could hear of it.
        await console.resize(123, 45)

        async def fits() -> bool:
            return await said(engine, "stty", "-F", "/dev/ttyS0", "size") == "45 123\n"

        await until(fits, "the guest knows the window's size")
        # The last one wins; a viewer whose guest does not answer can type it.
        other = await engine.vms.console("web")
        await other.resize(100, 30)
        await until(lambda: _size(engine, "30 100\n"), "the size of the last viewer")
        await console.write(console.fit_command(90, 20))
        await until(lambda: _size(engine, "20 90\n"), "the size that was typed")
        await console.close()
        await other.close()


async def _size(engine: Engine, wanted: str) -> bool:
    return await said(engine, "stty", "-F", "/dev/ttyS0", "size") == wanted


VIEWER = """
import asyncio, sys
from pathlib import Path
from banger_tui.engine.api import Engine
from banger_tui.engine.paths import Paths
from banger_tui.engine.settings import Settings

async def main():
    async with Engine(Paths.below(Path(sys.argv[1])), Settings()) as engine:
        console = await engine.vms.console("web")
        await console.write(b"echo typed-by-$((40 + 2))-other\\r")
        while True:
            sys.stdout.buffer.write(await console.read())
            sys.stdout.buffer.flush()

asyncio.run(main())
"""


async def test_two_viewers_and_one_that_is_killed(real_home: Path) -> None:
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        await create(engine, "web", memory_mib=256)
        console = await engine.vms.console("web")
        await console.write(b"\r")
        await read_until(console, b"# ")
        viewer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", VIEWER, str(real_home), stdout=asyncio.subprocess.PIPE
        )
        try:
            assert viewer.stdout is not None
            seen = b""
            async with asyncio.timeout(PATIENCE):
                while b"\ntyped-by-42-other" not in seen:
                    seen += await viewer.stdout.read(4096)
            await read_until(console, b"\ntyped-by-42-other")
        finally:
            viewer.kill()  # with the line perhaps still borrowed
            await viewer.wait()
        await console.write(b"echo typed-by-$((40 + 3))-this\r")
        await read_until(console, b"\ntyped-by-43-this")
        await console.close()
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        again = await engine.vms.console("web")
        seen = await read_until(again, b"\ntyped-by-43-this")
        assert b"\ntyped-by-42-other" in seen
        assert await engine.vms.logs("web")
        await again.close()


async def test_a_flood_while_nobody_looks_does_not_fill_the_host(
    real_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console_log, "_STEP", 128 << 10)
    keep = 256 << 10
    paths = Paths.below(real_home)

    def driver() -> QemuDriver:
        return QemuDriver(paths.client_key, paths.cache, console_bytes=keep)

    async with Engine(paths, Settings(image=IMAGE), driver=driver()) as engine:
        vm = await create(engine, "web", memory_mib=256)
        script = "yes 0123456789abcdef >/dev/ttyS0 2>/dev/null </dev/null &"
        await said(engine, "setsid", "sh", "-c", script)
    log = paths.vm(vm.id) / "console.log"

    async def flooded() -> bool:
        return log.stat().st_size > 6 * keep

    await until(flooded, "the flood")
    # What tail brings in a second may come on top.
    assert log.stat().st_blocks * 512 < 4 * keep
    assert len(await asyncio.to_thread(keepers, paths)) >= 1
    async with Engine(paths, Settings(image=IMAGE), driver=driver()) as engine:
        console = await engine.vms.console("web")
        seen = await read_until(console, b"0123456789abcdef\r\n")
        assert b"\0" not in seen
        assert seen.startswith(b"0123456789abcdef\r\n")
        await console.close()
        kept = await engine.vms.logs("web")
        assert keep <= len(kept) < 6 * keep
        await (await engine.vms.restart("web")).result()
        assert b"0123456789abcdef\r\n" not in await engine.vms.logs("web")
        assert (await engine.vms.logs("web", earlier=True)).endswith(b"\n")
        before = await asyncio.to_thread(lambda: (paths.vm(vm.id) / "console.log.1").stat())
        assert before.st_blocks * 512 < 4 * keep


def crash(vm: VmRecord) -> None:
    assert vm.pid is not None
    assert vm.pid_start is not None
    assert ProcessId(vm.pid, vm.pid_start).signal(signal.SIGKILL)


async def test_the_keeper_goes_with_the_vm_however_it_ends(real_home: Path) -> None:
    paths = Paths.below(real_home)
    async with Engine(paths, Settings(image=IMAGE)) as engine:
        vm = await create(engine, "web", memory_mib=256)
        assert await asyncio.to_thread(keepers, paths)
        await (await engine.vms.kill("web")).result()
        await no_keepers(paths)
        await (await engine.vms.start("web")).result()
        # Its keeper is ended by somebody: the next to look at the console gives it another.
        for pid in await asyncio.to_thread(keepers, paths):
            os.kill(pid, signal.SIGKILL)
        directory = paths.vm(vm.id)
        await until(lambda: _unkept(directory), "nobody bounds the log")
        await (await engine.vms.console("web")).close()
        await until(lambda: _kept(directory), "another keeper")
        await (await engine.vms.stop("web")).result()
        await no_keepers(paths)
        crash(await (await engine.vms.start("web")).result())
        await no_keepers(paths)


async def _kept(directory: Path) -> bool:
    return await asyncio.to_thread(console_log._kept, directory)


async def _unkept(directory: Path) -> bool:
    return not await _kept(directory)
