"""The store: schema, uniqueness, references, cancelled statements, damaged files."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from banger_tui.engine.database import MIGRATIONS
from banger_tui.engine.errors import (
    DatabaseCorrupt,
    InUse,
    NameTaken,
    NotFound,
    PortTaken,
    StorageFailure,
)
from banger_tui.engine.events import Event, ImageDeleted, VmChanged, VmDeleted
from banger_tui.engine.model import (
    Failure,
    ImageRecord,
    KernelRecord,
    NetworkMode,
    OperationState,
    OperationView,
    StageState,
    StageView,
    VmRecord,
    VmState,
)
from banger_tui.engine.store import Store

IMAGE = ImageRecord("img", "sha256:1", "catalog", 1, 2, "krn", "/sbin/init", 1.0, {"a": [1]})
KERNEL = KernelRecord("krn", "6.1", "sha256:2", "catalog", 3, 1.0)
VM = VmRecord(
    id="0123456789ab", name="web", state=VmState.STOPPED, image="img", image_digest="sha256:1",
    kernel="krn", cpus=1, memory_mib=128, disk_bytes=1 << 30, network=NetworkMode.ISOLATED,
    ephemeral=True, driver="fake", ssh_port=20001, host_key="ssh-ed25519 AAAA", created_at=1.5,
)  # fmt: skip


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
async def store(tmp_path: Path, heard: list[Event]) -> AsyncIterator[Store]:
    found = await Store.open(tmp_path / "banger.db", heard.append)
    await found.insert_image(IMAGE)
    await found.insert_kernel(KERNEL)
    heard.clear()
    yield found
    await found.close()


async def other_store(tmp_path: Path) -> Store:
    return await Store.open(tmp_path / "banger.db", lambda _: None)


# --------------------------------------------------------------------------------- the schema


async def test_an_empty_file_becomes_the_newest_schema(tmp_path: Path) -> None:
    store = await other_store(tmp_path)
    await store.close()
    with sqlite3.connect(tmp_path / "banger.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
    assert {"vms", "images", "kernels", "operations"} <= tables
    again = await other_store(tmp_path)
    assert await again.vms() == []
    await again.close()


async def test_migrations_run_from_where_the_file_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await other_store(tmp_path)).close()
    added = "CREATE TABLE later (x TEXT) STRICT; INSERT INTO later VALUES ('once');"
    monkeypatch.setattr("banger_tui.engine.database.MIGRATIONS", (*MIGRATIONS, added))
    for _ in range(2):
        store = await other_store(tmp_path)
        assert [tuple(r) for r in await store._sql.rows("SELECT x FROM later")] == [("once",)]
        await store.close()


async def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await other_store(tmp_path)).close()
    with monkeypatch.context() as patch:
        bad = "CREATE TABLE half (x TEXT) STRICT; CREATE NONSENSE;"
        patch.setattr("banger_tui.engine.database.MIGRATIONS", (*MIGRATIONS, bad))
        with pytest.raises(StorageFailure):
            await other_store(tmp_path)
    with sqlite3.connect(tmp_path / "banger.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("SELECT 1 FROM sqlite_master WHERE name='half'").fetchone() is None


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "banger.db") as db:
        db.execute("PRAGMA user_version=999")
    with pytest.raises(StorageFailure, match="newer") as caught:
        await other_store(tmp_path)
    assert not isinstance(caught.value, DatabaseCorrupt)
    assert "999" in caught.value.detail
    assert caught.value.hint


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"x" * 5000]
)
async def test_a_damaged_file_is_called_that(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "banger.db").write_bytes(content)
    with pytest.raises(DatabaseCorrupt) as caught:
        await other_store(tmp_path)
    assert str(tmp_path / "banger.db") in caught.value.detail
    assert "mv " in caught.value.hint
    assert (tmp_path / "banger.db").read_bytes() == content, "the damaged file was changed"


async def test_a_page_damaged_later_is_called_that(tmp_path: Path) -> None:
    store = await other_store(tmp_path)
    await store.insert_image(IMAGE)
    await store._sql._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await store.close()
    path = tmp_path / "banger.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(bytes(data))
    with pytest.raises(DatabaseCorrupt):
        await _read_images(tmp_path)


async def _read_images(tmp_path: Path) -> None:
    store = await other_store(tmp_path)
    try:
        await store.images()
    finally:
        await store.close()


async def test_a_directory_in_its_place_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "banger.db").mkdir()
    with pytest.raises(StorageFailure) as caught:
        await other_store(tmp_path)
    assert caught.value.hint


async def test_many_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    stores = await asyncio.gather(*(other_store(tmp_path) for _ in range(8)))
    for store in stores:
        assert await store.vms() == []
        await store.close()


# ---------------------------------------------------------------------------------------- VMs


async def test_a_vm_comes_back_as_it_was(store: Store, heard: list[Event]) -> None:
    await store.insert_vm(VM, (5, 6))
    assert await store.vm("web") == await store.vm(VM.id) == VM
    assert await store.vm_owner(VM.id) == (5, 6)
    assert heard == [VmChanged(VM)]
    changed = await store.update_vm(VM.id, state=VmState.RUNNING, pid=9, pid_start=10)
    assert changed == dataclasses.replace(VM, state=VmState.RUNNING, pid=9, pid_start=10)
    assert heard[-1] == VmChanged(changed)
    await store.delete_vm(changed)
    assert heard[-1] == VmDeleted(VM.id, "web")
    count = len(heard)
    await store.delete_vm(changed)
    assert len(heard) == count, "deleting what is gone is announced"
    with pytest.raises(NotFound):
        await store.vm("web")


async def test_names_and_ports_are_unique(store: Store) -> None:
    await store.insert_vm(VM, (1, 1))
    other = dataclasses.replace(VM, id="b" * 12, name="db", ssh_port=20002)
    with pytest.raises(NameTaken):
        await store.insert_vm(dataclasses.replace(other, name="web"), (1, 1))
    with pytest.raises(PortTaken):
        await store.insert_vm(dataclasses.replace(other, ssh_port=20001), (1, 1))
    await store.insert_vm(other, (1, 1))
    with pytest.raises(PortTaken):
        await store.update_vm(other.id, ssh_port=20001)
    assert await store.ports() == {20001, 20002}


@pytest.mark.parametrize("gone", ["image", "kernel"])
async def test_a_vm_needs_its_image_and_kernel(store: Store, gone: str) -> None:
    await (store.forget_image("img") if gone == "image" else store.forget_kernel("krn"))
    with pytest.raises(NotFound, match="gone"):
        await store.insert_vm(VM, (1, 1))
    assert await store.vms() == []
    await store.insert_image(dataclasses.replace(IMAGE, name="still usable"))


async def test_update_if_lets_one_of_two_win(store: Store, tmp_path: Path) -> None:
    vm = dataclasses.replace(VM, state=VmState.RUNNING, pid=5, pid_start=6)
    await store.insert_vm(vm, (1, 1))
    other = await other_store(tmp_path)
    outcomes = [await s.update_vm_if(vm, state=VmState.STOPPED, pid=None) for s in (store, other)]
    await other.close()
    assert [o is not None for o in outcomes] == [True, False]


# -------------------------------------------------------------------------- images and kernels


async def test_what_is_needed_stays(store: Store) -> None:
    await store.insert_vm(VM, (1, 1))
    with pytest.raises(InUse, match="image img") as caught:
        await store.delete_image("img")
    assert "web" in caught.value.detail
    with pytest.raises(InUse) as caught:
        await store.delete_kernel("krn")
    assert "web" in caught.value.detail
    await store.delete_vm(VM)
    with pytest.raises(InUse) as caught:
        await store.delete_kernel("krn")
    assert "image img" in caught.value.detail
    await store.delete_image("img")
    await store.delete_kernel("krn")
    assert (await store.images(), await store.kernels()) == ([], [])
    for delete in (store.delete_image, store.delete_kernel):
        with pytest.raises(NotFound):
            await delete("img")


async def test_two_publishers_of_a_name_have_one_winner(store: Store, tmp_path: Path) -> None:
    other = await other_store(tmp_path)
    new = dataclasses.replace(IMAGE, name="new")
    outcomes = await asyncio.gather(
        store.insert_image(new), other.insert_image(new), return_exceptions=True
    )
    await other.close()
    assert [type(o) for o in outcomes if o is not None] == [NameTaken]
    assert await store.image_or_none("new") == new


# --------------------------------------------------------------------------------- cancelling


async def test_a_cancelled_begin_leaves_no_transaction_open(store: Store, tmp_path: Path) -> None:
    """Another process is writing; we wait for it and are cancelled. Nothing may stay locked."""
    with sqlite3.connect(tmp_path / "banger.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.delete_image("img"))
        await asyncio.sleep(0.1)  # it waits in SQLite, which tells nobody that it does
        waiting.cancel()
        other.execute("COMMIT")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not store._sql._db.in_transaction
        other.execute("BEGIN IMMEDIATE")  # raises when the file is still locked
        other.execute("COMMIT")
    await store.insert_vm(VM, (1, 1))


@pytest.mark.parametrize("after", range(12))
async def test_cancelled_anywhere_a_transaction_is_whole_or_nothing(
    store: Store, after: int
) -> None:
    inserting = asyncio.create_task(store.insert_vm(VM, (1, 1)))
    for _ in range(after):
        await asyncio.sleep(0)
    inserting.cancel()
    outcome = (await asyncio.gather(inserting, return_exceptions=True))[0]
    assert not store._sql._db.in_transaction
    there = await store.vm_or_none("web") is not None
    assert there or outcome is not None, "insert_vm returned, and the row is not there"
    other = dataclasses.replace(VM, id="b" * 12, name="db", ssh_port=20002)
    await store.insert_vm(other, (1, 1))


async def test_cancelled_while_it_commits_it_is_cancelled_and_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = store._sql._db.execute

    def execute_and_be_cancelled(sql: str, *args: Any) -> Any:
        if sql == "COMMIT":
            # Its thread comes to it only when the cancel has long been heard.
            store._sql._db._tx.put_nowait((None, lambda: time.sleep(0.2)))
            asyncio.get_running_loop().call_later(0.02, inserting.cancel)
        return execute(sql, *args)

    with monkeypatch.context() as patch:
        patch.setattr(store._sql._db, "execute", execute_and_be_cancelled)
        inserting = asyncio.create_task(store.insert_vm(VM, (1, 1)))
        with pytest.raises(asyncio.CancelledError):
            await inserting
    assert not store._sql._db.in_transaction
    assert await store.vm_or_none("web") == VM


# --------------------------------------------------------------------------------- operations


async def test_operations_come_back_whole_newest_first(store: Store) -> None:
    stage = StageView(
        "build", StageState.FAILED, 3, None, "bytes", 1.5, "é", 1.0, 2.0, (StageView("x"),)
    )
    views = [
        OperationView(
            f"{number:012d}", "create", "web", OperationState.FAILED, (stage,), float(number), 9.0,
            "id", Failure("ToolFailed", "t", "d", "h", 2), 5, 6, False,
        )
        for number in range(3)
    ]  # fmt: skip
    for view in views:
        await store.save_operation(view)
    assert await store.operations() == views[::-1]
    assert await store.operations(1) == [views[2]]
    assert await store.operation_or_none("000000000001") == views[1]
    assert await store.operation_or_none("00000") is None, "an ambiguous beginning names one"
    assert await store.prune_operations(time.time()) == 3


async def test_saving_progress_keeps_a_cancel_request(store: Store) -> None:
    view = OperationView("a" * 12, "create", "web", OperationState.RUNNING, (), 1.0)
    await store.save_operation(view)
    await store.request_cancel(view.id)
    await store.save_operation(view)
    assert await store.cancel_requests() == {view.id}
    await store.save_operation(dataclasses.replace(view, state=OperationState.CANCELLED))
    assert await store.cancel_requests() == set()


async def test_other_connections_writes_show_in_the_data_version(
    store: Store, tmp_path: Path
) -> None:
    other = await other_store(tmp_path)
    before = await store.data_version()
    await store.insert_vm(VM, (1, 1))
    assert await store.data_version() == before
    await other.delete_vm(VM)
    assert await store.data_version() != before
    await other.close()


async def test_events_name_what_was_deleted(store: Store, heard: list[Event]) -> None:
    await store.delete_image("img")
    assert heard == [ImageDeleted("img")]
