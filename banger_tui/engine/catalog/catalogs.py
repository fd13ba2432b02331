"""The embedded catalog with a person's own before it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.catalog.load import Catalog, embedded
from banger_tui.engine.catalog.parse import parse_both
from banger_tui.engine.errors import (
    BadContent,
    BangerError,
    DigestMismatch,
    HostLacks,
    InvalidInput,
    LimitExceeded,
)
from banger_tui.engine.settings import UserCatalog

Fetch = Callable[[str], Awaitable[bytes]]

_FRESH = 86400.0  # seconds for which a copy serves without a question
_RESPITE = 60.0  # seconds for which a web server that failed is not asked again
_MOST_BYTES = 16 << 20
_HINT = "It is named below [[catalogs]] in config.toml."


@dataclass(frozen=True, slots=True)
class _Content:
    images: dict[str, ImageEntry]
    kernels: dict[str, KernelEntry]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Copy:
    """What is kept of a catalog on the web; ``taken``: seconds since the epoch."""

    data: bytes
    taken: float


class Catalogs:
    """All catalogs there are.

    Args:
        user: a person's own, those that count most first.
        copies: directory for what was last read of those on the web.
        fetch: gets the content of a URL within bounded time; raises BangerError.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        user: Sequence[UserCatalog],
        copies: Path,
        fetch: Fetch,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._user = tuple(user)
        self._copies = copies
        self._fetch = fetch
        self._now = now
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._failed: dict[str, tuple[float, BangerError]] = {}

    async def load(self, *, refresh: bool = False) -> Catalog:
        """What can be had by name now.

        A person's catalog that can't be had or read is left out and told. One on the web is asked
        for once a day; while it does not answer, the copy serves.

        Args:
            refresh: ask the web however fresh the copies are.

        Raises:
            InvalidInput: a damaged installation.
        """
        base = await asyncio.to_thread(embedded)
        found = await asyncio.gather(*(self._try(catalog, refresh) for catalog in self._user))
        images: dict[str, ImageEntry] = {}
        kernels: dict[str, KernelEntry] = {}
        for content in (*found, base):
            if not isinstance(content, BangerError):
                images = {**content.images, **images}
                kernels = {**content.kernels, **kernels}
        return Catalog(
            images,
            kernels,
            unread=tuple(one for one in found if isinstance(one, BangerError)),
            problems=tuple(filter(None, map(_problem, found))),
        )

    async def _try(self, catalog: UserCatalog, refresh: bool) -> _Content | BangerError:
        try:
            if catalog.location.startswith(("https://", "http://")):
                async with self._asking[catalog.location]:
                    return await self._from_web(catalog, refresh)
            data = await asyncio.to_thread(_read, Path(catalog.location))
            return await asyncio.to_thread(_parsed, data, catalog)
        except BangerError as error:
            return error

    async def _from_web(self, catalog: UserCatalog, refresh: bool) -> _Content:
        name = f"{hashlib.sha256(catalog.location.encode()).hexdigest()[:32]}.json"
        copy = await asyncio.to_thread(_kept, self._copies / name)
        content, age = None, 0.0
        if copy is not None:
            content = await asyncio.to_thread(_usable, copy.data, catalog)
            age = self._now() - copy.taken
        # What is pinned by its digest never changes.
        if content and (catalog.sha256 or (0 <= age < _FRESH and not refresh)):
            return content
        try:
            return await self._asked(catalog, self._copies / name, refresh)
        except BangerError as error:
            if content is None or copy is None:
                raise
            day = time.strftime("%Y-%m-%d", time.localtime(copy.taken))
            problem = f"{catalog.location}: {error}; the copy of {day} is used"
            return _Content(content.images, content.kernels, problem)

    async def _asked(self, catalog: UserCatalog, copy: Path, refresh: bool) -> _Content:
        url = catalog.location
        since, failure = self._failed.get(url, (0.0, None))
        if failure is not None and not refresh and 0 <= self._now() - since < _RESPITE:
            raise failure
        try:
            data = await self._fetch(url)
            content = await asyncio.to_thread(_parsed, data, catalog)
        except BangerError as error:
            self._failed[url] = (self._now(), error)
            raise
        self._failed.pop(url, None)
        await asyncio.to_thread(_keep, copy, data, self._now())
        return content


def _problem(found: _Content | BangerError) -> str:
    return str(found) if isinstance(found, BangerError) else found.problem


def _parsed(data: bytes, catalog: UserCatalog) -> _Content:
    """Blocking: a catalog may be large."""
    found = hashlib.sha256(data).hexdigest()
    if catalog.sha256 and found != catalog.sha256:
        raise DigestMismatch(
            f"The catalog {catalog.location} is not the one that is wanted",
            f"Its SHA-256 is {found}, not {catalog.sha256}.",
            "If it was renewed on purpose, change sha256 below [[catalogs]] in config.toml.",
        )
    try:
        return _Content(*parse_both(data, catalog.location))
    except InvalidInput as error:
        raise BadContent(error.title, error.detail, _HINT) from error


def _usable(data: bytes, catalog: UserCatalog) -> _Content | None:
    try:
        return _parsed(data, catalog)
    except BangerError:
        return None


def _read(path: Path) -> bytes:
    try:
        path.stat()
        if not path.is_file():  # a named pipe would be waited for
            raise HostLacks(f"Can't read the catalog {path}", "It is no file.", _HINT)
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise HostLacks(f"Can't read the catalog {path}", f"{error.strerror}.", _HINT) from error
    if len(data) > _MOST_BYTES:
        raise LimitExceeded(
            f"The catalog {path} is too large", f"It has over {_MOST_BYTES:,} bytes.", _HINT
        )
    return data


def _kept(path: Path) -> _Copy | None:
    try:
        return _Copy(path.read_bytes(), path.stat().st_mtime)
    except OSError:
        return None


def _keep(path: Path, data: bytes, taken: float) -> None:
    """Its time is the file's. Several processes may do this at once: each renames its own. Without
    room for a copy there is none."""
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        os.utime(temporary, (taken, taken))
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
