"""Programs: tools end with us, however we end; daemons outlive us; no signal to a stranger."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from banger_tui.engine.errors import MissingTool, ToolFailed
from banger_tui.engine.process import (
    ProcessId,
    find_by_argument,
    find_tool,
    processes_with,
    run_tool,
    spawn_daemon,
)
from tests.engine_fixtures.gates import PATIENCE


def token(tmp_path: Path) -> str:
    """An argument no other process has."""
    return f"banger-test-{tmp_path.name}-{os.getpid()}"


async def until_gone(argument: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while processes_with(argument):
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"these live on: {processes_with(argument)}")


async def until_there(argument: str, number: int = 1) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(processes_with(argument)) < number:
            await asyncio.sleep(0.02)


async def test_output_lines_log_and_tail(tmp_path: Path) -> None:
    lines: list[str] = []
    log = tmp_path / "log"
    script = "echo one; echo two >&2; printf 'half'; printf '10%%\\r20%%\\r'; printf end"
    result = await run_tool(["sh", "-c", script], on_line=lines.append, log=log)
    assert result.code == 0
    assert set(lines) == {"one", "two", "half10%", "20%", "end"}
    assert "one" in result.output
    assert b"two" in log.read_bytes()


async def test_captured_stdout_is_whole_and_apart_from_stderr() -> None:
    script = "head -c 300000 /dev/zero | tr '\\0' x; echo noise >&2"
    result = await run_tool(["sh", "-c", script], capture=True)
    assert result.output == "x" * 300000


async def test_standard_input_is_what_is_given_or_nothing() -> None:
    assert (await run_tool(["cat"], stdin=b"x" * 200000, capture=True)).output == "x" * 200000
    assert (await run_tool(["cat"], capture=True)).output == ""
    await run_tool(["true"], stdin=b"x" * 1000000)  # it never reads: no broken pipe for us


async def test_failure_carries_code_last_line_and_log(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed) as caught:
        await run_tool(
            ["sh", "-c", "echo first; echo the reason; echo; exit 3"],
            log=tmp_path / "log", title="Can't build",
        )  # fmt: skip
    error = caught.value
    assert (error.title, error.code) == ("Can't build", 3)
    assert "the reason" in error.detail
    assert str(tmp_path / "log") in error.hint
    assert "first" in error.tail
    assert (await run_tool(["sh", "-c", "exit 3"], check=False)).code == 3


async def test_a_missing_tool_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("banger_tui.engine.process.shutil.which", lambda *_, **__: None)
    with pytest.raises(MissingTool) as caught:
        find_tool("qemu-img")
    assert "qemu-utils" in caught.value.hint


async def test_tools_in_sbin_are_found_without_it_on_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_tool("mke2fs").endswith("sbin/mke2fs")


async def test_cancel_ends_the_whole_group(tmp_path: Path) -> None:
    mark = token(tmp_path)
    script = f"sh -c 'sleep 600; :' {mark} & sleep 600"
    running = asyncio.create_task(run_tool(["sh", "-c", script, mark]))
    await until_there(mark, 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_gone(mark)


async def test_cancel_ends_what_ignores_term(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("banger_tui.engine.process._GRACE", 0.3)
    mark = token(tmp_path)
    script = "trap '' TERM; while :; do sleep 1; done"
    running = asyncio.create_task(run_tool(["sh", "-c", script, mark]))
    await until_there(mark)
    await asyncio.sleep(0.1)  # the trap is set right after the start
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_gone(mark)


@pytest.mark.parametrize("descriptors", [0, 40])
async def test_kill_nine_ends_our_tools(tmp_path: Path, descriptors: int) -> None:
    """Also when we have many files open: the pipe they watch then has a number of two digits."""
    mark = token(tmp_path)
    script = textwrap.dedent(f"""
        import asyncio, os
        from banger_tui.engine.process import run_tool
        held = [os.open("/dev/null", os.O_RDONLY) for _ in range({descriptors})]
        asyncio.run(run_tool(["sh", "-c", "sh -c 'sleep 600; :' {mark} & sleep 600", "{mark}"]))
    """)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    await until_there(mark, 2)
    process.kill()
    assert await process.wait() == -signal.SIGKILL
    await until_gone(mark)


async def test_a_tool_does_not_keep_its_guard_waiting(tmp_path: Path) -> None:
    """The guard of an ended tool ends too."""
    mark = token(tmp_path)
    await run_tool(["sh", "-c", "exit 0", mark])
    await until_gone(mark)


# ------------------------------------------------------------------------------------- daemons


async def test_a_daemon_outlives_us_and_is_found_by_its_marker(tmp_path: Path) -> None:
    mark = token(tmp_path)
    script = textwrap.dedent(f"""
        import asyncio
        from pathlib import Path
        from banger_tui.engine.process import spawn_daemon
        async def main():
            found = await spawn_daemon(["sh", "-c", "echo said; kill -STOP $$; :", "{mark}"],
                                       log=Path("{tmp_path}/log"))
            print(found.pid, found.start)
        asyncio.run(main())
    """)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    pid, start = map(int, out.split())
    daemon = ProcessId(pid, start)
    try:
        assert daemon.alive
        # The kernel tells of an exec a moment before /proc has the new arguments.
        async with asyncio.timeout(PATIENCE):
            while find_by_argument(mark) != [daemon]:
                await asyncio.sleep(0.01)
        assert find_by_argument(mark[:-1]) == [], "a part of the marker is taken for it"
        assert os.getsid(pid) == pid, "it hangs on our session"
        assert not await daemon.gone(0.05)
        assert daemon.cpu_seconds() is not None
        assert daemon.rss_bytes()
    finally:
        await daemon.end()
    assert not daemon.alive
    assert await daemon.gone(1.0)
    assert daemon.cpu_seconds() is None
    assert "said" in (tmp_path / "log").read_text()


async def test_a_dead_child_is_gone_and_not_a_zombie(tmp_path: Path) -> None:
    daemon = await spawn_daemon(["sh", "-c", "exit 0"], log=tmp_path / "log")
    assert await daemon.gone(PATIENCE)
    assert not daemon.alive
    async with asyncio.timeout(PATIENCE):
        while os.path.exists(f"/proc/{daemon.pid}"):  # noqa: ASYNC240
            await asyncio.sleep(0.02)


async def test_no_signal_reaches_a_process_that_merely_has_the_number() -> None:
    own = ProcessId.own()
    stranger = ProcessId(own.pid, own.start + 1)
    assert not stranger.alive
    assert stranger.signal(signal.SIGKILL) is False  # we would not be here to say so
    assert await stranger.gone(1.0)
    await stranger.end()


async def test_gone_wakes_at_the_end(tmp_path: Path) -> None:
    daemon = await spawn_daemon(["sleep", "600"], log=tmp_path / "log")
    waiting = asyncio.create_task(daemon.gone())
    await asyncio.sleep(0)
    assert not waiting.done()
    daemon.signal(signal.SIGKILL)
    assert await asyncio.wait_for(waiting, PATIENCE)
