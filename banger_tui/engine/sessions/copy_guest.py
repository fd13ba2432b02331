"""A guest's side of a copy: the kit's own tar, started over the VM's connection.

Only the kit's programs are used, whatever the image has. What goes in lies beside its place until
it is whole: a last entry, "whole", says that nothing is missing. It is an archive of its own, with
the modes and times of all directories, which are right only when nothing is put into them any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

from banger_tui.engine.errors import BangerError, GuestFailure, GuestUnreachable, InvalidInput
from banger_tui.engine.hypervisors.base import Channel, Transport
from banger_tui.engine.sessions.command import sendable
from banger_tui.engine.sessions.copy_tar import END, Entry, Kind, TarReader, header, padding, unsafe
from banger_tui.engine.shield import finish

_BUSYBOX: Final = "/.banger/bin/busybox"
_ROOT: Final = b"data"
_PIECE: Final = 128 << 10
_FIRST_LINE: Final = 200
_COMPLAINT: Final = 4 << 10
_NO_TRANSPORT: Final = 255

# The first line says what it is; then comes a file's content, or a directory as tar.
_READ: Final = """\
fail() { echo "$*" >&2; exit 1; }
[ -e "$1" ] || fail "There is no such file."
if [ -d "$1" ]; then
	cd "$1" || exit 1
	total=$(find . -type f -exec stat -c %s {} + | awk '{ n += $1 } END { printf "%.0f", n }')
	echo "directory 0 0 ${total:-0}"
	exec tar -c -f - .
