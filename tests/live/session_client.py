"""A client of a session in a process of its own, to be killed.

Run as ``python -m tests.live.session_client HOME VM NAME OUT``: prints stdout from byte OUT
on; with "pty" for OUT it attaches a terminal and prints what that shows.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from banger_tui.engine.api import Engine
from banger_tui.engine.paths import Paths


async def main(home: str, vm: str, name: str, out: str) -> None:
    async with Engine(Paths.below(Path(home))) as engine:
        if out == "pty":
            attached = await engine.sessions.attach(vm, name, (80, 24))
        else:
            attached = await engine.sessions.attach(vm, name, out=int(out))
        while data := await attached.read():
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        await attached.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
