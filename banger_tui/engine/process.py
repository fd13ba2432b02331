"""The only spawner of programs.

Two kinds: a *tool* works for us and must not outlive us (``run_tool``: own process group, ended on
cancel, ended too when this process is killed with -9); a *daemon* must outlive us
(``spawn_daemon``: own session, found again by pid **and** start time). Signals go through a pidfd
that was opened before the start time was compared, so no signal ever reaches a process that merely
has the number.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.errors import MissingTool, ToolFailed
from banger_tui.engine.shield import finish

#: Debian package of each tool we start: what the hint of a MissingTool names.
PACKAGES: Mapping[str, str] = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "resize2fs": "e2fsprogs",
    "newuidmap": "uidmap",
    "unshare": "util-linux",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
    "tar": "tar",
    "ssh": "openssh-client",
}

# A shell that ends its whole process group as soon as the pipe on fd $1 closes, which it does when
# the process that holds the other end dies, however it dies. (Opened by its path: dash knows no
# descriptor above 9.)
_GUARD = (
    'lease=$1; shift; { IFS= read -r _ <"/proc/self/fd/$lease"; kill -KILL 0; } & watch=$!; '
    '"$@"; code=$?; kill -KILL "$watch" 2>/dev/null; exit "$code"'
)
# what we read is not translated; nobody is there to answer a package's question
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
_TAIL_LINES = 40
_MAX_LINE = 4096
_GRACE = 3.0


def find_tool(name: str) -> str:
    """Absolute path of a program, also in the sbin directories a user's PATH may lack.

    Raises:
        MissingTool: it isn't installed; the hint names Debian's package.
    """
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    if found := shutil.which(name, path=path):
        return found
    package = PACKAGES.get(name, name)
    raise MissingTool(
        f"{name} is not installed",
        "banger-tui starts it to do this.",
        f"Install it: sudo apt-get install {package}   (or run: make setup)",
    )


@dataclass(frozen=True, slots=True)
class ToolResult:
    code: int
    output: str
    """The last lines of stdout and stderr together (or all of stdout with ``capture=True``)."""


async def run_tool(
    argv: Sequence[str],
    *,
    on_line: Callable[[str], None] | None = None,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    stdin_file: int | None = None,
    capture: bool = False,
    check: bool = True,
    title: str = "",
) -> ToolResult:
    """Run a program to its end.

    Args:
        argv: program (looked up by ``find_tool``) and arguments.
        on_line: called with each line of output (stdout and stderr; cut at 4,096 characters).
        log: a file to which all output is appended.
        env: variables set on top of this process's environment.
        stdin: bytes for its standard input (default: nothing).
        stdin_file: a descriptor to be its standard input; stays open here.
        capture: keep the whole of stdout as ``output`` (stderr goes to on_line, log and tail).
        check: raise ToolFailed on a non-zero exit code.
        title: the error's title (default: "NAME failed").

    Cancelling ends the whole process group (TERM, then KILL after 3 s) before returning.

    Raises:
        MissingTool, ToolFailed
    """
    program = find_tool(argv[0])
    given = asyncio.subprocess.PIPE if stdin is not None else stdin_file
    lease_read, lease_write = os.pipe()
    try:
        process = await _started(asyncio.create_subprocess_exec(
            "/bin/sh", "-c", _GUARD, "guard", str(lease_read), program, *argv[1:],
            stdin=asyncio.subprocess.DEVNULL if given is None else given,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if capture else asyncio.subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **_ENVIRONMENT, **(env or {})},
            pass_fds=(lease_read,),
            start_new_session=True,
        ))  # fmt: skip
    except BaseException:  # a cancel, too, may leave no descriptor open
        os.close(lease_write)
        raise
    finally:
        os.close(lease_read)
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    captured: list[bytes] = []
    try:
        with log.open("ab") if log else contextlib.nullcontext() as log_file:

            def note(chunk: bytes) -> None:
                if log_file is not None:
                    log_file.write(chunk)

            def line(text: str) -> None:
                tail.append(text)
                if on_line is not None:
                    on_line(text)

            async def capture_stdout(stream: asyncio.StreamReader) -> None:
                while chunk := await stream.read(1 << 16):
                    captured.append(chunk)

            async with asyncio.TaskGroup() as group:
                if stdin is not None:
                    group.create_task(_feed(process, stdin))
                assert process.stdout is not None
                if capture:
                    assert process.stderr is not None
                    group.create_task(capture_stdout(process.stdout))
                    group.create_task(_lines(process.stderr, note, line))
                else:
                    group.create_task(_lines(process.stdout, note, line))
            code = await process.wait()
    except BaseException:  # a cancel, too, ends the whole group
        await finish(_end_group(process))
        raise
    finally:
        os.close(lease_write)
    output = b"".join(captured).decode(errors="replace") if capture else "\n".join(tail)
    if code and check:
        name = Path(argv[0]).name
        last = next((text for text in reversed(tail) if text.strip()), "it said nothing")
        raise ToolFailed(
            title or f"{name} failed",
            f"It ended with code {code}: {last[:300]}",
            f"The whole output is in {log}." if log else "",
            code=code,
            tail="\n".join(tail),
        )
    return ToolResult(code, output)


async def _started(
    starting: Awaitable[asyncio.subprocess.Process],
) -> asyncio.subprocess.Process:
    """The process, whole or not at all: cancelled in between, asyncio kills the leader alone and
    waits for its output to end, which the rest of the group keeps open."""
    task = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await finish(_end_group(await finish(task)))
        raise


async def _feed(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _lines(
    stream: asyncio.StreamReader, note: Callable[[bytes], None], line: Callable[[str], None]
) -> None:
    """Split output at newlines and carriage returns; a line without end is cut, never hoarded."""
    rest = b""
    while chunk := await stream.read(1 << 16):
        note(chunk)
        *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        for raw in whole:
            if raw:
                line(raw[:_MAX_LINE].decode(errors="replace"))
        rest = rest[-_MAX_LINE:]
    if rest:
        line(rest.decode(errors="replace"))


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End a tool's process group. Its leader is our unreaped child, so the group is ours."""
    if process.returncode is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await process.wait()
                break
    # the leader may have gone before its children: what is left of the group goes too
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


