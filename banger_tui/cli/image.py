"""``image …``: ways in, ways out, and looking at what is here."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from pathlib import Path

from banger_tui.cli.catalog_table import catalog_lines
from banger_tui.cli.confirm import confirmed
from banger_tui.cli.context import Context
from banger_tui.cli.follow import each, perform
from banger_tui.cli.table import Cell, pairs, render
from banger_tui.cli.text import ago, clock, short_size, size
from banger_tui.engine.errors import InvalidInput
from banger_tui.engine.model import MIB
from banger_tui.engine.provision.build import BuildSpec
from banger_tui.engine.serial import to_json
from banger_tui.engine.vms.spec import parse_size


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
    rootfs = str(context.engine.images.rootfs(image))
    users = (await context.engine.images.used_by()).get(image.name, ())
    if out.json:
        directory = str(context.paths.image(image.name))
        more = {"directory": directory, "rootfs": rootfs, "used_by": list(users)}
        out.document({**to_json(image), **more})
        return 0
    values = [
        ("name", out.out.paint(image.name, "bold")),
        ("source", image.source),
        ("provenance", image.provenance),
        ("digest", image.digest),
        ("platform", image.platform),
        ("size", size(image.size_bytes)),
        ("disk", f"{short_size(image.disk_bytes)} for each VM, grows as it fills"),
        ("kernel", image.kernel or "none: the image can't boot"),
        ("init", image.init),
        *((key, _words(value)) for key, value in sorted(image.config.items())),
        *(
            (f"layer {number}", f"{layer.digest}  {short_size(layer.size_bytes)}")
            for number, layer in enumerate(image.layers, 1)
        ),
        ("created", f"{clock(image.created_at)}, {ago(image.created_at, time.time())}"),
        ("rootfs", rootfs),
        ("used by", ", ".join(users)),
    ]
    out.lines(pairs([(key, value) for key, value in values if value], out.out))
    return 0


def _words(value: object) -> str:
    """A value of an image's config on one line, whatever is in it."""
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return text if text.isprintable() else repr(text)


async def pull(context: Context) -> int:
    args = context.args
    if args.name and len(args.names) > 1:
        raise InvalidInput(
            "--name is for one image", "", "Pull the others by commands of their own."
        )
    size_bytes = parse_size(args.size) if args.size else None

    async def one(reference: str) -> None:
        begin = context.engine.images.pull(
            reference, name=args.name, platform=args.platform, size_bytes=size_bytes,
            insecure=args.insecure, plain=args.plain,
        )  # fmt: skip
        await perform(context, begin, lambda image: {"image": image})

    return await each(context, args.names, one)


async def register(context: Context) -> int:
    args = context.args
    rootfs = await asyncio.to_thread(Path(args.rootfs).absolute)
    begin = context.engine.images.register(
        rootfs, args.name or rootfs.stem, kernel=args.kernel, in_place=args.in_place
    )
    await perform(context, begin, lambda image: {"image": image})
    return 0


async def promote(context: Context) -> int:
    args = context.args
    name = args.name or args.name_option
    if not name:
        raise InvalidInput(
            "The image needs a name", "", f"For example: image promote {args.vm} {args.vm}-golden"
        )
    begin = context.engine.images.promote(args.vm, name)
    await perform(context, begin, lambda image: {"image": image})
    return 0


async def build(context: Context) -> int:
    args = context.args
    script = await asyncio.to_thread(Path(args.script).absolute)
    lines: deque[str] = deque()
    spec = BuildSpec(
        args.name or script.stem, args.base, script, parse_size(args.size) if args.size else None,
        args.cpus, parse_size(args.memory) // MIB,
    )  # fmt: skip
    begin = context.engine.build_image(spec, lines.append)
    await perform(context, begin, lambda image: {"image": image}, lines=lines)
    return 0


async def export(context: Context) -> int:
    args = context.args
    target = await asyncio.to_thread(Path(args.file).absolute)
    begin = context.engine.images.export(args.name, target, overwrite=args.force)
    await perform(context, begin, lambda exported: {"exported": exported})
    return 0


async def push(context: Context) -> int:
    args = context.args
    begin = context.engine.images.push(args.name, args.reference, insecure=args.insecure)
    pushed = await perform(context, begin, lambda pushed: {"pushed": pushed})
    if not context.out.json:
        # What other commands take: on stdout, alone.
        context.out.line(pushed.reference)
    return 0


async def prune(context: Context) -> int:
    pruned = await context.engine.images.prune(dry_run=context.args.dry_run)
    if context.out.json:
        context.out.document(pruned)
        return 0
    would = "Would free" if pruned.dry_run else "Freed"
    files = f"{pruned.files} file" + ("" if pruned.files == 1 else "s")
    context.out.line(f"{would} {size(pruned.bytes_freed)} in {files}.")
    return 0


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
    found = await context.engine.images.catalog()
    catalog_lines(context.out, found.images.values(), here, "image")
    return 0


async def told_deleted(context: Context, kind: str, name: str) -> None:
    """Say that it is gone."""
    if context.out.json:
        await context.out.event("result", ok=True, deleted=name)
    else:
        context.out.note(f"Deleted {kind} {name}.")
