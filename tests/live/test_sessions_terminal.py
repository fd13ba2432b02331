"""Terminals in a real guest: as they were when one comes back, held up by a reader that stalls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import Conflict
from banger_tui.engine.model import MIB, SessionSpec, SessionState
from banger_tui.engine.paths import Paths
from banger_tui.engine.sessions.attach import Attached
from banger_tui.engine.settings import Settings
from banger_tui.widgets.terminal import core
from banger_tui.widgets.terminal.core import Mouse
from tests.engine_fixtures.engines import create
from tests.engine_fixtures.template import IMAGE, linked

pytestmark = pytest.mark.timeout(600)
PATIENCE = 60.0
COLUMNS, ROWS = 60, 20


@pytest.fixture(scope="module")
def home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests of the module: the VM booted for the first serves the others."""
    with linked(template, tmp_path_factory.mktemp("terminals") / "home") as made:
        yield made


@asynccontextmanager
async def opened(home: Path, *script: str) -> AsyncIterator[Engine]:
    """An engine whose VM "web" has one session, "t": a shell, or what ``script`` does."""
    async with Engine(Paths.below(home), Settings(image=IMAGE)) as engine:
        if not await engine.vms.list():
            await create(engine, "web", memory_mib=256)
        for view in await engine.sessions.list("web"):
            await engine.sessions.delete("web", view.name, force=True)
        argv = ("sh", "-c", *script) if script else ()
        await engine.sessions.start("web", SessionSpec(argv, "t", keep_bytes=1 * MIB))
        yield engine


async def attach(engine: Engine, *, take: bool = False) -> Attached:
    attached = await engine.sessions.attach("web", "t", (COLUMNS, ROWS), take=take)
    assert attached.writer
    return attached


async def shown(attached: Attached, screen: core.VtCore, wanted: str) -> None:
    """Feed what comes until the screen has it."""
    async with asyncio.timeout(PATIENCE):
        while not any(wanted in line for line in screen.lines()):
            data = await attached.read()
            assert data, f"it ended before {wanted!r} came: {screen.lines()}"
            screen.feed(data)


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def said(engine: Engine, script: str) -> str:
    """What a script in the guest prints."""
    channel = await engine.vms.exec("web", ["sh", "-c", script])
    out = b""
    while data := await channel.read():
        out += data
    await channel.close()
    return out.decode()


async def test_title_and_modes_are_there_again(home: Path) -> None:
    script = (
        r"printf '\033]2;its title\007\033[?2004h\033[?1h\033[?1002h\033[?1006h\033[?1004h"
        r"\033[5 qready'; sleep 1000"
    )
    async with opened(home, script) as engine:

        async def logged() -> bool:
            return (await engine.sessions.show("web", "t")).out_bytes > 40

        await until(logged, "it wrote its line")
        for _ in range(2):
            attached, screen = await attach(engine), core.create(COLUMNS, ROWS)
            await shown(attached, screen, "ready")
            modes = screen.modes
            assert modes.bracketed_paste
            assert modes.application_cursor
            assert modes.focus_events
            assert (modes.mouse, modes.mouse_format) == (Mouse.DRAG, core.MouseFormat.SGR)
            assert screen.title == "its title"
            assert screen.cursor_shape.name.startswith("BAR")
            await attached.close()


async def test_a_stalled_reader_holds_the_program_up_and_ctrl_c_stops_a_flood(home: Path) -> None:
    async with opened(home) as engine:
        attached, screen = await attach(engine), core.create(COLUMNS, ROWS)
        # A program that has always more to say: one that writes slower than tmux reads may be kept
        # for five minutes instead (control_pane_offset looks at what lies in one buffer of two).
        await attached.write(b"yes 0123456789abcdef\r")
        await shown(attached, screen, "0123456789abcdef")
        sizes: list[int] = []

        async def held() -> bool:
            sizes.append((await engine.sessions.show("web", "t")).out_bytes)
            return len(sizes) > 5 and len(set(sizes[-5:])) == 1

        # Nobody reads now: what it wrote grows no more.
        await until(held, "it is held up")
        memory = await said(
            engine,
            "for p in /proc/[0-9]*; do grep -q '^Name:.tmux: server' $p/status && "
            "grep VmHWM $p/status; done",
        )
        assert all(int(line.split()[1]) < 24 * 1024 for line in memory.splitlines()), memory
        assert memory

        after = 0
        await attached.write(b"\x03")
        await attached.write(b"echo flood-''over\r")
        async with asyncio.timeout(PATIENCE):
            while not any("flood-over" in line for line in screen.lines()):
                data = await attached.read()
                after += len(data)
                screen.feed(data)
        print(f"{after} bytes came after ctrl+c, of {sizes[-1]}")
        assert after < 4 * MIB, "only what was on its way"
        await attached.close()


async def test_a_flood_goes_on_without_the_reader_that_held_it_up(home: Path) -> None:
    async with opened(home) as engine:
        attached, screen = await attach(engine), core.create(COLUMNS, ROWS)
        await attached.write(b"yes 0123456789abcdef\r")
        await shown(attached, screen, "0123456789abcdef")
        await asyncio.sleep(5.0)  # it fills what lies between
    async with Engine(Paths.below(home), Settings(image=IMAGE)) as engine:
        before = (await engine.sessions.show("web", "t")).out_bytes

        async def alone() -> bool:
            view = await engine.sessions.show("web", "t")
            return not view.writer and view.out_bytes > before + MIB

        await until(alone, "nobody is left and it goes on")
        await engine.sessions.delete("web", "t", force=True)


async def test_who_is_taken_over_is_told_and_may_look_on(home: Path) -> None:
    async with opened(home) as engine:
        first = await attach(engine)
        onlooker = await engine.sessions.attach("web", "t", (COLUMNS, ROWS), read_only=True)
        second = await attach(engine, take=True)
        async with asyncio.timeout(PATIENCE):
            while await first.read():
                pass
            with pytest.raises(Conflict):
                await first.wait()
            await first.write(b"into nothing\r")
            await first.close()
            await second.write(b"echo seen-''by-both\r")
            await shown(second, core.create(COLUMNS, ROWS), "seen-by-both")
            await shown(onlooker, core.create(COLUMNS, ROWS), "seen-by-both")
        await onlooker.close()
        await second.close()
        assert (await engine.sessions.show("web", "t")).state is SessionState.RUNNING


async def test_attaching_can_be_given_up_at_any_moment(home: Path) -> None:
    """The terminal goes on, nobody is left in it, and its writer's place is free."""
    async with opened(home) as engine:
        transport = await engine.transports.of("web")
        await transport.connect()
        for number in range(24):
            attaching = asyncio.create_task(attach(engine, take=True))
            await asyncio.wait({attaching}, timeout=0.02 * number)
            attaching.cancel()
            [result] = await asyncio.gather(attaching, return_exceptions=True)
            if not isinstance(result, BaseException):
                await result.close()

        async def free() -> bool:
            view = await engine.sessions.show("web", "t")
            assert view.state is SessionState.RUNNING
            return not view.writer and view.viewers == 0

        await until(free, "nobody is attached")

        async def alone() -> bool:
            return "tmux-t" not in await said(engine, "ps | grep '[-]C attach-session'")

        await until(alone, "no client is left")
        attached = await attach(engine)
        await attached.write(b"echo it-''lives\r")
        await shown(attached, core.create(COLUMNS, ROWS), "it-lives")
        await attached.close()
