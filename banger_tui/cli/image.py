"""``image list|pull|show|delete|catalog``."""

from __future__ import annotations

import time

from banger_tui.cli.catalog_table import catalog_lines
from banger_tui.cli.confirm import confirmed
from banger_tui.cli.context import Context
from banger_tui.cli.follow import each, perform
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import ago, clock, short_size, size
from banger_tui.engine.serial import to_json


async def list_all(context: Context) -> int:
    images = sorted(await context.engine.images.list(), key=lambda image: image.name)
    out = context.out
    if out.json:
        out.document(images)
        return 0
    if not images:
        out.line("No images here yet. See what can be pulled: banger-tui image catalog")
        return 0
    now = time.time()
    rows: list[list[Cell | str]] = [
        [
            Cell(image.name, ("bold",)),
            short_size(image.size_bytes),
            short_size(image.disk_bytes),
            ago(image.created_at, now),
            image.kernel,
        ]
        for image in images
    ]
    out.lines(render(("NAME", ">SIZE", ">DISK", "CREATED", "KERNEL"), rows, out.out, out.width))
    return 0


async def show(context: Context) -> int:
    image = await context.engine.images.get(context.args.name)
    out = context.out
    directory = str(context.paths.image(image.name))
    if out.json:
        out.document({**to_json(image), "directory": directory})
        return 0
    values = [
        ("name", out.out.paint(image.name, "bold")),
        ("source", image.source),
        ("digest", image.digest),
        ("size", size(image.size_bytes)),
        ("disk", f"{short_size(image.disk_bytes)} for each VM, grows as it fills"),
        ("kernel", image.kernel),
        ("init", image.init),
        ("created", f"{clock(image.created_at)}, {ago(image.created_at, time.time())}"),
        ("directory", directory),
    ]
    out.lines(pairs(values, out.out))
    return 0


async def pull(context: Context) -> int:
    async def one(name: str) -> None:
        await perform(context, context.engine.images.pull(name), lambda image: {"image": image})

    return await each(context, context.args.names, one)


async def delete(context: Context) -> int:
    names = [(await context.engine.images.get(name)).name for name in context.args.names]
    question = f"Delete image {', '.join(names)}?"
    consequence = "VMs can't start from it until it is pulled again."
    if not await confirmed(context, question, consequence):
        return 1

    async def one(name: str) -> None:
        await context.engine.images.delete(name)
        await told_deleted(context, "image", name)

    return await each(context, names, one)


async def catalog(context: Context) -> int:
    here = {image.name for image in await context.engine.images.list()}
    catalog_lines(context.out, context.engine.images.catalog(), here, "image")
    return 0


async def told_deleted(context: Context, kind: str, name: str) -> None:
    """Say that it is gone."""
    if context.out.json:
        await context.out.event("result", ok=True, deleted=name)
    else:
        context.out.note(f"Deleted {kind} {name}.")
