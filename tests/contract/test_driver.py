"""What every driver promises, through the engine's facade."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import IllegalMove, NotFound
from banger_tui.engine.hypervisors.fake import FakeDriver
from banger_tui.engine.model import GIB, NetworkMode, VmRecord, VmState
from banger_tui.engine.process import ProcessId
from tests.contract.conftest import Bench, all_of
from tests.engine_fixtures.engines import create, listener
from tests.engine_fixtures.inspection import assert_consistent

pytestmark = pytest.mark.timeout(600)
PATIENCE = 200.0


async def run(engine: Engine, name: str, script: str) -> tuple[bytes, bytes, int]:
    async with asyncio.timeout(PATIENCE):
        return await all_of(await engine.vms.exec(name, ["sh", "-c", script]))


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def read_until(read: Callable[[], Awaitable[bytes]], wanted: bytes) -> bytes:
    """Read until ``wanted`` has come."""
    seen = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while wanted not in seen:
                data = await read()
                assert data, f"it ended before {wanted!r} came: {seen[-500:]!r}"
                seen += data
    except TimeoutError:
        pytest.fail(f"{wanted!r} never came; what came: {seen[-1000:]!r}")
    return seen


def crash(engine: Engine, vm: VmRecord) -> None:
    """End the VMM as by kill -9."""
    driver = engine._ctx.driver
    if isinstance(driver, FakeDriver):
        driver.vmms[vm.id].crash()
    else:
        assert vm.pid is not None
        assert vm.pid_start is not None
        assert ProcessId(vm.pid, vm.pid_start).signal(9)


async def test_exec_separates_streams_and_passes_the_exit_code(bench: Bench) -> None:
    async with bench.engine() as engine:
        await bench.vm(engine)
        script = "echo to stdout; echo to stderr >&2; exit 7"
        assert await run(engine, "web", script) == (b"to stdout\n", b"to stderr\n", 7)
        assert (await run(engine, "web", "no-such-command"))[2] == 127


async def test_exec_reads_standard_input_to_its_end(bench: Bench) -> None:
    async with bench.engine() as engine:
        await bench.vm(engine)
        channel = await engine.vms.exec("web", ["cat"])
        data = bytes(range(256)) * 40
        await channel.write(data)
        await channel.write_eof()
        async with asyncio.timeout(PATIENCE):
            assert await all_of(channel) == (data, b"", 0)


async def test_the_console_shows_what_was_said_before_and_takes_keys(bench: Bench) -> None:
    async with bench.engine() as engine:
        await bench.vm(engine)
        one, other = await engine.vms.console("web"), await engine.vms.console("web")
        await one.write(b"\r")
        await read_until(one.read, b"# ")
        await one.write(b"echo said-on-the-line\r")
        await read_until(one.read, b"\nsaid-on-the-line")
        await read_until(other.read, b"\nsaid-on-the-line")  # reading takes it from nobody
        await one.close()
        assert await one.read() == b""
        await other.close()


async def test_a_shell_lives_on_when_the_engine_goes(bench: Bench) -> None:
    async with bench.engine() as engine:
        await bench.vm(engine)
        shell = await engine.sessions.shell("web", 80, 24)
        await read_until(shell.read, b"#")
        await shell.write(b"echo still-here\r")
        await read_until(shell.read, b"still-here")
        await shell.close()
    async with bench.engine() as engine:
        vm = await engine.vms.get("web")
        assert vm.running, "the VM did not outlive the engine"
        shell = await engine.sessions.shell("web", 80, 24)
        await read_until(shell.read, b"still-here")
        await shell.close()


async def test_stop_and_start_again(bench: Bench) -> None:
    async with bench.engine() as engine:
        before = await bench.vm(engine)
        stopped = await (await engine.vms.stop("web")).result()
        assert stopped.state is VmState.STOPPED
        assert stopped.pid is None
        assert stopped.reason == "powered off"
        with pytest.raises(IllegalMove):
            await engine.vms.exec("web", ["true"])
        with pytest.raises(IllegalMove):
            await engine.vms.stop("web")
        await assert_consistent(engine)
        started = await (await engine.vms.start("web")).result()
        assert started.running
        assert (started.id, started.host_key) == (before.id, before.host_key)
        assert (started.pid, started.pid_start) != (before.pid, before.pid_start)
        assert (await run(engine, "web", "echo up"))[0] == b"up\n"
        await assert_consistent(engine)


async def test_restart_is_stop_and_start(bench: Bench) -> None:
    async with bench.engine() as engine:
        before = await bench.vm(engine)
        after = await (await engine.vms.restart("web")).result()
        assert after.running
        assert after.pid != before.pid
        assert (await run(engine, "web", "echo up"))[0] == b"up\n"


async def test_kill_pulls_the_plug(bench: Bench) -> None:
    async with bench.engine() as engine:
        await bench.vm(engine)
        killed = await (await engine.vms.kill("web")).result()
        assert killed.state is VmState.STOPPED
        assert killed.reason == "killed"
        await assert_consistent(engine)


async def test_a_vmm_that_dies_is_noticed(bench: Bench) -> None:
    async with bench.engine() as engine:
        vm = await bench.vm(engine)
        crash(engine, vm)

        async def stopped() -> bool:
            return (await engine.vms.get("web")).state is VmState.STOPPED

        await until(stopped, "the VM shows as stopped after its VMM died")
        now = await engine.vms.get("web")
        assert now.pid is None
        assert now.reason
        assert (await (await engine.vms.start("web")).result()).running


async def test_a_vmm_that_died_unseen_is_noticed_at_the_next_start(bench: Bench) -> None:
    async with bench.engine() as engine:
        vm = await bench.vm(engine)
    crash(engine, vm)
    async with bench.engine() as engine:

        async def stopped() -> bool:
            return (await engine.vms.get("web")).state is VmState.STOPPED

        await until(stopped, "the VM shows as stopped")
        assert (await engine.vms.get("web")).reason


async def test_a_taken_port_is_exchanged_at_the_next_start(bench: Bench) -> None:
    async with bench.engine() as engine:
        vm = await bench.vm(engine)
        await (await engine.vms.stop("web")).result()
        with listener(vm.ssh_port):
            moved = await (await engine.vms.start("web")).result()
        assert moved.ssh_port != vm.ssh_port
        assert (await run(engine, "web", "echo up"))[0] == b"up\n"


async def test_delete_leaves_nothing_of_it(bench: Bench) -> None:
    async with bench.engine() as engine:
        vm = await bench.vm(engine, "short")
        await (await engine.vms.delete("short")).result()
        with pytest.raises(NotFound):
            await engine.vms.get("short")
        assert not engine.paths.vm(vm.id).exists()
        assert not engine.paths.vm_runtime(vm.id).exists()
        assert await asyncio.to_thread(engine._ctx.driver.find, vm.id) == []
        await assert_consistent(engine)


async def test_its_capabilities_say_what_the_host_needs_to_know(bench: Bench) -> None:
    async with bench.engine() as engine:
        capabilities = await engine._ctx.driver.capabilities()
        assert capabilities.machines
        assert capabilities.accelerator in ("kvm", "tcg", "none")
        assert capabilities.console
        probe = await engine._ctx.driver.probe()
        assert probe.available, probe.reason
        assert engine._ctx.driver.adopt("0" * 12, 1, 0) is None
        assert engine._ctx.driver.find("0" * 12) == []


# --------------------------------------------------------------------- what needs a real guest


@pytest.mark.live
async def test_written_data_survives_stop_kill_and_restart(real: Bench) -> None:
    async with real.engine() as engine:
        await real.vm(engine)
        await run(engine, "web", "echo one > /root/synced; sync")
        await (await engine.vms.kill("web")).result()
        await (await engine.vms.start("web")).result()
        assert (await run(engine, "web", "cat /root/synced"))[0] == b"one\n"
        # Not synced by the guest: stop does that.
        await run(engine, "web", "echo two > /root/unsynced")
        await (await engine.vms.restart("web")).result()
        assert (await run(engine, "web", "cat /root/synced /root/unsynced"))[0] == b"one\ntwo\n"


async def _say_reached(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"reached")
    writer.close()
    await writer.wait_closed()


@pytest.mark.live
async def test_an_isolated_vm_is_reached_and_reaches_nobody(real: Bench) -> None:
    async with real.engine() as engine:
        server = await asyncio.start_server(_say_reached, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await real.vm(engine)
            knock = f"nc -w 5 10.0.2.2 {port} < /dev/null"
            assert (await run(engine, "web", knock))[0] == b"reached", "the test itself is broken"
            await create(engine, "alone", memory_mib=256, network=NetworkMode.ISOLATED)
            assert (await run(engine, "alone", knock))[0] == b""
        await (await engine.vms.delete("alone")).result()


@pytest.mark.live
async def test_a_larger_disk_is_grown_into(real: Bench) -> None:
    async with real.engine() as engine:
        await create(engine, "large", memory_mib=256, disk_bytes=3 * GIB)
        size = "df -k / | tail -n 1 | awk '{print $2}'"

        async def grown() -> bool:
            out, _, _ = await run(engine, "large", size)
            return int(out.split()[0]) > 2.5 * 1024 * 1024

        await until(grown, "the filesystem fills its disk")
        await (await engine.vms.delete("large")).result()
