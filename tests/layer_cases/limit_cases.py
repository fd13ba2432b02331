"""Layers larger than the limits allow, in every way to be large."""

from __future__ import annotations

from banger_tui.engine.limits import Limits
from tests.layer_cases.case import Case, too_large
from tests.layer_cases.sparse_cases import sparse_1_0
from tests.layer_cases.tar import (
    GNU,
    base256,
    directory,
    file,
    header,
    layer,
    long_name,
    pax,
    symlink,
    whiteout,
)

SMALL = Limits(max_rootfs_bytes=1 << 20, max_entries=100, max_path_bytes=200, max_xattr_bytes=1000)

LIMIT_CASES: list[Case] = [
    too_large("limit-entries", "max_entries", SMALL, layer(*(file(b"%d" % n) for n in range(101)))),
    too_large(
        "limit-entries-over-layers",
        "max_entries",
        SMALL,
        *(layer(*(file(b"%d.%d" % (at, n)) for n in range(40))) for at in range(3)),
    ),
    too_large(
        "limit-entries-of-one-name", "max_entries", SMALL, layer(*(file(b"a") for _ in range(101)))
    ),
    too_large(
        "limit-entries-by-implied-parents",
        "max_entries",
        SMALL,
        layer(pax({b"path": b"d/" * 99 + b"f"}), file(b"x"), file(b"y")),
    ),
    too_large(
        "limit-entries-by-whiteouts",
        "max_entries",
        SMALL,
        layer(*(whiteout(b"%d" % n) for n in range(101))),
    ),
    too_large(
        "limit-bytes",
        "max_rootfs_bytes",
        SMALL,
        layer(file(b"a", bytes(1 << 20)), file(b"b", b"x")),
    ),
    too_large(
        "limit-bytes-over-layers",
        "max_rootfs_bytes",
        SMALL,
        layer(file(b"a", bytes(600_000))),
        layer(file(b"a", bytes(600_000))),
    ),
    too_large(
        "limit-bytes-by-a-hole",
        "max_rootfs_bytes",
        SMALL,
        layer(sparse_1_0(b"f", (), b"", 2 << 20)),
    ),
    too_large(
        "limit-bytes-by-a-huge-hole",
        "max_rootfs_bytes",
        Limits(),
        layer(sparse_1_0(b"f", (), b"", 1 << 62)),
    ),
    too_large(
        "limit-path", "max_path_bytes", SMALL, layer(pax({b"path": b"d/" * 100 + b"f"}), file(b"x"))
    ),
    too_large(
        "limit-path-of-a-gnu-long-name",
        "max_path_bytes",
        SMALL,
        layer(long_name(b"d/" * 2000), file(b"x")),
    ),
    too_large(
        "limit-path-of-a-link",
        "max_path_bytes",
        SMALL,
        layer(pax({b"linkpath": b"t" * 201}), symlink(b"s", b"x")),
    ),
    too_large(
        "limit-path-behind-symlinks",
        "max_path_bytes",
        SMALL,
        layer(
            directory(b"a" * 90 + b"/"),
            symlink(b"s", b"a" * 90),
            directory(b"s/" + b"b" * 90 + b"/"),
            symlink(b"t", b"s/" + b"b" * 90),
            file(b"t/" + b"c" * 90),
        ),
    ),
    too_large(
        "limit-path-of-directories-made-on-the-way",
        "max_path_bytes",
        SMALL,
        layer(
            directory(b"a" * 90 + b"/"),
            symlink(b"s", b"a" * 90),
            pax({b"linkpath": b"s/" + b"b" * 90 + b"/" + b"c" * 90 + b"/../../.."}),
            symlink(b"t", b"x"),
            file(b"t/f"),
        ),
    ),
    too_large(
        "limit-attributes",
        "max_xattr_bytes",
        SMALL,
        layer(pax({b"SCHILY.xattr.user.a": b"x" * 995}), file(b"a")),
    ),
    too_large(
        "limit-attributes-together",
        "max_xattr_bytes",
        SMALL,
        layer(pax({b"SCHILY.xattr.user.%d" % n: b"x" * 90 for n in range(12)}), file(b"a")),
    ),
    too_large(
        "limit-extended-header",
        "max_xattr_bytes",
        Limits(),
        layer(pax({b"comment": b"x" * (1 << 20)}), file(b"a")),
    ),
    too_large(
        "limit-extended-header-that-lies",
        "max_xattr_bytes",
        Limits(),
        layer(header(b"x", b"x", size=base256(1 << 60, 12), magic=GNU), file(b"a")),
    ),
    too_large(
        "limit-sparse-map",
        "max_entries",
        Limits(max_entries=10),
        layer(
            pax(
                {
                    b"GNU.sparse.major": b"1",
                    b"GNU.sparse.minor": b"0",
                    b"GNU.sparse.realsize": b"5",
                }
            ),
            file(b"f", b"99999999999\n"),
        ),
    ),
]
