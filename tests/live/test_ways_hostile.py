"""What a person, a script or a guest may put in the way: told clearly, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from banger_tui.engine.api import Engine
from banger_tui.engine.errors import (
    BadContent,
    BangerError,
    GuestFailure,
    InvalidInput,
    NotFound,
    ToolFailed,
)
from banger_tui.engine.paths import Paths
from banger_tui.engine.process import processes_with
from banger_tui.engine.provision.build import BuildSpec
from banger_tui.engine.settings import Settings
from tests.engine_fixtures.inspection import assert_no_vms
from tests.engine_fixtures.template import IMAGE
from tests.live.ways import (
    DiskDriver,
    Says,
    engine_below,
    picture,
    registered,
    rows,
    small_filesystem,
)

pytestmark = pytest.mark.timeout(300)
TIB = 1 << 40


@asynccontextmanager
async def nothing_comes(engine: Engine) -> AsyncIterator[None]:
    """All is as before after the block."""
    home = engine.paths.state.parent
    before = await asyncio.to_thread(picture, home), await rows(engine)
    yield
    assert (await asyncio.to_thread(picture, home), await rows(engine)) == before
    await assert_no_vms(engine)


# ---------------------------------------------------------------------------------- register


def partitioned(target: Path) -> None:
    """An MBR with one Linux partition, and an ext4 filesystem in that."""
    inner = small_filesystem(target.with_name("inner.ext4"))
    entry = struct.pack("<B3sB3sII", 0x80, b"\0" * 3, 0x83, b"\0" * 3, 2048, 65536)
    head = bytearray(1 << 20)
    head[446 : 446 + 16] = entry
    head[510:512] = b"\x55\xaa"
    target.write_bytes(bytes(head) + inner.read_bytes())


def unclean(target: Path) -> None:
    """A filesystem whose journal has something to replay: the flag alone is what e2fsck heeds."""
    small_filesystem(target)
    with target.open("r+b") as file:
        file.seek(1024 + 0x60)
        (features,) = struct.unpack("<I", file.read(4))
        file.seek(1024 + 0x60)
        file.write(struct.pack("<I", features | 0x4))
    # the superblock's checksum is made right again, the flag stays
    debugfs = shutil.which("debugfs", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert debugfs is not None
    subprocess.run(
        [debugfs, "-w", "-n", "-R", "ssv lastcheck 0", str(target)], check=True, capture_output=True
    )


def short(target: Path) -> None:
    small_filesystem(target)
    os.truncate(target, target.stat().st_size // 2)


@pytest.mark.parametrize("in_place", [False, True], ids=["copy", "in place"])
@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        pytest.param(Path.mkdir, InvalidInput, "is no file", id="directory"),
        pytest.param(os.mkfifo, InvalidInput, "is no file", id="fifo"),
        pytest.param(lambda path: None, NotFound, "There is no file", id="nothing"),
        pytest.param(
            lambda path: path.symlink_to(path), NotFound, "There is no file", id="link to itself"
        ),
        pytest.param(Path.touch, BadContent, "is no ext4", id="empty"),
        pytest.param(partitioned, BadContent, "is no ext4", id="partitions"),
        pytest.param(short, BadContent, "damaged", id="cut short"),
        pytest.param(unclean, BadContent, "cleanly|damaged", id="unclean"),
    ],
)
async def test_register_refuses(
    real_home: Path, tmp_path: Path, make: object, error: type[BangerError], says: str,
    in_place: bool,
) -> None:  # fmt: skip
    file = tmp_path / "mine.ext4"
    await asyncio.to_thread(make, file)  # type: ignore[arg-type]
    async with engine_below(real_home) as engine, nothing_comes(engine):
        with pytest.raises(error, match=says) as caught:
            await (await engine.images.register(file, "new", in_place=in_place)).result()
        assert "Something went wrong inside" not in caught.value.title


async def test_register_what_a_link_leads_to(real_home: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(small_filesystem(tmp_path / "mine.ext4"))
    async with engine_below(real_home) as engine:
        image = await (await engine.images.register(link, "new")).result()
        rootfs = engine.images.rootfs(image)
        assert not await asyncio.to_thread(rootfs.is_symlink)
        await engine.images.delete("new")
    assert (tmp_path / "mine.ext4").is_file()
    assert link.is_symlink()


@pytest.mark.slow
async def test_register_a_huge_sparse_filesystem(real_home: Path, tmp_path: Path) -> None:
    """8 TiB with next to nothing in them: room is needed for what there is."""
    huge = tmp_path / "huge.ext4"
    with huge.open("wb") as file:
        file.truncate(8 * TIB)
    await asyncio.to_thread(
        subprocess.run,
        ["mke2fs", "-q", "-F", "-t", "ext4", "-N", "1024", "-O", "^has_journal,sparse_super2",
         "-G", "16384", "-E", "lazy_itable_init=1,nodiscard", str(huge)],
        check=True, env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"},
    )  # fmt: skip
    async with engine_below(real_home) as engine:
        await (await engine.images.register(huge, "new")).result()


# ------------------------------------------------------------------------------------- build


async def test_a_script_that_powers_off(real_home: Path, tmp_path: Path) -> None:
    """With and without an exit code that got through before the guest's end."""
    script = tmp_path / "setup.sh"
    script.write_text("poweroff\n")
    driver = DiskDriver()
    async with engine_below(real_home, driver) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")

        async def go_off() -> None:
            for vmm in driver.vmms.values():
                vmm.crash()
            while await engine.vms.list():
                await asyncio.sleep(0.01)

        for code in (255, 0):
            driver.says = Says([b"going\n"], code, at_end=go_off)
            async with nothing_comes(engine):
                build = await engine.build_image(BuildSpec("new", "kept", script))
                with pytest.raises(GuestFailure, match=r"went off while setup\.sh ran"):
                    await build.result()


