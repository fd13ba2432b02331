"""The ways of writing the same thing: GNU tar, Version 7, pax, star."""

from __future__ import annotations

from banger_tui.engine.layers.tree import Kind
from tests.layer_cases.case import DIRECTORY, IMPLIED, SECOND, Case, Entry, link_to, tree
from tests.layer_cases.tar import (
    GNU,
    V7,
    base256,
    directory,
    file,
    hardlink,
    header,
    layer,
    long_name,
    member,
    pax,
    symlink,
)

LONG = b"/".join([b"directory-of-a-long-name"] * 8) + b"/file"
"""204 bytes."""


def parents(path: bytes) -> dict[bytes, Entry]:
    parts = path.split(b"/")
    return {b"/".join(parts[:depth]): IMPLIED for depth in range(1, len(parts))}


FORMAT_CASES: list[Case] = [
    Case(
        "ustar-prefix",
        [layer(file(b"name", b"x", prefix=b"pre/fix"))],
        tree({**parents(b"pre/fix/name"), b"pre/fix/name": Entry(data=b"x")}),
    ),
    Case(
        "ustar-name-and-prefix-full",
        [layer(file(b"n" * 100, prefix=b"p" * 155))],
        tree({b"p" * 155: IMPLIED, b"p" * 155 + b"/" + b"n" * 100: Entry()}),
    ),
    Case(
        "ustar-link-of-100-bytes",
        [layer(symlink(b"s", b"t" * 100))],
        tree({b"s": link_to(b"t" * 100)}),
    ),
    Case(
        "star-keeps-times-behind-the-prefix",
        [layer(file(b"name", prefix=b"p" * 131 + b"14000000000 " * 2 + bytes(8) + b"tar\0"))],
        tree({b"p" * 131: IMPLIED, b"p" * 131 + b"/name": Entry()}),
    ),
    Case(
        "version-7",
        [
            layer(
                header(b"d/", b"\0", magic=V7, mode=0o755),
                member(b"d/f", b"x", b"\0", magic=V7, uid=3),
                header(b"s", b"2", magic=V7, link=b"d/f", mode=0o777),
                header(b"h", b"1", magic=V7, link=b"d/f"),
            )
        ],
        tree(
            {
                b"d": DIRECTORY,
                b"d/f": Entry(uid=3, data=b"x"),
                b"s": link_to(b"d/f"),
                b"h": Entry(uid=3, data=b"x", same_as=b"d/f"),
            }
        ),
    ),
    Case(
        "version-7-has-no-prefix",
        [layer(file(b"f", b"x", magic=V7, prefix=b"junk"))],
        tree({b"f": Entry(data=b"x")}),
    ),
    Case("contiguous-file", [layer(member(b"f", b"x", b"7"))], tree({b"f": Entry(data=b"x")})),
    Case(
        "file-with-a-slash-is-a-directory",
        [layer(header(b"d/", mode=0o755))],
        tree({b"d": DIRECTORY}),
    ),
    Case(
        "signed-checksum",
        [layer(header(b"\xff\xc3", signed_sum=True))],
        tree({b"\xff\xc3": Entry()}),
    ),
    Case(
        "numbers-with-blanks",
        [layer(file(b"f", b"xyz", size=b"         3 \0", mode=b"   644 \0", uid=b"    7\0  "))],
        tree({b"f": Entry(uid=7, data=b"xyz")}),
    ),
    Case(
        "numbers-without-an-end",
        [layer(file(b"f", b"xyz", size=b"000000000003", mode=b"00000644"))],
        tree({b"f": Entry(data=b"xyz")}),
    ),
    Case(
        "numbers-left-empty",
        [layer(file(b"f", uid=b"", gid=b"", mtime=b"", mode=b"        "))],
        tree({b"f": Entry(mode=0, mtime_ns=0)}),
    ),
    Case(
        "numbers-in-base-256",
        [
            layer(
                file(
                    b"f",
                    b"x",
                    size=base256(1, 12),
                    uid=base256(3_000_000_000, 8),
                    gid=base256(4_294_967_294, 8),
                    mtime=base256(9_000_000_000, 12),
                    magic=GNU,
                )
            )
        ],
        tree(
            {
                b"f": Entry(
                    uid=3_000_000_000,
                    gid=4_294_967_294,
                    mtime_ns=9_000_000_000 * SECOND,
                    data=b"x",
                )
            }
        ),
    ),
    Case(
        "time-before-1970-in-base-256",
        [layer(file(b"f", mtime=base256(-1, 12), magic=GNU))],
        tree({b"f": Entry(mtime_ns=-SECOND)}),
    ),
    Case(
        "gnu-long-name",
        [layer(long_name(LONG), file(LONG[:100], b"x", magic=GNU))],
        tree({**parents(LONG), LONG: Entry(data=b"x")}),
    ),
    Case(
        "gnu-long-link",
        [layer(long_name(b"t" * 300, b"K"), symlink(b"s", b"t" * 100))],
        tree({b"s": link_to(b"t" * 300)}),
    ),
    Case(
        "gnu-long-name-and-link",
        [
            layer(
                file(b"a", b"x"),
                long_name(LONG),
                file(LONG[:100], b"y"),
                long_name(LONG, b"K"),
                long_name(b"z" * 150),
                hardlink(b"z" * 100, LONG[:100]),
            )
        ],
        tree(
            {
                **parents(LONG),
                b"a": Entry(data=b"x"),
                LONG: Entry(data=b"y"),
                b"z" * 150: Entry(data=b"y", same_as=LONG),
            }
        ),
    ),
    Case(
        "gnu-long-name-of-any-bytes",
        [layer(long_name(b"\xff" * 150), file(b"x"))],
        tree({b"\xff" * 150: Entry()}),
    ),
    Case(
        "gnu-times-are-no-prefix",
        [layer(file(b"f", magic=GNU, prefix=b"14000000000\00014000000000\0"))],
        tree({b"f": Entry()}),
    ),
    Case(
        "pax-path-and-linkpath",
        [
            layer(
                pax({b"path": LONG}),
                file(b"short", b"x"),
                pax({b"path": b"s" * 120, b"linkpath": b"/" + LONG}),
                symlink(b"short", b"short"),
                pax({b"linkpath": LONG}),
                hardlink(b"h", b"short"),
            )
        ],
        tree(
            {
                **parents(LONG),
                LONG: Entry(data=b"x"),
                b"s" * 120: link_to(b"/" + LONG),
                b"h": Entry(data=b"x", same_as=LONG),
            }
        ),
    ),
    Case(
        "pax-path-of-any-bytes",
        [layer(pax({b"path": b"caf\xe9" * 40}), file(b"short"))],
        tree({b"caf\xe9" * 40: Entry()}),
    ),
    Case(
        "pax-binary-names",
        [layer(pax({b"hdrcharset": b"BINARY", b"path": b"\xfe" * 101}), file(b"short"))],
        tree({b"\xfe" * 101: Entry()}),
    ),
    Case(
        "pax-directory-path",
        [layer(pax({b"path": b"d" * 120 + b"/"}), directory(b"d/"))],
        tree({b"d" * 120: DIRECTORY}),
    ),
    Case(
        "pax-owner-and-size",
        [
            layer(
                pax({b"uid": b"4294967294", b"gid": b"2147483648", b"size": b"3"}),
                file(b"f", b"xyz", size=0),
                file(b"next", b"n"),
            )
        ],
        tree(
            {
                b"f": Entry(uid=4294967294, gid=2147483648, data=b"xyz"),
                b"next": Entry(data=b"n"),
            }
        ),
    ),
    Case(
        "pax-holds-for-one-entry",
        [layer(pax({b"uid": b"7", b"path": b"p"}), file(b"x"), file(b"y"))],
        tree({b"p": Entry(uid=7), b"y": Entry()}),
    ),
    Case(
        "pax-last-of-a-repeated-key",
        [layer(pax([(b"path", b"one"), (b"path", b"two")]), file(b"x"))],
        tree({b"two": Entry()}),
    ),
    Case(
        "pax-unknown-keys",
        [
            layer(
                pax(
                    {
                        b"comment": b"a=b\nc",
                        b"atime": b"1.5",
                        b"ctime": b"junk",
                        b"uname": b"root",
                        b"VENDOR.x": b"\xff\0",
                    }
                ),
                file(b"f"),
            )
        ],
        tree({b"f": Entry()}),
    ),
    Case(
        "pax-empty-values-mean-nothing-said",
        [layer(pax({b"path": b"", b"uid": b"", b"mtime": b"", b"size": b""}), file(b"f", b"x"))],
        tree({b"f": Entry(data=b"x")}),
    ),
    Case(
        "pax-for-all",
        [
            layer(
                pax({b"comment": b"commit", b"uid": b"9", b"mtime": b"77.5"}, b"g"),
                file(b"a"),
                pax({b"uid": b"8"}),
                file(b"b"),
                pax({b"uid": b""}),
                file(b"c", uid=1),
                pax({b"mtime": b""}, b"g"),
                file(b"d"),
            )
        ],
        tree(
            {
                b"a": Entry(uid=9, mtime_ns=77_500_000_000),
                b"b": Entry(uid=8, mtime_ns=77_500_000_000),
                b"c": Entry(uid=1, mtime_ns=77_500_000_000),
                b"d": Entry(uid=9),
            }
        ),
    ),
    Case(
        "pax-for-all-ends-with-its-archive",
        [layer(pax({b"uid": b"9"}, b"g"), file(b"a")), layer(file(b"b"))],
        tree({b"a": Entry(uid=9), b"b": Entry()}),
    ),
    Case(
        "pax-for-all-at-the-end",
        [layer(file(b"a"), pax({b"comment": b"x"}, b"g"))],
        tree({b"a": Entry()}),
    ),
    Case(
        "pax-and-gnu-long-name",
        [layer(pax({b"mtime": b"5"}), long_name(b"l" * 120), file(b"x"))],
        tree({b"l" * 120: Entry(mtime_ns=5 * SECOND)}),
    ),
    Case(
        "device-in-version-7",
        [layer(header(b"n", b"3", magic=V7, major=5, minor=1))],
        tree({b"n": Entry(Kind.CHARACTER, device=(5, 1))}),
    ),
]
