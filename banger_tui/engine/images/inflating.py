"""Layers inflated while others are still on their way, each held against its digest."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from banger_tui.engine.artefacts import Workplace
from banger_tui.engine.errors import DigestMismatch
from banger_tui.engine.layers.inflate import Inflated, inflate
from banger_tui.engine.limits import Limits
from banger_tui.engine.oci.manifest import Descriptor
from banger_tui.engine.progress import Stage
from banger_tui.engine.shield import finish, in_thread

_AT_ONCE = 2


class Inflating:
    """A tar in ``place.staging`` for each layer, two at once; what runs ends with the block.

    Args:
        file: the path of a layer's blob, by its digest.
    """

    def __init__(
        self,
        layers: Sequence[Descriptor],
        diff_ids: Sequence[str],
        place: Workplace,
        file: Callable[[str], Path],
    ) -> None:
        self._layers = layers
        self._diff_ids = diff_ids
        self._place = place
        self._file = file
        self._tasks: dict[int, asyncio.Task[Path]] = {}
        self._read: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._stop = threading.Event()
        self._stage: Stage | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for task in self._tasks.values():
            task.cancel()
        await finish(asyncio.gather(*self._tasks.values(), return_exceptions=True))

    def arrived(self, digest: str) -> None:
        """The blob of this digest is whole."""
        for number, layer in enumerate(self._layers):
            if layer.digest == digest and number not in self._tasks:
                self._tasks[number] = asyncio.create_task(self._one(number))

    async def all(self, stage: Stage) -> tuple[Path, ...]:
        """The tars of all layers, lowest first, when every blob has arrived; progress in bytes of
        the blobs.

        Raises:
            BadContent, DigestMismatch, LimitExceeded, NotEnoughDisk
        """
        self._stage = stage
        self._tell()
        tasks = [self._tasks[number] for number in range(len(self._layers))]
        if tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        return tuple(task.result() for task in tasks)

    async def _one(self, number: int) -> Path:
        layer, target = self._layers[number], self._place.staging / f"layer-{number}.tar"
        loop = asyncio.get_running_loop()

        def progress(read: int) -> None:
            self._read[number] = read
            loop.call_soon_threadsafe(self._tell)

        async with self._slots:
            found = await in_thread(
                _inflate, self._file(layer.digest), target, layer.media_type, self._place.limits,
                self._stop, progress, self._sizes,
            )  # fmt: skip
            self._sizes[number] = found.size_bytes
        if found.diff_id != self._diff_ids[number]:
            raise DigestMismatch(
                "A layer is not the one that the image's config names",
                f"Layer {number + 1} unpacks to {found.diff_id[:19]}…, wanted is "
                f"{self._diff_ids[number][:19]}….",
                "The image was put together wrongly, or is not what it says.",
            )
        return target

    def _tell(self) -> None:
        if self._stage is not None:
            total = sum(layer.size for layer in self._layers)
            self._stage.progress(sum(self._read.values()), total, "bytes")


def _inflate(
    blob: Path, target: Path, media_type: str, limits: Limits, stop: threading.Event,
    progress: Callable[[int], None], sizes: dict[int, int],
) -> Inflated:  # fmt: skip
    return inflate(
        blob, target, media_type, limits, stop=stop.is_set, progress=progress,
        others_bytes=lambda: sum(sizes.copy().values()),
    )  # fmt: skip
