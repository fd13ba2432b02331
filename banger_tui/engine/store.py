"""The record of everything, shared by every process on the state directory.

``UNIQUE`` has the last word on names and ports.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from banger_tui.engine.database import Database
from banger_tui.engine.errors import (
    Conflict,
    InUse,
    NameTaken,
    NotFound,
    PortTaken,
)
from banger_tui.engine.events import (
    Event,
    ImageChanged,
    ImageDeleted,
    KernelChanged,
    KernelDeleted,
    VmChanged,
    VmDeleted,
)
from banger_tui.engine.model import (
    ImageRecord,
    KernelRecord,
    LayerRecord,
    NetworkMode,
    OperationView,
    VmRecord,
    VmState,
)
from banger_tui.engine.serial import operation_from_row, operation_to_row, to_json


class Store:
    """All queries. Writes of VMs, images and kernels are announced through ``announce``."""

    def __init__(self, database: Database, announce: Callable[[Event], None]) -> None:
        self._sql = database
        self._announce = announce

    @classmethod
    async def open(cls, path: Path, announce: Callable[[Event], None]) -> Store:
        """Raises: DatabaseCorrupt, StorageFailure."""
        return cls(await Database.open(path), announce)

    async def close(self) -> None:
        await self._sql.close()

    async def data_version(self) -> int:
        """A number that changes when *another* connection has committed."""
        return await self._sql.data_version()

    # ----------------------------------------------------------------------------------- VMs

    async def vms(self) -> list[VmRecord]:
        return [_vm(row) for row in await self._sql.rows("SELECT * FROM vms ORDER BY name")]

    async def vm(self, key: str) -> VmRecord:
        """The VM with this name or id.

        Raises:
            NotFound
        """
        rows = await self._sql.rows("SELECT * FROM vms WHERE name=? OR id=? LIMIT 1", (key, key))
        if not rows:
            raise NotFound(
                f"There is no VM named {key!r}", "", "See what there is: banger-tui vm list"
            )
        return _vm(rows[0])

    async def vm_or_none(self, key: str) -> VmRecord | None:
        rows = await self._sql.rows("SELECT * FROM vms WHERE name=? OR id=? LIMIT 1", (key, key))
        return _vm(rows[0]) if rows else None

    async def ports(self) -> set[int]:
        return {int(row[0]) for row in await self._sql.rows("SELECT ssh_port FROM vms")}

    async def insert_vm(self, vm: VmRecord, owner: tuple[int, int]) -> None:
        """Write a new VM, if its image and kernel are still there.

        Raises:
            NameTaken, PortTaken: UNIQUE says so, whatever was seen before.
            NotFound: the image or the kernel was deleted a moment ago.
        """
        values = {**_columns(vm), "owner_pid": owner[0], "owner_start": owner[1]}
        try:
            async with self._sql.transaction():
                for table, name in (("images", vm.image), ("kernels", vm.kernel)):
                    sql = f"SELECT 1 FROM {table} WHERE name=?"  # noqa: S608
                    if not await self._sql.rows(sql, (name,)):
                        raise NotFound(
                            f"{name} is gone", f"It was deleted from the {table} meanwhile.",
                            "Try again: it is pulled anew.",
                        )  # fmt: skip
                await self._sql.execute(_insert("vms", values), tuple(values.values()))
        except sqlite3.IntegrityError as error:
            if "vms.name" in str(error):
                raise name_taken(vm.name) from error
            if "vms.ssh_port" in str(error):
                raise PortTaken(f"Port {vm.ssh_port} is another VM's", "", "Try again.") from error
            raise Conflict("The VM can't be recorded", str(error)) from error
        self._announce(VmChanged(vm))

    async def update_vm(self, vm_id: str, **changes: Any) -> VmRecord:
        """Change some columns of a VM and return it as it is now.

        Raises:
            NotFound, PortTaken
        """
        sets = ", ".join(f"{column}=?" for column in changes)
        values = [_cell(value) for value in changes.values()]
        try:
            await self._sql.write(f"UPDATE vms SET {sets} WHERE id=?", (*values, vm_id))  # noqa: S608
        except sqlite3.IntegrityError as error:
            raise PortTaken("The port is another VM's", str(error), "Try again.") from error
        vm = await self.vm(vm_id)
        self._announce(VmChanged(vm))
        return vm

    async def update_vm_if(self, vm: VmRecord, **changes: Any) -> VmRecord | None:
        """Like update_vm, but only while state and process are still those of ``vm``.

        None when somebody else was faster: two engines may see one VM die.
        """
        sets = ", ".join(f"{column}=?" for column in changes)
        values = [_cell(value) for value in changes.values()]
        touched = await self._sql.write(
            f"UPDATE vms SET {sets} WHERE id=? AND state=? AND pid IS ?",  # noqa: S608
            (*values, vm.id, vm.state.value, vm.pid),
        )
        if not touched:
            return None
        now = await self.vm(vm.id)
        self._announce(VmChanged(now))
        return now

    async def vm_owner(self, vm_id: str) -> tuple[int, int]:
        rows = await self._sql.rows("SELECT owner_pid, owner_start FROM vms WHERE id=?", (vm_id,))
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    async def set_vm_owner(self, vm_id: str, owner: tuple[int, int]) -> None:
        await self._sql.write(
            "UPDATE vms SET owner_pid=?, owner_start=? WHERE id=?", (owner[0], owner[1], vm_id)
        )

    async def delete_vm(self, vm: VmRecord) -> None:
        if await self._sql.write("DELETE FROM vms WHERE id=?", (vm.id,)):
            self._announce(VmDeleted(vm.id, vm.name))

    # -------------------------------------------------------------------- images and kernels

    async def images(self) -> list[ImageRecord]:
        return [_image(row) for row in await self._sql.rows("SELECT * FROM images ORDER BY name")]

    async def image_or_none(self, name: str) -> ImageRecord | None:
        rows = await self._sql.rows("SELECT * FROM images WHERE name=?", (name,))
        return _image(rows[0]) if rows else None

    async def insert_image(self, image: ImageRecord) -> None:
        """Raises: NameTaken."""
        values = _columns(image)
        try:
            await self._sql.write(_insert("images", values), tuple(values.values()))
        except sqlite3.IntegrityError as error:
            raise NameTaken(
                f"The image {image.name} is already there",
                "It was published while this one was being made.",
                f"Use it, or remove it first: banger-tui image delete {image.name}",
            ) from error
        self._announce(ImageChanged(image))

    async def delete_image(self, name: str) -> None:
        """Remove the row, unless a VM's disk still stands on the image.

        Raises:
            NotFound, InUse
        """
        users = "SELECT name FROM vms WHERE image=? ORDER BY name"
        async with self._sql.transaction():
            if not await self._sql.rows("SELECT 1 FROM images WHERE name=?", (name,)):
                raise NotFound(f"There is no image named {name!r}", "", "banger-tui image list")
            names = [str(row[0]) for row in await self._sql.rows(users, (name,))]
            if names:
                raise _in_use(f"image {name}", names)
            await self._sql.execute("DELETE FROM images WHERE name=?", (name,))
        self._announce(ImageDeleted(name))

    async def forget_image(self, name: str) -> None:
        """Remove the row of an image whose files are lost, whoever needs it."""
        await self._sql.write("DELETE FROM images WHERE name=?", (name,))
        self._announce(ImageDeleted(name))

    async def forget_kernel(self, name: str) -> None:
        """Remove the row of a kernel whose files are lost, whoever needs it."""
        await self._sql.write("DELETE FROM kernels WHERE name=?", (name,))
        self._announce(KernelDeleted(name))

    async def kernels(self) -> list[KernelRecord]:
        return [_kernel(row) for row in await self._sql.rows("SELECT * FROM kernels ORDER BY name")]

    async def kernel_or_none(self, name: str) -> KernelRecord | None:
        rows = await self._sql.rows("SELECT * FROM kernels WHERE name=?", (name,))
        return _kernel(rows[0]) if rows else None

    async def insert_kernel(self, kernel: KernelRecord) -> None:
        """Raises: NameTaken."""
        values = _columns(kernel)
        try:
            await self._sql.write(_insert("kernels", values), tuple(values.values()))
        except sqlite3.IntegrityError as error:
            raise NameTaken(
                f"The kernel {kernel.name} is already there",
                "It was published while this one was being made.",
                f"Use it, or remove it first: banger-tui kernel delete {kernel.name}",
            ) from error
        self._announce(KernelChanged(kernel))

    async def delete_kernel(self, name: str) -> None:
        """Remove the row, unless a VM or a local image needs the kernel.

        Raises:
            NotFound, InUse
        """
        users = (
            "SELECT name FROM vms WHERE kernel=? "
            "UNION ALL SELECT 'image ' || name FROM images WHERE kernel=?"
        )
        async with self._sql.transaction():
            if not await self._sql.rows("SELECT 1 FROM kernels WHERE name=?", (name,)):
                raise NotFound(f"There is no kernel named {name!r}", "", "banger-tui kernel list")
            names = [str(row[0]) for row in await self._sql.rows(users, (name, name))]
            if names:
                raise _in_use(f"kernel {name}", names)
            await self._sql.execute("DELETE FROM kernels WHERE name=?", (name,))
        self._announce(KernelDeleted(name))

    # ---------------------------------------------------------------------------- operations

    async def save_operation(self, operation: OperationView) -> None:
        """Write an operation as it stands; a cancel request that came meanwhile stays."""
        row = operation_to_row(operation)
        columns = ", ".join(row)
        marks = ", ".join("?" * len(row))
        sets = ", ".join(f"{c}=excluded.{c}" for c in row if c not in ("id", "cancel_requested"))
        await self._sql.write(
            f"INSERT INTO operations ({columns}) VALUES ({marks}) "  # noqa: S608
            f"ON CONFLICT (id) DO UPDATE SET {sets}",
            tuple(row.values()),
        )

    async def forget_operation(self, operation_id: str) -> None:
        await self._sql.write("DELETE FROM operations WHERE id=?", (operation_id,))

    async def operations(self, limit: int = 200) -> list[OperationView]:
        """The newest operations of all processes, newest first."""
        rows = await self._sql.rows(
            "SELECT * FROM operations ORDER BY started DESC LIMIT ?", (limit,)
        )
        return [operation_from_row(dict(row)) for row in rows]

    async def operation_or_none(self, operation_id: str) -> OperationView | None:
        """By id, or by an unambiguous beginning of it."""
        rows = await self._sql.rows(
            "SELECT * FROM operations WHERE id=? OR substr(id, 1, ?)=? LIMIT 2",
            (operation_id, len(operation_id), operation_id),
        )
        return operation_from_row(dict(rows[0])) if len(rows) == 1 else None

    async def request_cancel(self, operation_id: str) -> None:
        await self._sql.write(
            "UPDATE operations SET cancel_requested=1 WHERE id=?", (operation_id,)
        )

    async def cancel_requests(self) -> set[str]:
        """Ids of running operations that somebody wants ended."""
        rows = await self._sql.rows(
            "SELECT id FROM operations WHERE cancel_requested=1 AND state='running'"
        )
        return {str(row[0]) for row in rows}

    async def prune_operations(self, before: float) -> int:
        """Forget operations that ended before ``before`` (epoch seconds); how many."""
        return await self._sql.write("DELETE FROM operations WHERE ended < ?", (before,))


def name_taken(name: str) -> NameTaken:
    return NameTaken(
        f"There is already a VM named {name}",
        "Names are unique, so that every command means one machine.",
        f"Choose another name, or remove it: banger-tui vm delete {name}",
    )


def _in_use(what: str, names: list[str]) -> InUse:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return InUse(f"The {what} is in use", f"Needed by {shown}.", "Delete those first.")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | tuple):
        return json.dumps(to_json(value), sort_keys=True)
    return value


def _columns(record: VmRecord | ImageRecord | KernelRecord) -> dict[str, Any]:
    return {f.name: _cell(getattr(record, f.name)) for f in dataclasses.fields(record)}


def _insert(table: str, values: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608


def _vm(row: sqlite3.Row) -> VmRecord:
    values = {name: row[name] for name in (f.name for f in dataclasses.fields(VmRecord))}
    values["state"] = VmState(values["state"])
    values["network"] = NetworkMode(values["network"])
    values["ephemeral"] = bool(values["ephemeral"])
    values["clipboard"] = bool(values["clipboard"])
    return VmRecord(**values)


def _image(row: sqlite3.Row) -> ImageRecord:
    values = dict(row)
    values["config"] = json.loads(values["config"])
    values["annotations"] = json.loads(values["annotations"])
    values["bootable"] = bool(values["bootable"])
    values["layers"] = tuple(LayerRecord(**layer) for layer in json.loads(values["layers"]))
    return ImageRecord(**values)


def _kernel(row: sqlite3.Row) -> KernelRecord:
    return KernelRecord(**dict(row))
