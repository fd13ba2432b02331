"""The SQLite database itself: opening, schema, transactions, and what its failures mean.

WAL mode, as several processes share it; ``user_version`` drives the migrations;
``synchronous=FULL`` because a VM whose row is lost with the power is a VM lost. Statements run in
aiosqlite's own thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiosqlite

from banger_tui.engine.errors import DatabaseCorrupt, StorageFailure
from banger_tui.engine.shield import finish, whole

#: One script a schema version; never edit one that was released, append.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE vms (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
        image TEXT NOT NULL, image_digest TEXT NOT NULL, kernel TEXT NOT NULL,
        cpus INTEGER NOT NULL, memory_mib INTEGER NOT NULL, disk_bytes INTEGER NOT NULL,
        network TEXT NOT NULL, ephemeral INTEGER NOT NULL, driver TEXT NOT NULL,
        ssh_port INTEGER NOT NULL UNIQUE, host_key TEXT NOT NULL, created_at REAL NOT NULL,
        accelerator TEXT NOT NULL, machine TEXT NOT NULL, started_at REAL, stopped_at REAL,
        reason TEXT NOT NULL, pid INTEGER, pid_start INTEGER,
        owner_pid INTEGER NOT NULL, owner_start INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE images (
        name TEXT PRIMARY KEY, digest TEXT NOT NULL, source TEXT NOT NULL,
        size_bytes INTEGER NOT NULL, disk_bytes INTEGER NOT NULL, kernel TEXT NOT NULL,
        init TEXT NOT NULL, created_at REAL NOT NULL, config TEXT NOT NULL
    ) STRICT;
    CREATE TABLE kernels (
        name TEXT PRIMARY KEY, version TEXT NOT NULL, digest TEXT NOT NULL, source TEXT NOT NULL,
        size_bytes INTEGER NOT NULL, created_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE operations (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, subject_id TEXT NOT NULL,
        state TEXT NOT NULL, stages TEXT NOT NULL, started REAL NOT NULL, ended REAL,
        failure TEXT, owner_pid INTEGER NOT NULL, owner_start INTEGER NOT NULL,
        cancel_requested INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX operations_by_start ON operations (started);
    """,
    """
    ALTER TABLE images ADD COLUMN provenance TEXT NOT NULL DEFAULT '';
    ALTER TABLE images ADD COLUMN platform TEXT NOT NULL DEFAULT '';
    ALTER TABLE images ADD COLUMN bootable INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE images ADD COLUMN external TEXT NOT NULL DEFAULT '';
    ALTER TABLE images ADD COLUMN layers TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE images ADD COLUMN annotations TEXT NOT NULL DEFAULT '{}';
    """,
    """
    ALTER TABLE vms ADD COLUMN clipboard INTEGER NOT NULL DEFAULT 0;
    """,
)
_BUSY_SECONDS = 15.0


class Database:
    """One connection. Its transactions are taken in turn by the tasks of this process."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._db = connection
        self._path = path
        # One connection is one transaction: tasks take turns.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open (or make) the database and bring its schema up to date.

        Raises:
            DatabaseCorrupt: the file is no SQLite database or is damaged.
            StorageFailure: it can't be opened, or a newer banger-tui wrote it.
        """
        connection = aiosqlite.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)
        try:
            db = await connection
        except sqlite3.Error as error:
            raise StorageFailure(
                f"Can't open {path}", str(error), "Is the directory writable, the disk not full?"
            ) from error
        database = cls(db, path)
        try:
            db.row_factory = sqlite3.Row
            await db.execute("PRAGMA journal_mode=WAL")
            await db.execute("PRAGMA synchronous=FULL")
            await database._migrate()
        except sqlite3.DatabaseError as error:
            await db.close()
            raise database._corrupt(error) from error
        except BaseException:  # a cancel, too, ends its thread
            await db.close()
            raise
        return database

    async def close(self) -> None:
        await self._db.close()

    async def _migrate(self) -> None:
        async with self.transaction():
            version = int((await self.row("PRAGMA user_version"))[0])
            if version > len(MIGRATIONS):
                raise StorageFailure(
                    "A newer banger-tui wrote this state",
                    f"{self._path} has schema {version}, this program knows {len(MIGRATIONS)}.",
                    "Update banger-tui, or set BANGER_HOME=DIR to start with other state.",
                )
            for number, script in enumerate(MIGRATIONS[version:], version + 1):
                for statement in filter(str.strip, script.split(";")):
                    await self._db.execute(statement)
                await self._db.execute(f"PRAGMA user_version={number}")

    def _corrupt(self, error: sqlite3.Error) -> StorageFailure:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            return StorageFailure(
                "The database can't be used just now",
                f"{self._path}: {error}",
                "Is the disk full, or does another program hold it? Then try again.",
            )
        return DatabaseCorrupt(
            "The database is damaged",
            f"{self._path}: {error}",
            f"Your disks and images are untouched. Keep a copy, then: mv {self._path} "
            f"{self._path}.broken (VMs listed in it have to be made anew)",
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._turn:
            try:
                # Its thread carries out what it was told even when the task that waits for it is
                # cancelled: so each statement is awaited to its end, and its transaction ended.
                await whole(self._db.execute("BEGIN IMMEDIATE"))
                yield
                await whole(self._db.execute("COMMIT"))
            except BaseException as error:  # a cancel, too, is rolled back
                if self._db.in_transaction:
                    await finish(self._db.execute("ROLLBACK"))
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(
                    error, sqlite3.IntegrityError
                ):
                    raise self._corrupt(error) from error
                raise

    async def rows(self, sql: str, args: Iterable[Any] = ()) -> list[sqlite3.Row]:
        try:
            return list(await self._db.execute_fetchall(sql, args))
        except sqlite3.DatabaseError as error:
            raise self._corrupt(error) from error

    async def row(self, sql: str, args: Iterable[Any] = ()) -> sqlite3.Row:
        return (await self.rows(sql, args))[0]

    async def write(self, sql: str, args: Iterable[Any] = ()) -> int:
        """Run one writing statement as its own transaction; the number of rows it touched."""
        async with self._turn:
            try:
                cursor = await self._db.execute(sql, args)
            except sqlite3.IntegrityError:
                raise
            except sqlite3.DatabaseError as error:
                raise self._corrupt(error) from error
            return cursor.rowcount

    async def data_version(self) -> int:
        """A number that changes when *another* connection has committed (PRAGMA data_version)."""
        return int((await self.row("PRAGMA data_version"))[0])

    async def execute(self, sql: str, args: Iterable[Any] = ()) -> None:
        """Run a statement of a transaction that is open."""
        await whole(self._db.execute(sql, args))
