"""What every command is given."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from banger_tui.cli.interrupts import Interrupts
from banger_tui.cli.output import Output

if TYPE_CHECKING:
    from banger_tui.engine.api import Engine
    from banger_tui.engine.paths import Paths
    from banger_tui.engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """An open engine and a person (or program) who wants something of it."""

    args: Namespace
    out: Output
    engine: Engine
    interrupts: Interrupts
    paths: Paths
    settings: Settings


@dataclass(frozen=True, slots=True)
class Handover:
    """Become this program once the engine is closed."""

    argv: tuple[str, ...]


Command = Callable[[Context], Awaitable[int | Handover]]
