"""One kind of thing that is kept by name (images, kernels): its rows, directories and locks.

What is the same for both stands here and in ``pulls``; what differs is in the fields.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from banger_tui.engine.errors import InUse, NameTaken, NotFound
from banger_tui.engine.locks import Lock
from banger_tui.engine.publish import publish
from banger_tui.engine.shield import finish, whole


class Record(Protocol):
    """What the records of every kind have."""

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def created_at(self) -> float: ...


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Collection(Generic[R]):
    """
    Args:
        kind: the word for one of them in messages, commands and stages: "image", "kernel".
        directory: where the files of a name are.
        pull_lock: held while one pull of a name serves all who wait for it.
        publish_lock: ``image_publish``.
        find: the row of a name, or None.
        insert: writes a row; raises NameTaken.
        delete: removes a row; raises NotFound, InUse.
    """

    kind: str
    directory: Callable[[str], Path]
    pull_lock: Callable[[str], Lock]
    publish_lock: Lock
    find: Callable[[str], Awaitable[R | None]]
    insert: Callable[[R], Awaitable[None]]
    delete: Callable[[str], Awaitable[None]]

    async def get(self, name: str) -> R:
        """Raises: NotFound."""
        record = await self.find(name)
        if record is None:
            raise NotFound(
                f"The {self.kind} {name!r} is not here", "",
                f"See what is: banger-tui {self.kind} list; "
                f"get it: banger-tui {self.kind} pull {name}",
            )  # fmt: skip
        return record

    def taken(self, record: R) -> NameTaken:
        """What to raise when something else has this record's name."""
        return NameTaken(
            f"The {self.kind} {record.name} is already here",
            f"It was made from {record.source}.",
            f"To make it anew: banger-tui {self.kind} delete {record.name}",
        )

    async def publish(self, staged: Path, record: R) -> None:
        """Put the directory ``staged`` in place and write the row; both or neither.

        Raises:
            NameTaken: another was faster.
        """
        final = self.directory(record.name)
        await publish(self.publish_lock, staged, final, lambda: self.insert(record))

    async def remove(self, name: str) -> None:
        """Delete row and files: the lock is held for the row only, the files go after.

        Raises:
            NotFound
            InUse: something needs it.
        """
        final = self.directory(name)
        # Renamed under the lock: a new pull of the name must not find these files in its place.
        trash = final.with_name(f".trash-{secrets.token_hex(4)}")
        try:
            async with self.publish_lock.hold(f"delete {self.kind} {name}"):
                await whole(self._set_aside(name, final, trash))
        finally:
            await finish(asyncio.to_thread(shutil.rmtree, trash, ignore_errors=True))

    async def discard(self, record: R) -> None:
        """Take back what was published for something that then failed, unless it is used by now.
        What somebody else has by that name stays."""
        here = await self.find(record.name)
        if here is None or (here.digest, here.created_at) != (record.digest, record.created_at):
            return
        with contextlib.suppress(NotFound, InUse):
            await self.remove(record.name)

    async def _set_aside(self, name: str, final: Path, trash: Path) -> None:
        await self.delete(name)
        if await asyncio.to_thread(final.exists):
            await asyncio.to_thread(os.rename, final, trash)
