"""Hard links: to the same layer, to lower ones, to names that come later."""

from __future__ import annotations

from banger_tui.engine.layers.tree import Kind
from tests.layer_cases.case import DIRECTORY, IMPLIED, Case, Entry, link_to, tree
from tests.layer_cases.starting_points import ONE, TWO, USR, USR_TREE
from tests.layer_cases.tar import (
    directory,
    file,
    hardlink,
    header,
    layer,
    opaque,
    pax,
    symlink,
    whiteout,
)

LINK_CASES: list[Case] = [
    Case(
        "hard-link",
        [layer(file(b"a", b"1", mode=0o600, uid=3), hardlink(b"b", b"a"))],
        tree(
            {
                b"a": Entry(mode=0o600, uid=3, data=b"1"),
                b"b": Entry(mode=0o600, uid=3, data=b"1", same_as=b"a"),
            }
        ),
    ),
    Case(
        "hard-link-to-a-hard-link",
        [layer(file(b"a", b"1"), hardlink(b"b", b"a"), hardlink(b"c", b"b"))],
        tree(
            {
                b"a": ONE,
                b"b": Entry(data=b"1", same_as=b"a"),
                b"c": Entry(data=b"1", same_as=b"a"),
            }
        ),
    ),
    Case(
        "hard-link-with-slashes-and-dots",
        [layer(file(b"d/a", b"1"), hardlink(b"b", b"/d/a"), hardlink(b"c", b".//d/./a"))],
        tree(
            {
                b"d": IMPLIED,
                b"b": ONE,
                b"c": Entry(data=b"1", same_as=b"b"),
                b"d/a": Entry(data=b"1", same_as=b"b"),
            }
        ),
    ),
    Case(
        "hard-link-to-a-lower-layer",
        [layer(file(b"a", b"1")), layer(hardlink(b"b", b"a"))],
        tree({b"a": ONE, b"b": Entry(data=b"1", same_as=b"a")}),
    ),
    Case(
        "hard-link-to-a-lower-name-now-hidden",
        [layer(file(b"a", b"1")), layer(whiteout(b"a"), hardlink(b"b", b"a"))],
        tree({b"b": ONE}),
    ),
    Case(
        "hard-link-to-a-lower-name-in-a-cleared-directory",
        [
            layer(file(b"d/a", b"1")),
            layer(directory(b"d/"), opaque(b"d"), hardlink(b"d/b", b"d/a")),
        ],
        tree({b"d": DIRECTORY, b"d/b": ONE}),
    ),
    Case(
        "hard-link-before-its-target",
        [layer(hardlink(b"b", b"a"), file(b"a", b"1"))],
        tree({b"a": ONE, b"b": Entry(data=b"1", same_as=b"a")}),
    ),
    Case(
        "hard-links-before-their-targets-in-a-chain",
        [layer(hardlink(b"d", b"c"), hardlink(b"b", b"a"), hardlink(b"c", b"b"), file(b"a", b"1"))],
        tree(
            {
                b"a": ONE,
                **{name: Entry(data=b"1", same_as=b"a") for name in (b"b", b"c", b"d")},
            }
        ),
    ),
    Case(
        "hard-link-before-its-target-then-replaced",
        [layer(hardlink(b"b", b"a"), file(b"b", b"2"), file(b"a", b"1"))],
        tree({b"a": ONE, b"b": TWO}),
    ),
    Case(
        "hard-link-before-its-target-over-a-lower-file",
        [
            layer(file(b"b", b"2")),
            layer(hardlink(b"b", b"a"), hardlink(b"c", b"b"), file(b"a", b"1")),
        ],
        tree(
            {
                b"a": ONE,
                b"b": Entry(data=b"1", same_as=b"a"),
                b"c": Entry(data=b"1", same_as=b"a"),
            }
        ),
    ),
    Case(
        "hard-link-to-itself",
        [layer(file(b"a", b"1"), hardlink(b"a", b"a"))],
        tree({b"a": ONE}),
    ),
    Case(
        "hard-link-to-a-symlink",
        [layer(symlink(b"s", b"t"), hardlink(b"h", b"s"))],
        tree({b"h": link_to(b"t"), b"s": Entry(Kind.SYMLINK, 0o777, target=b"t", same_as=b"h")}),
    ),
    Case(
        "hard-link-to-a-symlink-to-a-directory",
        [layer(directory(b"d/"), symlink(b"s", b"d"), hardlink(b"h", b"s"))],
        tree(
            {
                b"d": DIRECTORY,
                b"h": link_to(b"d"),
                b"s": Entry(Kind.SYMLINK, 0o777, target=b"d", same_as=b"h"),
            }
        ),
    ),
    Case(
        "hard-link-to-a-device-and-a-fifo",
        [
            layer(
                header(b"n", b"3", major=1, minor=3),
                hardlink(b"o", b"n"),
                header(b"p", b"6"),
                hardlink(b"q", b"p"),
            )
        ],
        tree(
            {
                b"n": Entry(Kind.CHARACTER, device=(1, 3)),
                b"o": Entry(Kind.CHARACTER, device=(1, 3), same_as=b"n"),
                b"p": Entry(Kind.FIFO),
                b"q": Entry(Kind.FIFO, same_as=b"p"),
            }
        ),
    ),
    Case(
        "hard-link-through-a-symlinked-parent",
        [USR, layer(file(b"usr/lib/a", b"1")), layer(hardlink(b"lib/b", b"lib/a"))],
        tree({**USR_TREE, b"usr/lib/a": ONE, b"usr/lib/b": Entry(data=b"1", same_as=b"usr/lib/a")}),
    ),
    Case(
        "hard-link-says-nothing-of-the-inode",
        [
            layer(
                file(b"a", b"1", mode=0o4755, uid=5),
                pax({b"SCHILY.xattr.user.k": b"v"}),
                header(b"b", b"1", link=b"a", mode=0o777, uid=6, mtime=3),
            )
        ],
        tree(
            {
                b"a": Entry(mode=0o4755, uid=5, data=b"1"),
                b"b": Entry(mode=0o4755, uid=5, data=b"1", same_as=b"a"),
            }
        ),
    ),
    Case(
        "hard-link-over-a-directory",
        [layer(file(b"a", b"1"), file(b"d/x")), layer(hardlink(b"d", b"a"))],
        tree({b"a": ONE, b"d": Entry(data=b"1", same_as=b"a")}),
    ),
    Case(
        "writing-a-name-leaves-other-hard-links",
        [layer(file(b"a", b"1"), hardlink(b"b", b"a")), layer(file(b"a", b"2"))],
        tree({b"a": TWO, b"b": ONE}),
    ),
    Case(
        "hard-link-to-the-old-file-then-replaced",
        [layer(file(b"a", b"1")), layer(hardlink(b"b", b"a"), file(b"a", b"2"))],
        tree({b"a": TWO, b"b": ONE}),
    ),
    Case(
        "hard-links-with-attributes-across-layers",
        [
            layer(pax({b"SCHILY.xattr.user.k": b"v", b"mtime": b"5.5"}), file(b"a", b"1")),
            layer(hardlink(b"d/b", b"a")),
        ],
        tree(
            {
                b"a": Entry(data=b"1", mtime_ns=5_500_000_000, xattrs={b"user.k": b"v"}),
                b"d": IMPLIED,
                b"d/b": Entry(
                    data=b"1", mtime_ns=5_500_000_000, xattrs={b"user.k": b"v"}, same_as=b"a"
                ),
            }
        ),
    ),
    Case(
        "many-hard-links",
        [layer(file(b"a", b"1"), *(hardlink(b"l%03d" % number, b"a") for number in range(500)))],
        tree(
            {
                b"a": ONE,
                **{b"l%03d" % number: Entry(data=b"1", same_as=b"a") for number in range(500)},
            }
        ),
    ),
]
