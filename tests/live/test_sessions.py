"""Sessions in a real guest: what no client, no connection and no full disk may cost a byte of."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import MIB, SessionMode, SessionSpec, SessionState
from banger_tui.engine.paths import Paths
from banger_tui.engine.sessions.attach import Attached
from banger_tui.engine.settings import Settings
from banger_tui.widgets.terminal import core
from tests.engine_fixtures.engines import create
from tests.engine_fixtures.template import IMAGE, linked

pytestmark = pytest.mark.timeout(900)
PATIENCE = 300.0
PIPE, PTY = SessionMode.PIPE, SessionMode.PTY
ROOT = Path(__file__).resolve().parents[2]
# Blocks that begin with their number; a guest without KVM makes no more of lines.
FILLER = b"0123456789abcdef" * 2048
NUMBERED = (
    "yes 0123456789abcdef | tr -d '\\n' | head -c 32768 >/tmp/filler; i=0; "
    "while [ $i -lt {} ]; do echo $i; cat /tmp/filler; i=$((i+1)); done"
)


def numbered(blocks: int) -> tuple[SessionSpec, bytes]:
    """A process that says that many blocks, and what it says."""
    spec = SessionSpec(
        ("sh", "-c", NUMBERED.format(blocks)), "numbered", mode=PIPE, keep_bytes=1 * MIB
    )
    return spec, b"".join(b"%d\n%b" % (number, FILLER) for number in range(blocks))


@pytest.fixture(scope="module")
def home(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests of the module: the VM booted for the first serves the others."""
    with linked(template, tmp_path_factory.mktemp("sessions") / "home") as made:
        yield made


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Engine]:
    """An engine whose VM "web" runs and has no sessions."""
    async with Engine(Paths.below(home), Settings(image=IMAGE)) as engine:
        if not await engine.vms.list():
            await create(engine, "web", memory_mib=512)
        views = await engine.sessions.list("web")
        for batch in range(0, len(views), 10):
            await asyncio.gather(*(
                engine.sessions.delete("web", view.name, force=view.state is SessionState.RUNNING)
                for view in views[batch : batch + 10]
            ))  # fmt: skip
        yield engine