fi
[ -f "$1" ] || fail "It is neither a file nor a directory."
exec 3<"$1" || exit 1
echo "file $(stat -L -c '%a %Y %s' "$1")"
exec cat <&3
"""
# $1: where to, $2: its name in a directory, empty for what is in it.
_WRITE: Final = """\
fail() { echo "$*" >&2; exit 1; }
target=$1
if [ -d "$1" ]; then target=$1${2:+/$2}
else case $1 in */) fail "There is no directory $1" ;; esac
fi
case $target in */*) parent=${target%/*}/ ;; *) parent=./ ;; esac
[ -z "$2" ] && [ -d "$target" ] && parent=$target/
[ -d "$parent" ] || fail "There is no directory $parent"
beside=$(mktemp -d "$parent.banger-copy-XXXXXX") || exit 1
trap 'rm -rf "$beside"' EXIT
trap 'exit 129' HUP INT TERM
merge() {
	if [ -d "$1" ] && [ ! -L "$1" ] && [ -d "$2" ]; then
		if [ -L "$2" ] && [ "$2" != "$target" ]; then fail "$2 is no directory."; fi
		for one in "$1"/* "$1"/.[!.]* "$1"/..?*; do
			[ -e "$one" ] || [ -L "$one" ] || continue
			(merge "$one" "$2/${one##*/}") || exit 1
		done
	elif [ -d "$2" ] && [ ! -L "$2" ]; then fail "$2 is a directory."
	elif [ -d "$1" ] && [ ! -L "$1" ] && { [ -e "$2" ] || [ -L "$2" ]; }; then
		fail "$2 is no directory."
	elif [ -L "$2" ] && [ -d "$2" ]; then rm "$2" && mv -f "$1" "$2"
	else mv -f "$1" "$2"
	fi
}
echo ready
tar -x -p -f - -C "$beside" || exit 1
[ -e "$beside/whole" ] || fail "It broke off in the middle."
[ ! -s "$beside/whole" ] || tar -x -p -f "$beside/whole" -C "$beside" || exit 1
merge "$beside/data" "$target"
"""


class Guest:
    """One side of a copy that is a path in a VM."""

    def __init__(self, transport: Transport, vm: str, path: str) -> None:
        """
        Raises:
            InvalidInput: no guest has such a path.
        """
        _text(path.encode("utf-8", "surrogateescape"))
        self._transport = transport
        self._label = f"{vm}:{path}"
        self._path = path

    async def read(self, measured: Callable[[int], None]) -> AsyncGenerator[Entry | bytes, None]:
        """What is there, as entries; ``measured`` is told about how many bytes it will be.

        Raises:
            BangerError
        """
        async with _Program(self._transport, _READ, [self._path or "."]) as program:
            kind, mode, mtime, size, rest = await _first_line(program, self._label)
            measured(size)
            if kind == "file":
                yield Entry((), Kind.FILE, mode & 0o777, mtime, size)
                while rest or (rest := await program.channel.read()):
                    yield rest
                    rest = b""
                await program.ended(f"Can't read {self._label}")
                return
            reader = TarReader()
            while rest or (rest := await program.channel.read()):
                for item in reader.feed(rest):
                    yield item
                rest = b""
            await program.ended(f"Can't read {self._label}")
            reader.finish()

    async def write(self, entries: AsyncIterator[Entry | bytes], name: bytes) -> None:
        """Put what comes into its place, when all of it has come. As ``name`` in a directory.

        Raises:
            BangerError
        """
        title = f"Can't write {self._label}"
        words = [self._path or ".", _text(name)]
        async with _Program(self._transport, _WRITE, words) as program:
            if await program.channel.read() != b"ready\n":
                await program.ended(title)
                raise GuestFailure(title, "It does not say that it is ready.", "")
            sending = asyncio.ensure_future(_send(program.channel, entries))
            ended = asyncio.ensure_future(program.ended(title))
            try:
                await asyncio.wait((sending, ended), return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
                # Where it ended before all was sent, it says why.
                await ended
            finally:
                for task in (sending, ended):
                    task.cancel()
                await finish(asyncio.wait((sending, ended)))


async def _send(channel: Channel, entries: AsyncIterator[Entry | bytes]) -> None:
    """Entries as tar, then "whole"."""
    directories: list[Entry] = []
    buffer = bytearray()
    left, pad = 0, b""
    async for item in entries:
        if isinstance(item, bytes):
            if len(item) > left:
                raise unsafe("A file is longer than it said.")
            left -= len(item)
            buffer += item
        else:
            _whole(left)
            buffer += pad
            left, pad = item.size, padding(item.size)
            if item.kind is Kind.DIRECTORY:
                directories.append(item)
                buffer += header(Entry(item.parts, item.kind, 0o700, item.mtime), _ROOT)
            else:
                buffer += header(item, _ROOT)
        if len(buffer) >= _PIECE:
            await channel.write(bytes(buffer))
            buffer.clear()
    _whole(left)
    buffer += pad
    last = b"".join(header(entry, _ROOT) for entry in reversed(directories))
    last += END if last else b""
    buffer += header(Entry((), Kind.FILE, size=len(last)), b"whole") + last + padding(len(last))
    await channel.write(bytes(buffer + END))
    await channel.write_eof()


def _whole(left: int) -> None:
    if left:
        raise unsafe("A file is shorter than it said.")


async def _first_line(program: _Program, label: str) -> tuple[str, int, int, int, bytes]:
    """Kind, mode, time and size of what is read, and what came after that line."""
    data = b""
    while b"\n" not in data and len(data) < _FIRST_LINE and (more := await program.channel.read()):
        data += more
    line, _, rest = data.partition(b"\n")
    if not line:
        await program.ended(f"Can't read {label}")
    try:
        kind, mode, mtime, size = line.decode("ascii").split()
        if kind not in ("file", "directory"):
            raise ValueError
        seconds = min(max(int(mtime), -(1 << 31)), 1 << 34)
        return kind, int(mode, 8), seconds, min(max(int(size), 0), 1 << 62), rest
    except ValueError:
        raise unsafe(f"It begins with {line[:80]!r}.") from None


class _Program:
    """A script of ours in the guest; what it complains about is kept, up to a few lines."""

    def __init__(self, transport: Transport, script: str, words: list[str]) -> None:
        self._transport = transport
        self._argv = sendable([_BUSYBOX, "sh", "-c", script, "copy", *words])
        self._complaint = bytearray()

    async def __aenter__(self) -> _Program:
        self.channel = await self._transport.open(self._argv)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        await finish(self._close())

    async def _close(self) -> None:
        self._listening.cancel()
        await asyncio.wait([self._listening])
        with contextlib.suppress(BangerError, OSError):
            await self.channel.close()

    async def _listen(self) -> None:
        while data := await self.channel.read_stderr():
            self._complaint += data[: _COMPLAINT - len(self._complaint)]

    async def ended(self, title: str) -> None:
        """Wait for its end. Raises: GuestFailure, when that is no good one."""
        while await self.channel.read():
            pass
        code = await self.channel.wait()
        await asyncio.wait([self._listening])
        if code == 0:
            return
        lines = self._complaint.decode(errors="replace").strip().splitlines()
        why = lines[-1][:300] if lines else f"It ended with code {code} and said nothing."
        if code == _NO_TRANSPORT and not lines:
            raise GuestUnreachable(title, "The connection broke.", "Try again.")
        raise GuestFailure(title, why, "")


def _text(path: bytes) -> str:
    """A path as a word of a command. Raises: InvalidInput, when it can't be one."""
    try:
        if b"\0" not in path:
            return path.decode()
    except UnicodeDecodeError:
        pass
    raise InvalidInput(
        "A name must be UTF-8 here",
        repr(path),
        "Copy the directory it is in; all names can be there.",
    )


#: The way into a VM, by its name or id.
Opener = Callable[[str], Awaitable[Transport]]


def read_command(path: str) -> list[str]:
    """The argv that prints one file. Raises: InvalidInput"""
    return sendable([_BUSYBOX, "cat", "--", path])
