"""What was open when the app was left, or killed: the tabs of each machine, and the last seen.

A small file, written anew a moment after something has changed. It only saves the person a few
keys: where it can't be read or written, the app opens as at its first start.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from banger_tui.widgets.tabs import CONSOLE, OVERVIEW, Pane, Tab, session

log = logging.getLogger(__name__)
_SOON = 0.3  # seconds; several changes are written as one
_MOST = 200
_LONGEST = 1 << 16


@dataclass(slots=True)
class Desk:
    """``open``: panes with a stream; ``tabs``: where each machine was left; ``last``: the machine
    under the cursor."""

    open: list[Pane] = field(default_factory=list)
    tabs: dict[str, Tab] = field(default_factory=dict)
    last: str = ""


class DeskFile:
    """Reads a desk once and writes it when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = ""
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def read(self) -> Desk:
        """An empty one where there is none, or none that makes sense."""
        try:
            text = await asyncio.to_thread(_read, self._path)
            return _parsed(json.loads(text))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return Desk()

    def write(self, desk: Desk) -> None:
        """Write it soon, if it is another than before."""
        text = json.dumps(
            {
                "open": [[p.machine, *_words(p.tab)] for p in desk.open[-_MOST:]],
                "tabs": {machine: _words(tab) for machine, tab in list(desk.tabs.items())[-_MOST:]},
                "last": desk.last,
            }
        )
        if text != self._written:
            self._written = text
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(_SOON, self._begin)

    async def close(self) -> None:
        """Write what has not been written yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._begin()
        if self._task is not None:
            await self._task

    def _begin(self) -> None:
        self._timer = None
        self._task = asyncio.create_task(self._save(self._written, self._task), name="desk")

    async def _save(self, text: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await before
        try:
            await asyncio.to_thread(_write, self._path, text)
        except OSError:
            log.exception("writing %s", self._path)


def _words(tab: Tab) -> list[str]:
    return [tab.kind, tab.session]


def _tab(kind: object, name: object) -> Tab:
    if kind == "session" and isinstance(name, str) and name:
        return session(name)
    return CONSOLE if kind == "console" else OVERVIEW


def _parsed(found: dict[str, object]) -> Desk:
    panes, tabs, last = found["open"], found["tabs"], found["last"]
    if not (isinstance(panes, list) and isinstance(tabs, dict) and isinstance(last, str)):
        return Desk()
    return Desk(
        [Pane(str(machine), _tab(kind, name)) for machine, kind, name in panes[:_MOST]],
        {str(machine): _tab(kind, name) for machine, (kind, name) in tabs.items()},
        last,
    )


def _read(path: Path) -> str:
    with path.open() as file:
        return file.read(_LONGEST)


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_text(text)
    temporary.chmod(0o600)
    temporary.replace(path)
