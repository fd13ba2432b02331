"""Images, as the facade offers them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from banger_tui.engine.catalog.load import Catalog
from banger_tui.engine.context import Context
from banger_tui.engine.errors import BangerError
from banger_tui.engine.images import resume
from banger_tui.engine.images.export import EXPORT_PLAN, PUSH_PLAN, export, push
from banger_tui.engine.images.kept import images
from banger_tui.engine.images.promote import PLAN as PROMOTE_PLAN
from banger_tui.engine.images.promote import promote
from banger_tui.engine.images.prune import prune
from banger_tui.engine.images.pull import plan, pull
from banger_tui.engine.images.register import PLAN as REGISTER_PLAN
from banger_tui.engine.images.register import register
from banger_tui.engine.images.request import PullSpec, request
from banger_tui.engine.kernels.ensure import DEFAULT_KERNEL
from banger_tui.engine.model import Exported, ImageRecord, Pruned, Pushed
from banger_tui.engine.oci import reference as references
from banger_tui.engine.operations import Operation
from banger_tui.engine.shield import in_thread


class Images:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._here = images(ctx)
        self._specs: dict[str, PullSpec] = {}

    # ------------------------------------------------------------------------------ looking on

    async def list(self) -> list[ImageRecord]:
        return await self._ctx.store.images()

    async def get(self, name: str) -> ImageRecord:
        """Raises: NotFound."""
        return await self._here.get(name)

    def rootfs(self, image: ImageRecord) -> Path:
        """Absolute path of its ext4 file."""
        return self._ctx.paths.rootfs(image)

    async def used_by(self) -> dict[str, tuple[str, ...]]:
        """Names of the VMs whose disks stand on an image, by the image's name."""
        found: dict[str, tuple[str, ...]] = {}
        for vm in await self._ctx.store.vms():
            found[vm.image] = (*found.get(vm.image, ()), vm.name)
        return found

    async def catalog(self, *, refresh: bool = False) -> Catalog:
        """What can be pulled by name: the person's catalogs, then the embedded one.

        Args:
            refresh: ask for catalogs on the web again, however fresh the kept copies are.
        """
        return await self._ctx.catalogs.load(refresh=refresh)

    # -------------------------------------------------------------------------------- ways in

    async def pull(
        self,
        reference: str,
        *,
        name: str = "",
        platform: str = "",
        size_bytes: int | None = None,
        insecure: bool = False,
        plain: bool = False,
    ) -> Operation[ImageRecord]:
        """Get an image.

        Args:
            reference: a catalog's name, a container image ("alpine:3.20",
                "ghcr.io/org/img@sha256:…"), a bundle's URL, or the path of a bundle file.
            name: what to call it here; "": as the catalog or the reference has it.
            platform: "linux/arm64"; "": the host's.
            size_bytes: the filesystem's size; None: as the content asks for.
            insecure: plain http is fine with the registry.
            plain: the root filesystem exactly as the layers say, without guest kit; not bootable.

        Raises:
            InvalidInput, NotInCatalog
        """
        return await self._pull(PullSpec(reference, name, platform, size_bytes, insecure, plain))

    async def _pull(self, spec: PullSpec) -> Operation[ImageRecord]:
        catalog = await self.catalog()
        name, made = request(spec, catalog, default_kernel=DEFAULT_KERNEL)
        operation = await self._ctx.operations.begin(
            "pull image", name, pull(self._ctx, name, made), plan=plan(made)
        )
        self._specs[operation.id] = spec
        return operation

    async def register(
        self, rootfs: Path, name: str, *, kernel: str = "", in_place: bool = False
    ) -> Operation[ImageRecord]:
        """Make an image of an ext4 file on disk: a copy, or the file itself (``in_place``).

        Args:
            kernel: by name, or the path of a kernel's file; "": the default one.
        """
        rootfs = await asyncio.to_thread(rootfs.absolute)
        work = register(self._ctx, rootfs, name, kernel=kernel, in_place=in_place)
        return await self._ctx.operations.begin("register", name, work, plan=REGISTER_PLAN)

    async def promote(self, vm: str, name: str) -> Operation[ImageRecord]:
        """Make an image of a stopped VM's disk.

        Raises:
            NotFound: there is no such VM.
        """
        found = await self._ctx.store.vm(vm)
        return await self._ctx.operations.begin(
            "promote", name, promote(self._ctx, found.id, name), plan=PROMOTE_PLAN
        )

    # ------------------------------------------------------------------------------- ways out

    async def export(
        self, name: str, target: Path, *, overwrite: bool = False
    ) -> Operation[Exported]:
        """Write the image as a bundle file (tar.zst), with its kernel if that is here.

        Raises:
            NotFound
        """
        await self.get(name)
        work = export(self._ctx, name, target, overwrite=overwrite)
        return await self._ctx.operations.begin("export", name, work, plan=EXPORT_PLAN)

    async def push(self, name: str, reference: str, *, insecure: bool = False) -> Operation[Pushed]:
        """Push the image's bundle to a registry as an OCI artifact.

        Raises:
            NotFound, InvalidInput
        """
        await self.get(name)
        work = push(self._ctx, name, references.parse(reference), insecure=insecure)
        return await self._ctx.operations.begin("push", name, work, plan=PUSH_PLAN)

    # ------------------------------------------------------------------------------- cleaning

    async def delete(self, name: str) -> None:
        """Raises: NotFound, InUse."""
        await self._here.remove(name)

    async def prune(self, *, dry_run: bool = False) -> Pruned:
        """Remove downloads that no image needs; never one that a pull is using."""
        return await prune(self._ctx, dry_run=dry_run)

    # ----------------------------------------------------------------- across the end of the app

    async def remember(self, operation: Operation[ImageRecord]) -> bool:
        """Begin this pull again at the next start; False if it is none of ours."""
        spec = self._specs.get(operation.id)
        if spec is not None:
            await asyncio.to_thread(resume.remember, self._ctx.paths.resume, spec)
        return spec is not None

    async def resume_remembered(self) -> tuple[Operation[ImageRecord], ...]:
        """Begin what was remembered; what can't be begun any more is forgotten."""
        claimed = await in_thread(resume.claim, self._ctx.paths.resume)
        begun = []
        try:
            for one in claimed:
                begun.append(await self._again(one.spec))
                await in_thread(one.forget)
        finally:
            for one in claimed:
                one.release()
        return tuple(operation for operation in begun if operation is not None)

    def spec(self, operation_id: str) -> PullSpec | None:
        """What was asked for, of a pull begun here."""
        return self._specs.get(operation_id)

    async def _again(self, spec: PullSpec) -> Operation[ImageRecord] | None:
        try:
            return await self._pull(spec)
        except BangerError:
            return None
