"""What ordinary layers have: every type of entry, and entries that replace others."""

from __future__ import annotations

from banger_tui.engine.layers.tree import Kind
from tests.layer_cases.case import DIRECTORY, IMPLIED, SECOND, Case, Entry, link_to, tree
from tests.layer_cases.tar import (
    END,
    directory,
    file,
    hardlink,
    header,
    layer,
    pax,
    symlink,
    whiteout,
)

PLAIN_CASES: list[Case] = [
    Case("no-layers", [], tree({})),
    Case("empty-layer", [layer()], tree({})),
    Case("empty-layers-between", [layer(file(b"a")), layer(), layer()], tree({b"a": Entry()})),
    Case("archive-of-no-bytes", [b""], tree({})),
    Case("no-end-mark", [file(b"a", b"x")], tree({b"a": Entry(data=b"x")})),
    Case("one-zero-block-at-the-end", [file(b"a") + END[:512]], tree({b"a": Entry()})),
    Case("padding-after-the-end", [layer(file(b"a")) + bytes(9000)], tree({b"a": Entry()})),
    Case("padding-of-no-whole-block", [layer(file(b"a")) + bytes(77)], tree({b"a": Entry()})),
    Case("one-file", [layer(file(b"a", b"hello"))], tree({b"a": Entry(data=b"hello")})),
    Case("empty-file", [layer(file(b"a"))], tree({b"a": Entry()})),
    Case(
        "data-of-one-block", [layer(file(b"a", b"x" * 512))], tree({b"a": Entry(data=b"x" * 512)})
    ),
    Case(
        "data-of-a-block-and-a-byte",
        [layer(file(b"a", b"x" * 513), file(b"b", b"y"))],
        tree({b"a": Entry(data=b"x" * 513), b"b": Entry(data=b"y")}),
    ),
    Case(
        "missing-parents",
        [layer(file(b"a/b/c", b"x"))],
        tree({b"a": IMPLIED, b"a/b": IMPLIED, b"a/b/c": Entry(data=b"x")}),
    ),
    Case(
        "parent-after-its-child",
        [layer(file(b"a/b"), directory(b"a/", mode=0o700, uid=7))],
        tree({b"a": Entry(Kind.DIRECTORY, 0o700, 7), b"a/b": Entry()}),
    ),
    Case(
        "dot-slash-names",
        [layer(directory(b"./", mode=0o711), directory(b"./a/"), file(b"./a/b"))],
        tree({b"": Entry(Kind.DIRECTORY, 0o711), b"a": DIRECTORY, b"a/b": Entry()}),
    ),
    Case(
        "root-with-owner-time-and-attributes",
        [layer(pax({b"SCHILY.xattr.user.k": b"v"}), directory(b"./", uid=5, gid=6, mtime=99))],
        tree({b"": Entry(Kind.DIRECTORY, 0o755, 5, 6, 99 * SECOND, xattrs={b"user.k": b"v"})}),
    ),
    Case(
        "root-named-dot",
        [layer(directory(b".", mode=0o700))],
        tree({b"": Entry(Kind.DIRECTORY, 0o700)}),
    ),
    Case(
        "root-named-slash",
        [layer(directory(b"/", mode=0o700))],
        tree({b"": Entry(Kind.DIRECTORY, 0o700)}),
    ),
    Case(
        "root-set-by-the-last-layer",
        [layer(directory(b"./", mode=0o700), file(b"a")), layer(directory(b"./", mode=0o750))],
        tree({b"": Entry(Kind.DIRECTORY, 0o750), b"a": Entry()}),
    ),
    Case(
        "absolute-name-is-below-the-root",
        [layer(directory(b"/a/"), file(b"//a//b", b"x"))],
        tree({b"a": DIRECTORY, b"a/b": Entry(data=b"x")}),
    ),
    Case(
        "doubled-slashes-and-dots",
        [layer(file(b"a/./b//c"))],
        tree({b"a": IMPLIED, b"a/b": IMPLIED, b"a/b/c": Entry()}),
    ),
    Case("directory-without-a-slash", [layer(directory(b"a"))], tree({b"a": DIRECTORY})),
    Case(
        "symlinks",
        [layer(symlink(b"a", b"b/c"), symlink(b"d", b"/etc"), symlink(b"e", b"../../../x"))],
        tree(
            {
                b"a": link_to(b"b/c"),
                b"d": link_to(b"/etc"),
                b"e": link_to(b"../../../x"),
            }
        ),
    ),
    Case(
        "devices",
        [
            layer(
                header(b"null", b"3", mode=0o666, major=1, minor=3),
                header(b"sda", b"4", mode=0o660, gid=6, major=8, minor=0),
                header(b"far", b"3", mode=0o600, major=4095, minor=1048575),
                header(b"hidden", b"3", mode=0o600, major=0, minor=0),
            )
        ],
        tree(
            {
                b"null": Entry(Kind.CHARACTER, 0o666, device=(1, 3)),
                b"sda": Entry(Kind.BLOCK, 0o660, 0, 6, device=(8, 0)),
                b"far": Entry(Kind.CHARACTER, 0o600, device=(4095, 1048575)),
                b"hidden": Entry(Kind.CHARACTER, 0o600, device=(0, 0)),
            }
        ),
    ),
    Case("fifo", [layer(header(b"p", b"6", mode=0o620))], tree({b"p": Entry(Kind.FIFO, 0o620)})),
    Case(
        "names-of-any-bytes",
        [layer(file(b"caf\xc3\xa9"), file(b"\xff\xfe"), file(b"new\nline"), file(b" "))],
        tree({b"caf\xc3\xa9": Entry(), b"\xff\xfe": Entry(), b"new\nline": Entry(), b" ": Entry()}),
    ),
    Case(
        "names-that-look-odd",
        [
            layer(
                file(b"..a"), file(b"..."), file(b"-rf"), file(b"a\\b"), file(b"wh.x"), file(b".w")
            )
        ],
        tree({name: Entry() for name in (b"..a", b"...", b"-rf", b"a\\b", b"wh.x", b".w")}),
    ),
    Case(
        "name-of-255-bytes",
        [layer(pax({b"path": b"n" * 255}), file(b"short"))],
        tree({b"n" * 255: Entry()}),
    ),
    Case(
        "repeated-entry-the-last-wins",
        [layer(file(b"a", b"one"), file(b"a", b"two", mode=0o600))],
        tree({b"a": Entry(mode=0o600, data=b"two")}),
    ),
    Case(
        "repeated-entry-of-other-types",
        [layer(file(b"a"), directory(b"a/"), file(b"a/b"), symlink(b"a", b"x"))],
        tree({b"a": link_to(b"x")}),
    ),
    Case(
        "many-layers",
        [layer(file(b"n%d" % number), file(b"last", b"%d" % number)) for number in range(40)],
        tree({b"last": Entry(data=b"39"), **{b"n%d" % number: Entry() for number in range(40)}}),
    ),
    Case(
        "directory-over-a-directory",
        [
            layer(pax({b"SCHILY.xattr.user.a": b"1"}), directory(b"d/"), file(b"d/a")),
            layer(directory(b"d/", mode=0o700, uid=3, mtime=5)),
        ],
        tree({b"d": Entry(Kind.DIRECTORY, 0o700, 3, mtime_ns=5 * SECOND), b"d/a": Entry()}),
    ),
    Case(
        "file-over-a-directory",
        [layer(directory(b"d/"), file(b"d/a")), layer(file(b"d", b"x"))],
        tree({b"d": Entry(data=b"x")}),
    ),
    Case(
        "directory-over-a-file",
        [layer(file(b"d", b"x")), layer(directory(b"d/"), file(b"d/a"))],
        tree({b"d": DIRECTORY, b"d/a": Entry()}),
    ),
    Case(
        "file-over-a-device",
        [layer(header(b"n", b"3", major=1, minor=3)), layer(file(b"n", b"x"))],
        tree({b"n": Entry(data=b"x")}),
    ),
    Case(
        "directory-over-a-symlink-to-a-directory",
        [
            layer(directory(b"usr/"), directory(b"usr/lib/"), file(b"usr/lib/a")),
            layer(symlink(b"lib", b"usr/lib")),
            layer(directory(b"lib/"), file(b"lib/b")),
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
        "file-over-a-symlink-does-not-write-through-it",
        [layer(file(b"a", b"old"), symlink(b"s", b"a")), layer(file(b"s", b"new"))],
        tree({b"a": Entry(data=b"old"), b"s": Entry(data=b"new")}),
    ),
    Case(
        "symlink-over-a-directory",
        [
            layer(directory(b"lib/"), file(b"lib/a"), directory(b"usr/"), directory(b"usr/lib/")),
            layer(symlink(b"lib", b"usr/lib")),
        ],
        tree({b"usr": DIRECTORY, b"usr/lib": DIRECTORY, b"lib": link_to(b"usr/lib")}),
    ),
    Case(
        "links-have-no-data-whatever-they-claim",
        [
            layer(
                file(b"a", b"x"),
                header(b"s", b"2", link=b"a", size=5000, mode=0o777),
                header(b"d/", b"5", size=5000, mode=0o755),
                header(b"h", b"1", link=b"a", size=1),
                header(b"p", b"6", size=7),
            )
        ],
        tree(
            {
                b"a": Entry(data=b"x"),
                b"s": link_to(b"a"),
                b"d": DIRECTORY,
                b"h": Entry(data=b"x", same_as=b"a"),
                b"p": Entry(Kind.FIFO),
            }
        ),
    ),
    Case(
        "usr-merge",
        [
            layer(
                *(directory(name) for name in (b"usr/", b"usr/bin/", b"usr/lib/")),
                symlink(b"bin", b"usr/bin"),
                symlink(b"lib", b"usr/lib"),
                file(b"usr/bin/sh", b"dash", mode=0o755),
            ),
            layer(file(b"bin/ls", b"ls"), file(b"lib/x.so", b"x"), whiteout(b"bin/sh")),
            layer(hardlink(b"bin/dir", b"bin/ls")),
        ],
        tree(
            {
                b"usr": DIRECTORY,
                b"usr/bin": DIRECTORY,
                b"usr/bin/dir": Entry(data=b"ls"),
                b"usr/bin/ls": Entry(data=b"ls", same_as=b"usr/bin/dir"),
                b"usr/lib": DIRECTORY,
                b"usr/lib/x.so": Entry(data=b"x"),
                b"bin": link_to(b"usr/bin"),
                b"lib": link_to(b"usr/lib"),
            }
        ),
    ),
    Case(
        "deep-tree",
        [layer(pax({b"path": b"/".join([b"d"] * 200) + b"/f"}), file(b"x", b"deep"))],
        tree(
            {
                **{b"/".join([b"d"] * depth): IMPLIED for depth in range(1, 201)},
                b"/".join([b"d"] * 200) + b"/f": Entry(data=b"deep"),
            }
        ),
    ),
    Case(
        "directory-of-many-names",
        [lambda: layer(directory(b"d/"), *(file(b"d/%05d" % number) for number in range(3000)))],
        tree({b"d": DIRECTORY, **{b"d/%05d" % number: Entry() for number in range(3000)}}),
    ),
    Case(
        "file-of-megabytes",
        [lambda: layer(file(b"big", bytes(range(256)) * (3 << 12)))],
        tree({b"big": Entry(data=bytes(range(256)) * (3 << 12))}),
    ),
    Case(
        "lost-and-found",
        [layer(directory(b"lost+found/", mode=0o700), file(b"lost+found/a"))],
        tree({b"lost+found": Entry(Kind.DIRECTORY, 0o700), b"lost+found/a": Entry()}),
    ),
]
