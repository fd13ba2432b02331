"""Register: an ext4 file on disk becomes an image, as a copy or where it lies."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from banger_tui.engine.artefacts import Built
from banger_tui.engine.context import Context
from banger_tui.engine.debian.architecture import oci_platform
from banger_tui.engine.errors import BadContent, InvalidInput, NotFound, ToolFailed
from banger_tui.engine.ext4 import inspect
from banger_tui.engine.ext4.tree_of import is_ext4
from banger_tui.engine.guest.inject import init_of
from banger_tui.engine.images import remake
from banger_tui.engine.images.measured import measured
from banger_tui.engine.images.naming import claim
from banger_tui.engine.images.pull import publish_image, record
from banger_tui.engine.kernels import importing
from banger_tui.engine.kernels.ensure import DEFAULT_KERNEL
from banger_tui.engine.kernels.kept import kernels
from banger_tui.engine.kernels.pull import find_entry
from banger_tui.engine.kernels.sources import FromFiles
from banger_tui.engine.model import ImageRecord, KernelRecord
from banger_tui.engine.operations import Operation, Run
from banger_tui.engine.progress import Stage
from banger_tui.engine.pulls import Work
from banger_tui.engine.shield import in_thread

PLAN = ("inspect", "kernel", "copy", "guest kit", "build ext4", "check", "publish")


def register(
    ctx: Context, rootfs: Path, name: str, *, kernel: str = "", in_place: bool = False
) -> Work[ImageRecord]:
    """The work of "register".

    A copy without the guest kit gets it. A file that is used in place is never written to: it must
    have the kit already, and stay where it is and as it is.

    Args:
        kernel: by name, or the path of a kernel's file; "": the default one.

    The work raises InvalidName, NameTaken, NotFound, InvalidInput, BadContent, LimitExceeded,
    NotEnoughDisk, NotInCatalog.
    """

    async def work(run: Run) -> ImageRecord:
        await claim(ctx, name)
        place = await remake.workplace(ctx, run)
        async with run.stage("inspect") as stage:
            stage.note(str(rootfs))
            await _inspect(rootfs, stage)
            root = await remake.read_tree(rootfs, place.limits)
            init = await in_thread(init_of, root)
            if in_place and not init:
                raise BadContent(
                    f"{rootfs} has no guest kit",
                    "Without it a VM does not answer, and what is used in place stays unchanged.",
                    "Leave --in-place out: a copy gets the kit.",
                )
        wanted = await _kernel(ctx, run, name, kernel)
        built = Built("", 0, 0, wanted, init, platform=oci_platform())
        if in_place:
            for skipped in ("copy", "guest kit", "build ext4"):
                run.skip(skipped, "used in place")
            built = await measured(built, rootfs, run.root)
            image = replace(record(name, f"file: {rootfs}", built), external=str(rootfs))
            return await publish_image(ctx, run, image, place)
        if init:
            async with run.stage("copy") as stage:
                await remake.copy(rootfs, "raw", place.rootfs, stage)
            for skipped in ("guest kit", "build ext4"):
                run.skip(skipped, "it has the kit")
        else:
            run.skip("copy", "it is written anew")
            init = await remake.equip(root, place, {}, run)
            size = (await asyncio.to_thread(rootfs.stat)).st_size
            await remake.write(root, place, size, run)
        built = await measured(replace(built, init=init), place.rootfs, run.root)
        return await publish_image(ctx, run, record(name, f"file: {rootfs}", built), place)

    return work


async def _inspect(rootfs: Path, stage: Stage) -> None:
    if not await asyncio.to_thread(rootfs.exists):
        raise NotFound(f"There is no file {rootfs}", "", "Look at its path again.")
    if not await asyncio.to_thread(rootfs.is_file):
        raise InvalidInput(f"{rootfs} is no file", "An image is made of a filesystem in a file.")
    try:
        found = await asyncio.to_thread(is_ext4, rootfs)
    except OSError as error:
        raise InvalidInput(f"Can't read {rootfs}", f"{error.strerror}.") from error
    if not found:
        raise BadContent(
            f"{rootfs} is no ext4 filesystem",
            "An image is one filesystem, without a partition table.",
            "A disk of another kind can be converted: qemu-img convert -O raw, then its partition.",
        )
    try:
        await inspect.check(rootfs, stage)
    except ToolFailed as error:
        raise BadContent(
            f"The filesystem in {rootfs} is damaged",
            "e2fsck finds errors in it.",
            f"Mend it first: e2fsck -f {rootfs}",
        ) from error


async def _kernel(ctx: Context, run: Run, image: str, wanted: str) -> str:
    """The name of the kernel; a file becomes a kernel of the image's own."""
    async with run.stage("kernel") as stage:
        if "/" not in wanted:
            name = wanted or DEFAULT_KERNEL
            stage.note(name)
            if await kernels(ctx).find(name) is None:
                await find_entry(ctx, name)
            return name
        name = kernel_name(image)
        source = FromFiles(await asyncio.to_thread(lambda: Path(wanted).expanduser().absolute()))
        stage.note(f"{name}, of {source.kernel}")
        new = await kernels(ctx).find(name) is None

        async def begin() -> Operation[KernelRecord]:
            work = importing.import_kernel(ctx, name, source)
            return await ctx.operations.begin("import kernel", name, work, plan=importing.PLAN)

        async def take_back() -> None:
            if made := await kernels(ctx).find(name):
                await kernels(ctx).discard(made)

        if new:
            # Left before: the import may succeed in the moment in which this is cancelled.
            run.undo(take_back)
        await ctx.flights.join(("kernel", name), begin, stage)
        return name


def kernel_name(image: str) -> str:
    """What the kernel is called that an image brings along without a name for it."""
    plain = re.sub(r"[^a-z0-9._-]", "-", image.lower()).strip("._-")[:56]
    return f"{plain or 'image'}-kernel"
