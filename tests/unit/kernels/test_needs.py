"""What a guest needs, judged by modules and by configuration."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from banger_tui.engine.errors import BadContent
from banger_tui.engine.kernels.modules import in_directory
from banger_tui.engine.kernels.needs import (
    check_config,
    embedded_config,
    loading_lists,
    parse_config,
)
from banger_tui.engine.model import MIB
from tests.unit.kernels import samples

NEVER = lambda: False  # noqa: E731


def test_modules_by_when_they_are_loaded(tmp_path: Path) -> None:
    files = in_directory(samples.write_tree(tmp_path, samples.tree_files()))
    lists = loading_lists(files, version=samples.VERSION)
    names = {key: [module.name for module in each] for key, each in lists.items()}
    order = names["order"]
    assert set(order) == set(samples.MODULES) - {"virtio_pci", "overlay"}
    assert order.index("failover") < order.index("net_failover") < order.index("virtio_net")
    assert (names["pci"], names["later"]) == (["virtio_pci"], ["overlay"])


def test_ext4_as_a_module_comes_with_its_checksums(tmp_path: Path) -> None:
    modules = {**samples.MODULES, "ext4": ("jbd2",), "jbd2": (), "crc32c_generic": ()}
    files = samples.tree_files(modules=modules)
    files["modules.builtin"] = b""
    lists = loading_lists(in_directory(samples.write_tree(tmp_path, files)))
    assert {"ext4", "jbd2", "crc32c_generic"} <= {module.name for module in lists["order"]}


def test_each_lack_is_named(tmp_path: Path) -> None:
    modules = {k: v for k, v in samples.MODULES.items() if k not in ("virtio_blk", "failover")}
    files = {**samples.tree_files(modules=modules), "modules.builtin": b""}
    with pytest.raises(BadContent) as caught:
        loading_lists(in_directory(samples.write_tree(tmp_path, files)))
    for name in ("virtio_blk, which every guest", "ext4, which every", "failover, which net_fail"):
        assert name in caught.value.detail


def test_a_kernel_with_all_built_in_needs_no_module(tmp_path: Path) -> None:
    names = [*samples.MODULES, "ext4", "virtio-ring"]
    listing = "".join(f"kernel/drivers/{name}.ko\n" for name in names)
    files = in_directory(samples.write_tree(tmp_path, {"modules.builtin": listing.encode()}))
    assert loading_lists(files) == {"order": [], "pci": [], "later": []}


def test_a_configuration_is_read() -> None:
    assert parse_config('# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C="x=1"\nD=y\n') == {
        "B": "y",
        "C": '"x=1"',
    }


def test_what_must_be_built_in() -> None:
    whole, modular = parse_config(samples.CONFIG), parse_config(samples.MODULAR)
    for architecture in ("x86_64", "aarch64"):
        check_config(whole, architecture, with_modules=False)
        check_config(modular, architecture, with_modules=True)
    with pytest.raises(BadContent, match="CONFIG_VIRTIO_BLK, CONFIG_EXT4_FS") as caught:
        check_config(modular, "x86_64", with_modules=False)
    assert "--modules" in caught.value.hint
    with pytest.raises(BadContent, match="CONFIG_DEVTMPFS, CONFIG_SERIAL_8250_CONSOLE") as caught:
        check_config(
            {k: v for k, v in whole.items() if k not in ("DEVTMPFS", "SERIAL_8250_CONSOLE")},
            "x86_64",
            with_modules=True,
        )
    assert caught.value.hint == ""


@pytest.mark.parametrize("way", ["zstd", "lz4"])
def test_the_configuration_in_a_kernel(way: str) -> None:
    inner = samples.vmlinux(config=samples.MODULAR)
    wanted = parse_config(samples.MODULAR)
    for data in (inner, samples.bzimage(samples.in_kernel(way, inner))):
        assert embedded_config(data, NEVER) == wanted
    arm = samples.arm_image() + inner[inner.index(b"IKCFG_ST") :]
    assert embedded_config(arm, NEVER) == wanted
    assert embedded_config(gzip.compress(arm, mtime=0), NEVER) == wanted
    assert embedded_config(samples.bzimage(), NEVER) is None


@pytest.mark.parametrize("before", range(0, 10, 3))
def test_a_configuration_that_lies_across_two_pieces(before: int) -> None:
    """What is before its mark is forgotten, but not half of the mark."""
    plain, whole = samples.vmlinux(), samples.vmlinux(config=samples.CONFIG)
    start = whole.index(b"IKCFG_ST")
    padded = whole[:start] + bytes(MIB - before - start) + whole[start:]
    assert padded.index(b"IKCFG_ST") == MIB - before
    for data in (padded, samples.bzimage(samples.in_kernel("gzip", padded))):
        assert embedded_config(data, NEVER) == parse_config(samples.CONFIG)
    assert embedded_config(plain + bytes(2 * MIB), NEVER) is None


def test_a_damaged_configuration_is_refused() -> None:
    data = samples.vmlinux(config=samples.CONFIG)
    at = data.index(b"IKCFG_ST") + 8
    with pytest.raises(BadContent, match="configuration is damaged"):
        embedded_config(data[: at + 30], NEVER)
