"""What every driver's guests promise of sessions, through the engine's facade."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import Conflict, IllegalMove, InvalidInput, NameTaken, NotFound
from banger_tui.engine.model import SessionMode, SessionSpec, SessionState, SessionView
from banger_tui.engine.sessions.attach import Attached
from banger_tui.engine.sessions.stream import Chunk
from tests.contract.conftest import Bench
from tests.contract.test_driver import PATIENCE, read_until, until

pytestmark = pytest.mark.timeout(600)
PIPE = SessionMode.PIPE


async def _bare(bench: Bench, engine: Engine) -> None:
    """The VM "web", without sessions."""
    await bench.vm(engine)
    for view in await engine.sessions.list("web"):
        await engine.sessions.delete("web", view.name, force=True)


async def _ended(engine: Engine, name: str) -> SessionView:
    async def over() -> bool:
        return (await engine.sessions.show("web", name)).state is SessionState.EXITED

    await until(over, f"{name} has ended")
    return await engine.sessions.show("web", name)


async def _whole(chunks: AsyncIterator[Chunk]) -> bytes:
    return b"".join([chunk.data async for chunk in chunks])


async def _to_its_end(attached: Attached) -> tuple[bytes, bytes]:
    """stdout and stderr, read side by side."""

    async def all_of(which: str) -> bytes:
        data, read = b"", getattr(attached, which)
        while more := await read():
            data += more
        return data

    async with asyncio.timeout(PATIENCE):
        out, err = await asyncio.gather(all_of("read"), all_of("read_stderr"))
    return out, err


async def test_a_process_keeps_its_streams_apart_and_its_exit_code(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        script = "echo to stdout; echo to stderr >&2; exit 7"
        view = await engine.sessions.start(
            "web", SessionSpec(("sh", "-c", script), "job", mode=PIPE)
        )
        assert (view.name, view.mode, view.argv) == ("job", PIPE, ("sh", "-c", script))
        attached = await engine.sessions.attach("web", "job", read_only=True)
        assert await _to_its_end(attached) == (b"to stdout\n", b"to stderr\n")
        assert await attached.wait() == 7
        await attached.close()
        ended = await _ended(engine, "job")
        assert (ended.exit_code, ended.out_bytes, ended.err_bytes) == (7, 10, 10)
        assert ended.ended is not None
        assert ended.ended >= ended.started
        assert await _whole(engine.sessions.stream("web", "job")) == b"to stdout\n"
        assert await _whole(engine.sessions.stream("web", "job", err=True, offset=3)) == (
            b"stderr\n"
        )


async def test_what_is_sent_arrives_and_an_end_of_input_is_one(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        await engine.sessions.start("web", SessionSpec(("cat",), mode=PIPE))
        data = bytes(range(256)) * 500
        await engine.sessions.send("web", "cat", data)
        attached = await engine.sessions.attach("web", "cat")
        assert attached.writer
        await attached.write(b"and more\n")
        await attached.write_eof()
        assert await _to_its_end(attached) == (data + b"and more\n", b"")
        assert await attached.wait() == 0
        await attached.close()
        assert (await _ended(engine, "cat")).in_bytes == len(data) + 9


async def test_one_writes_and_another_may_take_over(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        await engine.sessions.start("web", SessionSpec(("cat",), mode=PIPE))
        first = await engine.sessions.attach("web", "cat")
        second = await engine.sessions.attach("web", "cat")
        assert (first.writer, second.writer) == (True, False)
        view = await engine.sessions.show("web", "cat")
        assert view.writer
        assert view.viewers == 2
        with pytest.raises(Conflict):
            await second.write(b"no")
        with pytest.raises(Conflict):
            await engine.sessions.send("web", "cat", b"no")
        third = await engine.sessions.attach("web", "cat", take=True)
        assert third.writer
        await third.write(b"yes\n")
        with pytest.raises(Conflict):
            await first.write(b"no")
        assert not first.writer
        for attached in (first, second, third):
            assert await read_until(attached.read, b"yes\n") == b"yes\n"
            await attached.close()
        again = await engine.sessions.attach("web", "cat", out=2)
        await read_until(again.read, b"s\n")
        await again.close()


async def test_who_let_go_may_write_again_at_once(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        for mode in SessionMode:
            await engine.sessions.start("web", SessionSpec(("cat",), mode.value, mode=mode))
            for turn in range(4):
                attached = await engine.sessions.attach("web", mode.value, (80, 24))
                assert attached.writer
                await attached.write(b"turn-%d\r\n" % turn)
                await read_until(attached.read, b"turn-%d" % turn)
                await attached.close()


async def test_a_shell_outlives_its_clients_and_is_drawn_anew(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        shell = await engine.sessions.shell("web", 80, 24)
        assert shell.writer
        assert shell.session.name == "shell"
        await shell.write(b"echo still-here\r")
        await read_until(shell.read, b"\nstill-here")
        await shell.close()
    async with bench.engine() as engine:
        [view] = await engine.sessions.list()
        assert (view.vm_name, view.name, view.state) == ("web", "shell", SessionState.RUNNING)
        shell = await engine.sessions.shell("web", 80, 24)
        await read_until(shell.read, b"still-here")
        await shell.write(b"exit\r")
        async with asyncio.timeout(PATIENCE):
            while await shell.read():
                pass
            assert await shell.wait() == 0
        await shell.close()
        with pytest.raises(IllegalMove):
            await engine.sessions.attach("web", "shell", (80, 24))


async def test_names_are_made_up_and_none_is_there_twice(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        spec = SessionSpec(("/bin/cat",), mode=PIPE)
        names = [(await engine.sessions.start("web", spec)).name for _ in range(3)]
        assert names == ["cat", "cat-2", "cat-3"]
        with pytest.raises(NameTaken):
            await engine.sessions.start("web", SessionSpec(("cat",), "cat-2", mode=PIPE))
        assert [view.name for view in await engine.sessions.list("web")] == names
        await engine.sessions.stop("web", "cat-3")
        await engine.sessions.delete("web", "cat-3")
        with pytest.raises(IllegalMove):
            await engine.sessions.delete("web", "cat-2")
        await engine.sessions.delete("web", "cat-2", force=True)
        assert [view.name for view in await engine.sessions.list("web")] == ["cat"]
        with pytest.raises(NotFound):
            await engine.sessions.show("web", "cat-2")


async def test_what_can_t_be_started_is_refused_before_it_is(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        with pytest.raises(InvalidInput, match="no-such-command: not found"):
            await engine.sessions.start("web", SessionSpec(("no-such-command",), mode=PIPE))
        assert await engine.sessions.list("web") == []
        with pytest.raises(NotFound):
            await engine.sessions.start("nowhere", SessionSpec(("cat",), mode=PIPE))


async def test_signals_end_a_process(bench: Bench) -> None:
    async with bench.engine() as engine:
        await _bare(bench, engine)
        await engine.sessions.start("web", SessionSpec(("sleep", "1000"), mode=PIPE))
        with pytest.raises(InvalidInput):
            await engine.sessions.signal("web", "sleep", "no such signal")
        await engine.sessions.signal("web", "sleep", "SIGINT")
        assert (await _ended(engine, "sleep")).exit_code == 130
        with pytest.raises(IllegalMove):
            await engine.sessions.signal("web", "sleep", "INT")
        await engine.sessions.start("web", SessionSpec(("sleep", "1000"), "other", mode=PIPE))
        assert (await engine.sessions.stop("web", "other")).exit_code == 143
        assert (await engine.sessions.stop("web", "other")).exit_code == 143
