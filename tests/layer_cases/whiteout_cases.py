"""What a layer hides of those below: whiteouts, opaque directories, names of aufs."""

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

WHITEOUT_CASES: list[Case] = [
    Case(
        "whiteout-of-a-file",
        [layer(file(b"a", b"1"), file(b"b", b"2")), layer(whiteout(b"a"))],
        tree({b"b": TWO}),
    ),
    Case(
        "whiteout-of-a-directory",
        [layer(directory(b"d/"), file(b"d/a"), file(b"d/e/b"), file(b"x")), layer(whiteout(b"d"))],
        tree({b"x": Entry()}),
    ),
    Case(
        "whiteout-of-a-symlink-leaves-its-target",
        [USR, layer(whiteout(b"lib"))],
        tree({b"usr": DIRECTORY, b"usr/lib": DIRECTORY}),
    ),
    Case(
        "whiteout-of-a-device",
        [layer(header(b"n", b"3", major=1, minor=3)), layer(whiteout(b"n"))],
        tree({}),
    ),
    Case("whiteout-of-nothing", [layer(file(b"a")), layer(whiteout(b"b"))], tree({b"a": Entry()})),
    Case(
        "whiteout-in-a-missing-directory",
        [layer(file(b"a")), layer(whiteout(b"x/y/z"))],
        tree({b"a": Entry()}),
    ),
    Case("whiteout-in-the-first-layer", [layer(whiteout(b"a"), file(b"b"))], tree({b"b": Entry()})),
    Case(
        "whiteout-below-a-file",
        [layer(file(b"a", b"1")), layer(whiteout(b"a/b"))],
        tree({b"a": ONE}),
    ),
    Case(
        "whiteout-two-layers-up",
        [layer(file(b"a")), layer(file(b"b")), layer(whiteout(b"a"))],
        tree({b"b": Entry()}),
    ),
    Case(
        "whiteout-then-again-there",
        [layer(file(b"a", b"1")), layer(whiteout(b"a")), layer(file(b"a", b"2"))],
        tree({b"a": TWO}),
    ),
    Case(
        "whiteout-of-a-name-the-layer-adds",
        [layer(file(b"a", b"1")), layer(whiteout(b"a"), file(b"a", b"2"))],
        tree({b"a": TWO}),
    ),
    Case(
        "whiteout-after-the-name-the-layer-adds",
        [layer(file(b"a", b"1")), layer(file(b"a", b"2"), whiteout(b"a"))],
        tree({b"a": TWO}),
    ),
    Case(
        "whiteout-of-a-directory-the-layer-adds-anew",
        [
            layer(directory(b"d/", mode=0o700), file(b"d/old"), file(b"d/e/old")),
            layer(whiteout(b"d"), directory(b"d/"), file(b"d/new")),
        ],
        tree({b"d": DIRECTORY, b"d/new": Entry()}),
    ),
    Case(
        "whiteout-after-the-directory-the-layer-adds-anew",
        [
            layer(directory(b"d/", mode=0o700), file(b"d/old"), file(b"d/e/old")),
            layer(directory(b"d/"), file(b"d/new"), whiteout(b"d")),
        ],
        tree({b"d": DIRECTORY, b"d/new": Entry()}),
    ),
    Case(
        "whiteout-of-a-directory-with-only-new-names",
        [
            layer(directory(b"d/", mode=0o700, uid=9), file(b"d/old"), file(b"d/e/old")),
            layer(whiteout(b"d"), file(b"d/new"), file(b"d/e/new")),
        ],
        tree({b"d": IMPLIED, b"d/new": Entry(), b"d/e": IMPLIED, b"d/e/new": Entry()}),
    ),
    Case(
        "whiteout-makes-a-file-a-directory",
        [layer(file(b"d")), layer(file(b"d/new"), whiteout(b"d"))],
        tree({b"d": IMPLIED, b"d/new": Entry()}),
    ),
    Case(
        "whiteout-makes-a-symlink-a-directory",
        [USR, layer(whiteout(b"lib"), file(b"lib/new"))],
        tree({b"usr": DIRECTORY, b"usr/lib": DIRECTORY, b"lib": IMPLIED, b"lib/new": Entry()}),
    ),
    Case(
        "whiteout-of-a-name-the-layer-makes-a-symlink-it-writes-through",
        [
            layer(file(b"a"), directory(b"b/")),
            layer(whiteout(b"a"), symlink(b"a", b"b"), file(b"a/x", b"1")),
        ],
        tree({b"a": link_to(b"b"), b"b": DIRECTORY, b"b/x": ONE}),
    ),
    Case(
        "whiteout-of-a-parent-makes-a-file-in-it-a-directory",
        [
            layer(directory(b"d/"), file(b"d/old")),
            layer(whiteout(b"d"), directory(b"d/"), file(b"d/old/new")),
        ],
        tree({b"d": DIRECTORY, b"d/old": IMPLIED, b"d/old/new": Entry()}),
    ),
    Case(
        "whiteout-through-a-lower-symlink",
        [
            USR,
            layer(file(b"usr/lib/a"), file(b"usr/lib/b")),
            layer(whiteout(b"lib/a")),
        ],
        tree({**USR_TREE, b"usr/lib/b": Entry()}),
    ),
    Case(
        "whiteout-in-a-directory-that-replaces-a-symlink",
        [
            USR,
            layer(file(b"usr/lib/a")),
            layer(directory(b"lib/"), whiteout(b"lib/a"), file(b"lib/b")),
        ],
        tree(
            {
                b"usr": DIRECTORY,
                b"usr/lib": DIRECTORY,
                b"usr/lib/a": Entry(),
                b"lib": DIRECTORY,
                b"lib/b": Entry(),
            }
        ),
    ),
    Case(
        "whiteout-leaves-other-hard-links",
        [layer(file(b"a", b"1"), hardlink(b"b", b"a")), layer(whiteout(b"a"))],
        tree({b"b": ONE}),
    ),
    Case(
        "whiteout-of-a-link-and-its-symlink-in-one-layer",
        [USR, layer(file(b"usr/lib/a")), layer(whiteout(b"lib"), whiteout(b"lib/a"))],
        tree({b"usr": DIRECTORY, b"usr/lib": DIRECTORY}),
    ),
    Case(
        "whiteout-with-content-and-mode",
        [layer(file(b"a")), layer(file(b".wh.a", b"content", mode=0o777))],
        tree({}),
    ),
    Case(
        "whiteout-written-as-another-type",
        [
            layer(file(b"a"), file(b"b"), file(b"c")),
            layer(
                symlink(b".wh.a", b"/etc"),
                directory(b".wh.b/"),
                header(b".wh.c", b"3", major=0, minor=0),
            ),
        ],
        tree({}),
    ),
    Case(
        "whiteout-of-odd-names",
        [
            layer(file(b"..."), file(b".a"), file(b"wh."), file(b"\xff"), file(b"a.wh.b")),
            layer(whiteout(b"..."), whiteout(b".a"), whiteout(b"wh."), whiteout(b"\xff")),
        ],
        tree({b"a.wh.b": Entry()}),
    ),
    Case(
        "whiteout-of-a-long-name",
        [
            layer(pax({b"path": b"n" * 200}), file(b"x")),
            layer(pax({b"path": b".wh." + b"n" * 200}), file(b"x")),
        ],
        tree({}),
    ),
    Case(
        "whiteouts-nested",
        [
            layer(file(b"a/b/c/d"), file(b"a/x")),
            layer(whiteout(b"a/b"), whiteout(b"a/b/c"), whiteout(b"a/b/c/d")),
        ],
        tree({b"a": IMPLIED, b"a/x": Entry()}),
    ),
    Case(
        "whiteout-repeated",
        [layer(file(b"a")), layer(whiteout(b"a"), whiteout(b"a"))],
        tree({}),
    ),
    Case(
        "opaque-directory",
        [
            layer(directory(b"d/"), file(b"d/old")),
            layer(directory(b"d/"), opaque(b"d"), file(b"d/new")),
        ],
        tree({b"d": DIRECTORY, b"d/new": Entry()}),
    ),
    Case(
        "opaque-mark-after-the-new-names",
        [
            layer(directory(b"d/"), file(b"d/old"), file(b"d/e/old")),
            layer(directory(b"d/"), file(b"d/new"), file(b"d/e/new"), opaque(b"d")),
        ],
        tree({b"d": DIRECTORY, b"d/new": Entry(), b"d/e": IMPLIED, b"d/e/new": Entry()}),
    ),
    Case(
        "opaque-keeps-the-directory-and-its-metadata",
        [layer(directory(b"d/", mode=0o700, uid=4), file(b"d/old")), layer(opaque(b"d"))],
        tree({b"d": Entry(Kind.DIRECTORY, 0o700, 4)}),
    ),
    Case(
        "opaque-root",
        [
            layer(directory(b"./", mode=0o711), file(b"a"), file(b"d/b")),
            layer(opaque(b""), file(b"c")),
        ],
        tree({b"": Entry(Kind.DIRECTORY, 0o711), b"c": Entry()}),
    ),
    Case(
        "opaque-makes-a-file-a-directory",
        [
            layer(directory(b"d/"), file(b"d/old")),
            layer(directory(b"d/"), opaque(b"d"), file(b"d/old/new")),
        ],
        tree({b"d": DIRECTORY, b"d/old": IMPLIED, b"d/old/new": Entry()}),
    ),
    Case(
        "opaque-root-makes-a-file-a-directory",
        [layer(file(b"old")), layer(opaque(b""), file(b"old/new"))],
        tree({b"old": IMPLIED, b"old/new": Entry()}),
    ),
    Case("opaque-of-nothing", [layer(file(b"a")), layer(opaque(b"x/y"))], tree({b"a": Entry()})),
    Case("opaque-of-a-file", [layer(file(b"a", b"1")), layer(opaque(b"a"))], tree({b"a": ONE})),
    Case(
        "opaque-in-the-first-layer",
        [layer(directory(b"d/"), opaque(b"d"), file(b"d/a"))],
        tree({b"d": DIRECTORY, b"d/a": Entry()}),
    ),
    Case(
        "opaque-through-a-lower-symlink",
        [USR, layer(file(b"usr/lib/a")), layer(opaque(b"lib"), file(b"lib/b"))],
        tree({**USR_TREE, b"usr/lib/b": Entry()}),
    ),
    Case(
        "opaque-directory-that-replaces-a-symlink",
        [
            USR,
            layer(file(b"usr/lib/a")),
            layer(directory(b"lib/"), opaque(b"lib"), file(b"lib/b")),
        ],
        tree(
            {
                b"usr": DIRECTORY,
                b"usr/lib": DIRECTORY,
                b"usr/lib/a": Entry(),
                b"lib": DIRECTORY,
                b"lib/b": Entry(),
            }
        ),
    ),
    Case(
        "opaque-is-nothing-to-later-layers",
        [
            layer(file(b"d/a")),
            layer(directory(b"d/"), opaque(b"d"), file(b"d/b")),
            layer(directory(b"d/"), file(b"d/c")),
        ],
        tree({b"d": DIRECTORY, b"d/b": Entry(), b"d/c": Entry()}),
    ),
    Case(
        "opaque-and-whiteout-and-new-names",
        [
            layer(file(b"d/a", b"1"), file(b"d/e/f"), file(b"d/g")),
            layer(directory(b"d/"), opaque(b"d"), whiteout(b"d/e"), file(b"d/a", b"2")),
        ],
        tree({b"d": DIRECTORY, b"d/a": TWO}),
    ),
    Case(
        "aufs-names-are-no-files",
        [
            layer(
                file(b".wh..wh.aufs"),
                directory(b".wh..wh.plnk/"),
                directory(b".wh..wh.orph/"),
                file(b".wh..wh.orph/x"),
                file(b"d/.wh..wh.plnk/1.2"),
                file(b"a"),
            )
        ],
        tree({b"a": Entry()}),
    ),
    Case(
        "aufs-hard-links",
        [
            layer(
                directory(b".wh..wh.plnk/"),
                file(b".wh..wh.plnk/10.20", b"1", mode=0o600),
                hardlink(b"a", b".wh..wh.plnk/10.20"),
                hardlink(b"b", b".wh..wh.plnk/10.20"),
            )
        ],
        tree(
            {b"a": Entry(mode=0o600, data=b"1"), b"b": Entry(mode=0o600, data=b"1", same_as=b"a")}
        ),
    ),
]
