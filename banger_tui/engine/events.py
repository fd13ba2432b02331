"""The event union, and the bus that carries it to screens, command line and tests.

A subscriber has a bounded queue. Progress coalesces: of several waiting ``OperationChanged`` or
``StatsSampled`` for one thing only the newest stays, so a slow subscriber sees fewer frames and
never a wrong end. State is never dropped: when a queue is full of state, the subscriber is told
to read everything anew (``Resync``) instead of being shown a hole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from banger_tui.engine.model import (
    HostView,
    ImageRecord,
    KernelRecord,
    Link,
    OperationView,
    VmRecord,
    VmStats,
)


@dataclass(frozen=True, slots=True)
class VmChanged:
    vm: VmRecord


@dataclass(frozen=True, slots=True)
class VmDeleted:
    vm_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ImageChanged:
    image: ImageRecord


@dataclass(frozen=True, slots=True)
class ImageDeleted:
    name: str


@dataclass(frozen=True, slots=True)
class KernelChanged:
    kernel: KernelRecord


@dataclass(frozen=True, slots=True)
class KernelDeleted:
    name: str


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The connection to a guest that somebody here uses."""

    vm_id: str
    link: Link


@dataclass(frozen=True, slots=True)
class OperationChanged:
    operation: OperationView


@dataclass(frozen=True, slots=True)
class StatsSampled:
    host: HostView
    vms: tuple[VmStats, ...]


@dataclass(frozen=True, slots=True)
class Resync:
    """Too much happened at once: read lists anew."""


Event = (
    VmChanged
    | VmDeleted
    | ImageChanged
    | ImageDeleted
    | KernelChanged
    | KernelDeleted
    | LinkChanged
    | OperationChanged
    | StatsSampled
    | Resync
)


def _coalescing_key(event: Event) -> tuple[str, str] | None:
    """Events with one key replace each other while they wait; None: each counts."""
    match event:
        case OperationChanged(operation):
            # The end of an operation is state, its way there is progress.
            return None if operation.state.over else ("operation", operation.id)
        case LinkChanged(vm_id):
            return ("link", vm_id)
        case StatsSampled():
            return ("stats", "")
        case _:
            return None


class Subscription:
    """One reader's bounded queue: ``async for event in subscription``."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        # dict keeps order; a coalesced event keeps its place in the queue and gets new content
        self._waiting: dict[object, Event] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def publish(self, event: Event) -> None:
        key: object = _coalescing_key(event)
        if key is None:
            if isinstance(event, OperationChanged):
                self._waiting.pop(("operation", event.operation.id), None)
            key = object()
        elif key not in self._waiting and len(self._waiting) >= self._limit:
            return
        if len(self._waiting) >= self._limit and key not in self._waiting:
            self._waiting.clear()
            key, event = object(), Resync()
        self._waiting[key] = event
        self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))


class Bus:
    """Fan-out of events to every subscriber, within one event loop."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._internal = 0

    def publish(self, event: Event) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.publish(event)

    @property
    def watched(self) -> bool:
        """Whether anybody but the engine itself listens."""
        return len(self._subscriptions) > self._internal

    @contextmanager
    def listen(self) -> Iterator[Subscription]:
        """The engine's own subscription: it does not count as somebody who watches."""
        self._internal += 1
        try:
            with self.subscribe() as subscription:
                yield subscription
        finally:
            self._internal -= 1

    @contextmanager
    def subscribe(self, limit: int = 1024) -> Iterator[Subscription]:
        """A subscription that receives everything published inside the ``with`` block."""
        subscription = Subscription(limit)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            subscription.close()