# ------------------------------------------------------------------------------------- daemons


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process told apart from any later one with the same number.

    ``start`` is field 22 of /proc/PID/stat (clock ticks since boot; proc(5)).
    """

    pid: int
    start: int

    @classmethod
    def own(cls) -> ProcessId:
        found = cls.of(os.getpid())
        assert found is not None
        return found

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has this number now; None if there is none (or only a zombie)."""
        stat = _stat(pid)
        return None if stat is None or stat[0] in "ZX" else cls(pid, stat[1])

    @property
    def alive(self) -> bool:
        return ProcessId.of(self.pid) == self

    def signal(self, number: int) -> bool:
        """Send a signal to exactly this process; False when it is gone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive:
                return False
            signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True

    async def gone(self, timeout: float | None = None) -> bool:
        """Wait for its end (no polling); False when ``timeout`` seconds passed first."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        try:
            if not self.alive:
                return True
            loop.add_reader(descriptor, ended.set)
            try:
                async with asyncio.timeout(timeout):
                    await ended.wait()
            except TimeoutError:
                return False
            finally:
                loop.remove_reader(descriptor)
            return True
        finally:
            os.close(descriptor)

    async def end(self, grace: float = 2.0) -> None:
        """TERM, then KILL after ``grace`` seconds; returns when it is gone."""
        if self.signal(signal.SIGTERM) and not await self.gone(grace):
            self.signal(signal.SIGKILL)
            await self.gone(10.0)

    def cpu_seconds(self) -> float | None:
        """User + system time so far; None when gone."""
        stat = _stat(self.pid)
        if stat is None or stat[0] in "ZX" or stat[1] != self.start:
            return None
        return stat[2] / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self) -> int | None:
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1])
        except (OSError, IndexError, ValueError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> tuple[str, int, int] | None:
    """(state, start, utime+stime) from /proc/PID/stat; the name in it may hold anything."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return fields[0].decode(), int(fields[19]), int(fields[11]) + int(fields[12])
    except (OSError, IndexError, ValueError):
        return None


# Children we started must be reaped, or a dead one stays as a zombie with its number taken.
_children: set[asyncio.subprocess.Process] = set()


async def spawn_daemon(argv: Sequence[str], *, log: Path, cwd: Path | None = None) -> ProcessId:
    """Start a program in its own session; it outlives this process. Output goes to ``log``.

    Raises:
        MissingTool: argv[0] isn't installed.
    """
    program = find_tool(argv[0])
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            program, *argv[1:],
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            cwd=cwd, start_new_session=True, umask=0o077,
        )  # fmt: skip
    _children.add(process)
    reaper = asyncio.create_task(process.wait(), name=f"reap {process.pid}")
    reaper.add_done_callback(lambda _: _children.discard(process))
    # Even a program that has ended already is our unreaped child here, so stat is there to read.
    stat = _stat(process.pid)
    return ProcessId(process.pid, stat[1] if stat else 0)


def find_by_argument(marker: str) -> list[ProcessId]:
    """Living processes of ours that carry ``marker`` as one whole argument. Blocking (/proc).

    Used after a crash: a VM's id stands on its hypervisor's command line, which proves whose it is.
    """
    return [process for process, argument in processes_with(marker) if argument == marker]


def processes_with(beginning: str) -> list[tuple[ProcessId, str]]:
    """Living processes of ours with an argument that starts so, and that argument. Blocking."""
    wanted = os.fsencode(beginning)
    found: list[tuple[ProcessId, str]] = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid != os.getuid():
                continue
            arguments = Path(entry.path, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        match = next((a for a in arguments[1:] if a.startswith(wanted)), None)
        if match is not None and (identity := ProcessId.of(int(entry.name))):
            found.append((identity, os.fsdecode(match)))
    return found