async def client(home: Path, name: str, out: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.live.session_client", str(home), "web", name, str(out),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not await true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"never: {what}")


async def read_until(attached: Attached, wanted: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(PATIENCE):
        while wanted not in seen:
            data = await attached.read()
            assert data, f"it ended before {wanted!r} came: {seen[-500:]!r}"
            seen += data
    return seen


async def said(engine: Engine, *argv: str) -> str:
    """What a command in the guest prints."""
    channel = await engine.vms.exec("web", list(argv))
    out = b""
    while data := await channel.read():
        out += data
    await channel.close()
    return out.decode()


async def whole(engine: Engine, name: str) -> bytes:
    return b"".join([chunk.data async for chunk in engine.sessions.stream("web", name)])


async def ended(engine: Engine, name: str) -> int | None:
    async def over() -> bool:
        return (await engine.sessions.show("web", name)).state is SessionState.EXITED

    await until(over, f"{name} has ended")
    return (await engine.sessions.show("web", name)).exit_code


async def test_killed_clients_cost_no_byte_and_double_none(home: Path) -> None:
    spec, expected = numbered(640)
    async with opened(home) as engine:
        await engine.sessions.start("web", spec)
        came = bytearray()
        for kill in (3 * MIB, 7 * MIB, 9 * MIB, 15 * MIB, None):
            process = await client(home, "numbered", len(came))
            assert process.stdout is not None
            while data := await process.stdout.read(1 << 16):
                came += data
                if kill is not None and len(came) > kill:
                    process.kill()
                    kill = None
            await process.wait()
        assert hashlib.sha256(came).digest() == hashlib.sha256(expected).digest(), (
            f"{len(came)} bytes of {len(expected)}"
        )
        assert await ended(engine, "numbered") == 0
        view = await engine.sessions.show("web", "numbered")
        assert view.out_bytes == len(expected)
        assert 0 < view.out_bytes - view.kept[0] <= 1.2 * MIB, "what was read is not let go"

        async def alone() -> bool:
            return "session-" not in await said(engine, "sh", "-c", "ps | grep '[t]ail\\|[f]ollow'")

        await until(alone, "nothing of the killed clients is left in the guest")
        assert (await engine.sessions.show("web", "numbered")).viewers == 0


async def test_a_process_nobody_reads_waits_and_one_that_may_drop_does_not(home: Path) -> None:
    spec, expected = numbered(100)
    async with opened(home) as engine:
        await engine.sessions.start("web", spec)

        async def waiting() -> bool:
            return (await engine.sessions.show("web", "numbered")).waiting

        await until(waiting, "it waits for a reader")
        view = await engine.sessions.show("web", "numbered")
        assert (view.state, view.out_bytes) == (SessionState.RUNNING, 1 * MIB)
        assert await whole(engine, "numbered") == expected[: 1 * MIB], "a look at it takes nothing"
        attached = await engine.sessions.attach("web", "numbered", read_only=True)
        came = b""
        async with asyncio.timeout(PATIENCE):
            while data := await attached.read():
                came += data
        assert came == expected
        await attached.close()
        assert await ended(engine, "numbered") == 0

        dropping = SessionSpec(spec.argv, "drops", mode=PIPE, keep_bytes=1 * MIB, drop=True)
        await engine.sessions.start("web", dropping)
        assert await ended(engine, "drops") == 0
        chunks = [chunk async for chunk in engine.sessions.stream("web", "drops")]
        assert chunks[0].offset > 0, "where it begins is told"
        left = b"".join(chunk.data for chunk in chunks)
        assert expected.endswith(left)
        assert 1 * MIB <= len(left) <= 1.2 * MIB


async def test_the_end_of_a_process_is_seen_before_its_output_is_read(home: Path) -> None:
    """Its last words still fit into the pipe; who waits for its end must not wait for a reader."""
    async with opened(home) as engine:
        script = "head -c 300000 /dev/zero; exit 5"
        spec = SessionSpec(("sh", "-c", script), "job", mode=PIPE, keep_bytes=256 << 10)
        await engine.sessions.start("web", spec)
        attached = await engine.sessions.attach("web", "job", read_only=True)
        async with asyncio.timeout(PATIENCE):
            assert await attached.wait() == 5
        await attached.close()


async def test_input_arrives_once_over_broken_connections(home: Path) -> None:
    data = os.urandom(3 * MIB)
    async with opened(home) as engine:
        await engine.sessions.start("web", SessionSpec(("sha256sum",), "sum", mode=PIPE))
        attached = await engine.sessions.attach("web", "sum")
        transport = await engine.transports.of("web")

        async def cut() -> None:
            for size in (300_000, 1_100_000, 2_000_000):

                async def there(size: int = size) -> bool:
                    return (await engine.sessions.show("web", "sum")).in_bytes > size

                await until(there, f"{size} bytes have arrived")
                await transport._transport.close()  # type: ignore[attr-defined]

        cutting = asyncio.create_task(cut())
        async with asyncio.timeout(PATIENCE):
            await attached.write(data)
            await cutting
            await attached.write_eof()
            assert await read_until(attached, b"\n") == (
                hashlib.sha256(data).hexdigest().encode() + b"  -\n"
            )
        await attached.close()
        assert (await engine.sessions.show("web", "sum")).in_bytes == len(data)


async def test_a_killed_terminal_leaves_no_writer_behind(home: Path) -> None:
    async with opened(home) as engine:
        await engine.sessions.start("web", SessionSpec(name="shell"))
        process = await client(home, "shell", "pty")

        async def written() -> bool:
            return bool((await engine.sessions.show("web", "shell")).writer)

        async def free() -> bool:
            view = await engine.sessions.show("web", "shell")
            return not view.writer and view.viewers == 0

        await until(written, "the other process writes")
        onlooker = await engine.sessions.attach("web", "shell", (100, 30))
        assert not onlooker.writer
        process.kill()
        await process.wait()
        await onlooker.close()
        await until(free, "the place of the writer is free")
        attached = await engine.sessions.attach("web", "shell", (80, 24))
        assert attached.writer
        await attached.close()


async def test_a_terminal_comes_with_its_history_and_every_line_once(home: Path) -> None:
    async with opened(home) as engine:
        shell = await engine.sessions.shell("web", 60, 20)
        await shell.write(b"for i in $(seq 1 200); do echo line-$i; done; echo fin''ished\r")
        await read_until(shell, b"finished")
        await shell.close()
        again = await engine.sessions.attach("web", "shell", (60, 20))
        screen = core.create(60, 20)
        screen.feed(await read_until(again, b"finished"))
        await again.close()
        rows: list[str] = []
        screen.scroll_to_top()
        for top in range(0, screen.scrollback, 20):
            rows += screen.lines()[: screen.scrollback - top]
            screen.scroll(20)
        screen.scroll_to_bottom()
        rows += screen.lines()
        found = [row for row in rows if row.startswith("line-")]
        assert found == [f"line-{number}" for number in range(1, 201)]
        log = await whole(engine, "shell")
        assert log.count(b"line-77\r\n") == 1, "the log has it from the first byte"
        without = await engine.sessions.attach("web", "shell", (60, 20), history=0)
        assert b"line-77" not in await read_until(without, b"finished")
        await without.close()


async def test_any_words_arrive_as_they_are(home: Path) -> None:
    odd = (
        "it's", 'say "hi"', "a\nb", "", " ", "-n", "--", "$HOME `id` $(id)", "end;", "*", "\\",
        "ü€", "\x1b[31m", "'", "#end",
    )  # fmt: skip
    script = 'printf "<%s>" "$@"; printf "[%s]" "$A" "$PWD"; id -u'
    async with opened(home) as engine:
        for mode in (PIPE, PTY):
            spec = SessionSpec(
                ("sh", "-c", script, "name", *odd), f"words-{mode.value}", mode=mode,
                cwd="/usr", env=(("A", "it's 'a' $test;\n"),), user="root",
            )  # fmt: skip
            view = await engine.sessions.start("web", spec)
            assert "\n" not in "".join(view.argv)
            assert "\x1b" not in "".join(view.argv)
            assert (view.cwd, view.user) == ("/usr", "root")
            assert await ended(engine, view.name) == 0
            expected = "".join(f"<{word}>" for word in odd) + "[it's 'a' $test;\n][/usr]0\n"
            if mode is PTY:
                expected = expected.replace("\n", "\r\n")

            async def there(name: str = view.name, expected: str = expected) -> bool:
                return await whole(engine, name) == expected.encode()

            await until(there, f"{expected!r} in {mode}")


async def test_what_can_not_be_started_is_refused_with_its_reason(home: Path) -> None:
    cases = (
        (SessionSpec(("nope",), mode=PIPE), "nope: not found"),
        (SessionSpec(("/etc/hostname",), mode=PTY), "may not be executed"),
        (SessionSpec(("/etc",), mode=PIPE), "is a directory"),
        (SessionSpec(("sh",), cwd="/no/where"), "can't go to /no/where"),
        (SessionSpec(("sh",), user="nobody-here"), "nobody-here"),
        (SessionSpec(cwd="/no/where"), "can't go to /no/where"),
    )
    async with opened(home) as engine:
        for spec, reason in cases:
            with pytest.raises(InvalidInput, match=reason):
                await engine.sessions.start("web", spec)
        assert await engine.sessions.list("web") == []


async def test_a_full_disk_holds_a_process_up_and_loses_nothing(home: Path) -> None:
    spec, expected = numbered(200)
    keeping = SessionSpec(spec.argv, "numbered", mode=PIPE, keep_bytes=64 * MIB)
    async with opened(home) as engine:
        free = int(
            await said(engine, "sh", "-c", "stat -f -c '%a %S' / | { read a b; echo $((a*b)); }")
        )
        await said(engine, "fallocate", "-l", str(free - 35 * MIB), "/ballast")
        await engine.sessions.start("web", keeping)

        async def waiting() -> bool:
            return (await engine.sessions.show("web", "numbered")).waiting

        await until(waiting, "it waits for room")
        assert (await engine.sessions.show("web", "numbered")).state is SessionState.RUNNING
        await said(engine, "rm", "/ballast")
        assert await ended(engine, "numbered") == 0
        assert await whole(engine, "numbered") == expected


async def test_fifty_sessions_over_one_connection(home: Path) -> None:
    async with opened(home) as engine:
        names = [f"s-{number}" for number in range(50)]
        for batch in range(0, 50, 10):
            await asyncio.gather(*(
                engine.sessions.start(
                    "web",
                    SessionSpec(
                        ("sh", "-c", "read line; echo got $line; sleep 1000"), name,
                        mode=PTY if number % 2 else PIPE,
                    ),
                )
                for number, name in enumerate(names[batch : batch + 10])
            ))  # fmt: skip
        views = await engine.sessions.list("web")
        assert sorted(view.name for view in views) == sorted(names)
        assert {view.state for view in views} == {SessionState.RUNNING}

        async def talk(name: str) -> None:
            attached = await engine.sessions.attach("web", name, (80, 24), take=True)
            assert attached.writer
            await attached.write(b"word-%b\n" % name.encode())
            await read_until(attached, b"got word-%b" % name.encode())
            await attached.close()
            seen = b""
            async for chunk in engine.sessions.stream("web", name, follow=True):
                seen += chunk.data
                if b"got word-" in seen:
                    break

        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*map(talk, names))
        servers = await said(engine, "sh", "-c", "ps | grep -c '[l]ib/dropbear'")
        assert int(servers) <= 2, "one that listens, one that serves us"
        await asyncio.gather(*(engine.sessions.signal("web", name, "KILL") for name in names))

        async def over() -> bool:
            return all(view.exit_code == 137 for view in await engine.sessions.list("web"))

        await until(over, "all were killed")


async def test_after_a_restart_of_the_guest_sessions_are_lost_not_invented(home: Path) -> None:
    async with opened(home) as engine:
        await engine.sessions.start("web", SessionSpec(name="shell"))
        await engine.sessions.start(
            "web", SessionSpec(("sh", "-c", "echo words; sleep 1000"), "job", mode=PIPE)
        )

        async def spoken() -> bool:
            return (await engine.sessions.show("web", "job")).out_bytes == 6

        await until(spoken, "it said its words")
        await (await engine.vms.restart("web")).result()
        views = {view.name: view for view in await engine.sessions.list("web")}
        assert {name: view.state for name, view in views.items()} == {
            "shell": SessionState.LOST, "job": SessionState.LOST,
        }  # fmt: skip
        assert views["job"].pid is None
        assert views["job"].exit_code is None
        assert await whole(engine, "job") == b"words\n"
        shell = await engine.sessions.shell("web", 80, 24)
        assert shell.session.state is SessionState.RUNNING
        await shell.close()
        await engine.sessions.delete("web", "job")
        assert [view.name for view in await engine.sessions.list("web")] == ["shell"]
