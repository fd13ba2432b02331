"""Modes, owners, times and extended attributes."""

from __future__ import annotations

from banger_tui.engine.layers.tree import Kind
from tests.layer_cases.case import DIRECTORY, SECOND, Case, Entry, tree
from tests.layer_cases.tar import directory, file, layer, pax

CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")
"""cap_net_raw=ep, as setcap(8) writes it."""

ACL = bytes.fromhex("0200000001000600ffffffff04000400ffffffff20000400ffffffff")

METADATA_CASES: list[Case] = [
    Case(
        "setuid-setgid-sticky",
        [
            layer(
                file(b"su", mode=0o4755),
                file(b"sg", mode=0o2755),
                directory(b"tmp/", mode=0o1777),
            )
        ],
        tree(
            {
                b"su": Entry(mode=0o4755),
                b"sg": Entry(mode=0o2755),
                b"tmp": Entry(Kind.DIRECTORY, 0o1777),
            }
        ),
    ),
    Case(
        "setuid-with-an-owner",
        [layer(file(b"a", mode=0o6711, uid=1000, gid=1001))],
        tree({b"a": Entry(mode=0o6711, uid=1000, gid=1001)}),
    ),
    Case("mode-of-nothing", [layer(file(b"a", mode=0))], tree({b"a": Entry(mode=0)})),
    Case(
        "mode-with-the-type-in-it",
        [layer(file(b"a", mode=0o100644), directory(b"d/", mode=0o40755))],
        tree({b"a": Entry(), b"d": DIRECTORY}),
    ),
    Case(
        "owner-above-65535",
        [layer(file(b"a", uid=70000, gid=1_500_000))],
        tree({b"a": Entry(uid=70000, gid=1_500_000)}),
    ),
    Case(
        "times",
        [
            layer(
                pax({b"mtime": b"1600000000.123456789"}),
                file(b"nanoseconds"),
                pax({b"mtime": b"-86400"}),
                file(b"before-1970"),
                pax({b"mtime": b"-0.5"}),
                file(b"just-before-1970"),
                pax({b"mtime": b"12.3456789019"}),
                file(b"finer-than-nanoseconds"),
                pax({b"mtime": b"5000000000"}),
                file(b"after-2106"),
                pax({b"mtime": b"7."}),
                file(b"dot-without-digits"),
                file(b"epoch", mtime=0),
            )
        ],
        tree(
            {
                b"nanoseconds": Entry(mtime_ns=1_600_000_000_123_456_789),
                b"before-1970": Entry(mtime_ns=-86400 * SECOND),
                b"just-before-1970": Entry(mtime_ns=-SECOND // 2),
                b"finer-than-nanoseconds": Entry(mtime_ns=12_345_678_901),
                b"after-2106": Entry(mtime_ns=5_000_000_000 * SECOND),
                b"dot-without-digits": Entry(mtime_ns=7 * SECOND),
                b"epoch": Entry(mtime_ns=0),
            }
        ),
    ),
    Case(
        "times-no-filesystem-holds",
        [
            layer(
                pax({b"mtime": b"-62135596800"}),
                file(b"year-one"),
                pax({b"mtime": b"99999999999999999999"}),
                file(b"far-off"),
            )
        ],
        tree(
            {
                b"year-one": Entry(mtime_ns=-(1 << 31) * SECOND),
                b"far-off": Entry(mtime_ns=((1 << 34) - (1 << 31) - 1) * SECOND),
            }
        ),
    ),
    Case(
        "capability",
        [layer(pax({b"SCHILY.xattr.security.capability": CAPABILITY}), file(b"ping", mode=0o755))],
        tree({b"ping": Entry(mode=0o755, xattrs={b"security.capability": CAPABILITY})}),
    ),
    Case(
        "user-attributes",
        [
            layer(
                pax(
                    {
                        b"SCHILY.xattr.user.a": b"one\ntwo\0three",
                        b"SCHILY.xattr.user.empty": b"",
                        b"SCHILY.xattr.user.\xff\xfe": b"\xff",
                    }
                ),
                file(b"f"),
                pax({b"SCHILY.xattr.user.d": b"1"}),
                directory(b"d/"),
            )
        ],
        tree(
            {
                b"f": Entry(
                    xattrs={
                        b"user.a": b"one\ntwo\0three",
                        b"user.empty": b"",
                        b"user.\xff\xfe": b"\xff",
                    }
                ),
                b"d": Entry(Kind.DIRECTORY, 0o755, xattrs={b"user.d": b"1"}),
            }
        ),
    ),
    Case(
        "attributes-as-libarchive-writes-them",
        [
            layer(
                pax(
                    {
                        b"LIBARCHIVE.xattr.user.a%3Db": b"aGVsbG8",
                        b"LIBARCHIVE.xattr.security.capability": b"AQAAAgAEAAAAAAAAAAAAAAAAAAA=",
                    }
                ),
                file(b"f"),
            )
        ],
        tree({b"f": Entry(xattrs={b"user.a=b": b"hello", b"security.capability": CAPABILITY})}),
    ),
    Case(
        "attributes-in-both-ways",
        [
            layer(
                pax({b"LIBARCHIVE.xattr.user.a": b"aGVsbG8", b"SCHILY.xattr.user.a": b"plain"}),
                file(b"f"),
                pax({b"SCHILY.xattr.user.a": b"plain", b"LIBARCHIVE.xattr.user.a": b"aGVsbG8"}),
                file(b"g"),
            )
        ],
        tree(
            {
                b"f": Entry(xattrs={b"user.a": b"plain"}),
                b"g": Entry(xattrs={b"user.a": b"plain"}),
            }
        ),
    ),
    Case(
        "attributes-that-are-dropped",
        [
            layer(
                pax(
                    {
                        b"SCHILY.xattr.security.selinux": b"system_u:object_r:bin_t:s0\0",
                        b"SCHILY.xattr.com.apple.quarantine": b"x",
                        b"SCHILY.xattr.system.data": b"inline",
                        b"SCHILY.xattr.user.kept": b"1",
                    }
                ),
                file(b"f"),
            )
        ],
        tree({b"f": Entry(xattrs={b"user.kept": b"1"})}),
    ),
    Case(
        "access-control-lists",
        [
            layer(
                pax({b"SCHILY.xattr.system.posix_acl_access": ACL}),
                file(b"f"),
                pax(
                    {
                        b"SCHILY.xattr.system.posix_acl_access": ACL,
                        b"SCHILY.xattr.system.posix_acl_default": ACL,
                    }
                ),
                directory(b"d/"),
                pax({b"SCHILY.xattr.system.posix_acl_default": ACL}),
                file(b"g"),
            )
        ],
        tree(
            {
                b"f": Entry(xattrs={b"system.posix_acl_access": ACL}),
                b"d": Entry(
                    Kind.DIRECTORY,
                    0o755,
                    xattrs={b"system.posix_acl_access": ACL, b"system.posix_acl_default": ACL},
                ),
                b"g": Entry(),
            }
        ),
    ),
]
