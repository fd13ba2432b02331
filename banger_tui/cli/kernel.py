"""``kernel list|pull|show|delete|catalog``."""

from __future__ import annotations

import time

from banger_tui.cli.catalog_table import catalog_lines
from banger_tui.cli.confirm import confirmed
from banger_tui.cli.context import Context
from banger_tui.cli.follow import each, perform
from banger_tui.cli.image import told_deleted
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import ago, clock, short_size, size
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
    directory = str(context.paths.kernel(kernel.name))
    if out.json:
        out.document({**to_json(kernel), "directory": directory})
        return 0
    values = [
        ("name", out.out.paint(kernel.name, "bold")),
        ("version", kernel.version),
        ("source", kernel.source),
        ("digest", kernel.digest),
        ("size", size(kernel.size_bytes)),
        ("created", f"{clock(kernel.created_at)}, {ago(kernel.created_at, time.time())}"),
        ("directory", directory),
    ]
    out.lines(pairs(values, out.out))
    return 0


async def pull(context: Context) -> int:
    async def one(name: str) -> None:
        await perform(context, context.engine.kernels.pull(name), lambda kernel: {"kernel": kernel})

    return await each(context, context.args.names, one)


async def delete(context: Context) -> int:
    names = [(await context.engine.kernels.get(name)).name for name in context.args.names]
    question = f"Delete kernel {', '.join(names)}?"
    consequence = "VMs can't boot it until it is pulled again."
    if not await confirmed(context, question, consequence):
        return 1

    async def one(name: str) -> None:
        await context.engine.kernels.delete(name)
        await told_deleted(context, "kernel", name)

    return await each(context, names, one)


async def catalog(context: Context) -> int:
    here = {kernel.name for kernel in await context.engine.kernels.list()}
    catalog_lines(context.out, context.engine.kernels.catalog(), here, "kernel")
    return 0
