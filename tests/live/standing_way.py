"""The command line, standing still at the begin or the end of a stage until it is killed.

Run as ``python -m tests.live.standing_way PLACE ARGUMENT…``: PLACE is as of ``ways.Halts`` ("end
flatten"), the arguments are the command line's own. ``here`` is printed at the place.
"""

from __future__ import annotations

import asyncio
import sys

import pytest

from banger_tui.cli.main import main
from tests.live.ways import Halts, halts


async def stand_still(self: Halts, place: str) -> None:
    if place == sys.argv[1]:
        print("here", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    Halts.pass_by = stand_still  # type: ignore[method-assign]
    with halts(pytest.MonkeyPatch()):
        sys.exit(main(sys.argv[2:]))
