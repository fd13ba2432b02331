"""``kernel list|pull|import|show|delete|catalog``."""

from __future__ import annotations

import time
from pathlib import Path

from banger_tui.cli.catalog_table import catalog_lines
from banger_tui.cli.confirm import confirmed
from banger_tui.cli.context import Context
from banger_tui.cli.follow import each, perform
from banger_tui.cli.image import told_deleted
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import ago, clock, short_size, size
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.kernels.sources import FromFiles, FromHost, FromPackage, KernelSource
from banger_tui.engine.serial import to_json


async def list_all(context: Context) -> int:
    kernels = sorted(await context.engine.kernels.list(), key=lambda kernel: kernel.name)
    out = context.out
    if out.json:
        out.document(kernels)
        return 0
    if not kernels:
        out.line("No kernels here yet; a VM's first start pulls what it needs.")
        out.line("See what can be pulled: banger-tui kernel catalog")
        return 0
    now = time.time()
    rows: list[list[Cell | str]] = [
        [
            Cell(kernel.name, ("bold",)),
            kernel.version,
            short_size(kernel.size_bytes),
            ago(kernel.created_at, now),
        ]
        for kernel in kernels
    ]
    out.lines(render(("NAME", "VERSION", ">SIZE", "CREATED"), rows, out.out, out.width))
    return 0


async def show(context: Context) -> int:
    kernel = await context.engine.kernels.get(context.args.name)
    out = context.out
    files = await context.engine.kernels.files(kernel)
    users = (await context.engine.kernels.used_by()).get(kernel.name, ())
    if out.json:
        out.document({**to_json(kernel), **to_json(files), "used_by": list(users)})
        return 0
    values = [
        ("name", out.out.paint(kernel.name, "bold")),
        ("version", kernel.version),
        ("source", kernel.source),
        ("digest", kernel.digest),
        ("size", size(kernel.size_bytes)),
        ("created", f"{clock(kernel.created_at)}, {ago(kernel.created_at, time.time())}"),
        ("vmlinuz", str(files.vmlinuz)),
        ("initrd", str(files.initrd)),
        ("modules", " ".join(files.modules)),
        ("used by", ", ".join(users)),
    ]
    out.lines(pairs(values, out.out))
    return 0


async def pull(context: Context) -> int:
    async def one(name: str) -> None:
        await perform(context, context.engine.kernels.pull(name), lambda kernel: {"kernel": kernel})

    return await each(context, context.args.names, one)


async def import_one(context: Context) -> int:
    args = context.args
    begin = context.engine.kernels.import_kernel(args.name, _source(context))
    await perform(context, begin, lambda kernel: {"kernel": kernel})
    return 0


def _source(context: Context) -> KernelSource:
    args = context.args
    extra = [name for name in ("modules", "initrd", "config") if getattr(args, name) is not None]
    if args.kernel is not None:
        paths = (_path(getattr(args, name)) for name in ("modules", "initrd", "config"))
        return FromFiles(Path(args.kernel).absolute(), *paths)
    if extra:
        raise InvalidInput(
            f"--{extra[0]} goes with --kernel only", "A package and the host bring their own."
        )
    return FromHost(args.installed) if args.deb is None else FromPackage(Path(args.deb).absolute())


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given).absolute()


async def delete(context: Context) -> int:
    names = [(await context.engine.kernels.get(name)).name for name in context.args.names]
    question = f"Delete kernel {', '.join(names)}?"
    consequence = "VMs can't boot it until it is pulled or imported again."
    if not await confirmed(context, question, consequence):
        return 1

    async def one(name: str) -> None:
        await context.engine.kernels.delete(name)
        await told_deleted(context, "kernel", name)

    return await each(context, names, one)


async def catalog(context: Context) -> int:
    here = {kernel.name for kernel in await context.engine.kernels.list()}
    found = await context.engine.kernels.catalog()
    catalog_lines(context.out, found.kernels.values(), here, "kernel", found.unread)
    return 0
