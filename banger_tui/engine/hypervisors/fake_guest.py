"""What answers in a VM that is none: a console and shells that echo, a handful of commands."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence

from banger_tui.engine.errors import GuestUnreachable
from banger_tui.engine.hypervisors.base import Channel, Vmm
from banger_tui.engine.model import VmRecord

_SESSION = "/.banger/session"


class Tape:
    """Bytes written once and read by many, each from its own place."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.closed = False
        self._grown = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.data += data
        self._wake()

    def close(self) -> None:
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def read(self, offset: int, given_up: asyncio.Event | None = None) -> bytes:
        """What stands at ``offset`` and after it, waiting for it; b"" at the end, or given up."""
        while len(self.data) <= offset and not self.closed:
            if given_up is not None and given_up.is_set():
                break
            await self._grown.wait()
        return bytes(self.data[offset:])


class TapeReader:
    """One viewer of a tape; what it types is echoed and answered like by a tiny shell."""

    def __init__(self, tape: Tape, prompt: str) -> None:
        self._tape = tape
        self._prompt = prompt
        self._offset = 0
        self._line = ""
        self._closed = asyncio.Event()
        self._code = 0

    async def read(self) -> bytes:
        data = await self._tape.read(self._offset, self._closed)
        self._offset += len(data)
        return b"" if self._closed.is_set() else data

    async def read_stderr(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        for char in data.decode(errors="replace"):
            if char in "\r\n":
                command, self._line = self._line.strip(), ""
                self._tape.write(b"\r\n")
                if command == "exit":
                    self._tape.close()
                    return
                if command.startswith("echo "):
                    self._tape.write(command[5:].encode() + b"\r\n")
                elif command:
                    self._tape.write(f"{command}: not found\r\n".encode())
                self._tape.write(self._prompt.encode())
            elif char == "\x03":
                self._line = ""
                self._tape.write(b"^C\r\n" + self._prompt.encode())
            elif char == "\x7f":
                self._line = self._line[:-1]
                self._tape.write(b"\b \b")
            elif char.isprintable():
                self._line += char
                self._tape.write(char.encode())

    async def write_eof(self) -> None:
        self._tape.close()

    async def resize(self, columns: int, rows: int) -> None:
        pass

    async def wait(self) -> int:
        while await self.read():
            pass
        return self._code

    async def close(self) -> None:
        self._closed.set()
        self._tape._wake()


_PROGRAMS = ("sh", "echo", "uname", "cat", "true", "sync", "sleep")


class Command:
    """One program that runs at once; what it prints is read as from a real one."""

    def __init__(
        self,
        argv: Sequence[str],
        host: str,
        out: Tape | None = None,
        err: Tape | None = None,
        stdin: Tape | None = None,
    ) -> None:
        self._host = host
        self._out, self._err, self._stdin = out or Tape(), err or Tape(), stdin or Tape()
        self._read = self._read_err = 0
        self._code = 0
        self._ended = asyncio.Event()
        self._task = asyncio.create_task(self._run(argv), name=f"fake command {argv[0]}")

    @staticmethod
    def known(program: str) -> bool:
        """Whether there is such a program."""
        return program.rpartition("/")[2] in _PROGRAMS

    async def _run(self, argv: Sequence[str]) -> None:
        try:
            self._code = await self._execute(list(argv))
        finally:
            self._out.close()
            self._err.close()
            self._ended.set()

    async def _execute(self, words: list[str]) -> int:
        match words:
            case ["sh", "-c", script]:
                code = 0
                for part in script.split(";"):
                    inner = shlex.split(part)
                    if inner[:1] == ["exit"]:
                        return int(inner[1]) if len(inner) > 1 else code
                    if inner:
                        code = await self._execute(inner)
                return code
            case ["echo", *rest]:
                to = self._err if ">&2" in rest else self._out
                to.write((" ".join(word for word in rest if word != ">&2") + "\n").encode())
            case ["uname", *_]:
                self._out.write(f"Linux {self._host} 6.1.0-fake\n".encode())
            case ["cat"]:
                position = 0
                while data := await self._stdin.read(position):
                    position += len(data)
                    self._out.write(data)
            case ["sleep", seconds]:
                await asyncio.sleep(float(seconds))
            case ["true" | "sync"]:
                pass
            case _:
                self._err.write(f"{words[0]}: not found\n".encode())
                return 127
        return 0

    async def read(self) -> bytes:
        data = await self._out.read(self._read)
        self._read += len(data)
        return data

    async def read_stderr(self) -> bytes:
        data = await self._err.read(self._read_err)
        self._read_err += len(data)
        return data

    async def write(self, data: bytes) -> None:
        self._stdin.write(data)

    async def write_eof(self) -> None:
        self._stdin.close()

    async def resize(self, columns: int, rows: int) -> None:
        pass

    async def wait(self) -> int:
        await self._ended.wait()
        return self._code

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class FakeTransport:
    """Shells are tapes kept by name, so that attaching again redraws; commands answer at once."""

    def __init__(self, vm: VmRecord, vmm: Vmm | None, shells: dict[str, Tape]) -> None:
        self._vm = vm
        self._vmm = vmm
        self._shells = shells

    async def open(
        self, argv: Sequence[str], *, pty: tuple[int, int] | None = None, term: str = ""
    ) -> Channel:
        if self._vmm is None or not self._vmm.alive:
            raise GuestUnreachable(
                "The guest's ssh server can't be reached", "The VM is not running."
            )
        if argv[:1] == [_SESSION]:
            from banger_tui.engine.hypervisors.fake_sessions import FakeKeeper

            return FakeKeeper(self._shells, self._vm.name).open(argv[1:])
        if pty is not None:
            prompt = f"root@{self._vm.name}:~# "
            name = argv[-1] if argv else "shell"
            tape = self._shells.get(name)
            if tape is None or tape.closed:
                tape = self._shells[name] = Tape()
                tape.write(prompt.encode())
            return TapeReader(tape, prompt)
        return Command(argv, self._vm.name)

    async def close(self) -> None:
        pass