async def test_a_script_that_fails_leaves_its_log(real_home: Path, tmp_path: Path) -> None:
    script = tmp_path / "setup.sh"
    script.write_text("exit 3\n")
    async with engine_below(real_home, DiskDriver(says=Says([b"to be seen\n"], 3))) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        async with nothing_comes(engine):
            build = await engine.build_image(BuildSpec("new", "kept", script))
            with pytest.raises(ToolFailed, match="exit code 3"):
                await build.result()
            log = engine.paths.operation_log(build.id)
            assert "to be seen" in await asyncio.to_thread(log.read_text)


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "huge"])
async def test_a_script_that_is_none(real_home: Path, tmp_path: Path, kind: str) -> None:
    script = tmp_path / "setup.sh"
    match kind:
        case "directory":
            script.mkdir()
        case "fifo":
            os.mkfifo(script)
        case "huge":
            with script.open("wb") as file:
                file.truncate(TIB)
    async with engine_below(real_home) as engine, nothing_comes(engine):
        build = await engine.build_image(BuildSpec("new", IMAGE, script))
        with pytest.raises((InvalidInput, NotFound)):
            await build.result()


async def test_scripts_that_do_harm_in_a_real_guest(real_home: Path, tmp_path: Path) -> None:
    """One takes the guest kit away; the other fills the disk and powers off."""
    script = tmp_path / "setup.sh"
    async with Engine(Paths.below(real_home), Settings(image=IMAGE)) as engine:
        await registered(engine, tmp_path / "mine.ext4", "kept")
        script.write_text("printf '\\033]0;x\\007'\necho made >/made\nrm -rf /.banger\n")
        image = await (await engine.build_image(BuildSpec("new", "kept", script))).result()
        assert image.init, "without the guest kit nothing can talk to it"
        rootfs = engine.images.rootfs(image)
        assert await in_image(rootfs, "cat /made") == "made\n"
        assert "agent" in await in_image(rootfs, "ls /.banger")
        await engine.images.delete("new")
        script.write_text("cat /dev/zero >/full\necho it is full: $?\npoweroff\nsleep 100\n")
        async with nothing_comes(engine):
            build = await engine.build_image(BuildSpec("new", "kept", script))
            with pytest.raises(GuestFailure, match="went off"):
                await build.result()
            log = await asyncio.to_thread(engine.paths.operation_log(build.id).read_text)
            assert "it is full: 1" in log
        assert processes_with(f"unix:{engine.paths.runtime}/") == []


async def in_image(rootfs: Path, command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "/sbin/debugfs", "-R", command, str(rootfs),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return (await process.communicate())[0].decode()
