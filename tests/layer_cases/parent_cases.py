"""Parents behind symbolic links, which are followed inside the root alone."""

from __future__ import annotations

from banger_tui.engine.layers.tree import Kind
from tests.layer_cases.case import DIRECTORY, IMPLIED, SECOND, Case, Entry, link_to, tree
from tests.layer_cases.starting_points import ONE, TWO, USR, USR_TREE
from tests.layer_cases.tar import directory, file, layer, symlink

PARENT_CASES: list[Case] = [
    Case(
        "parent-through-a-lower-symlink",
        [USR, layer(file(b"lib/x", b"1"))],
        tree({**USR_TREE, b"usr/lib/x": ONE}),
    ),
    Case(
        "parent-through-a-symlink-of-its-layer",
        [layer(directory(b"usr/"), symlink(b"u", b"usr"), file(b"u/x", b"1"))],
        tree({b"usr": DIRECTORY, b"u": link_to(b"usr"), b"usr/x": ONE}),
    ),
    Case(
        "parent-through-an-absolute-symlink",
        [layer(directory(b"usr/"), symlink(b"u", b"/usr")), layer(file(b"u/x", b"1"))],
        tree({b"usr": DIRECTORY, b"u": link_to(b"/usr"), b"usr/x": ONE}),
    ),
    Case(
        "parent-through-a-symlink-out-of-the-root",
        [
            layer(directory(b"d/"), symlink(b"d/out", b"../../../../etc")),
            layer(file(b"d/out/passwd", b"1")),
        ],
        tree(
            {
                b"d": DIRECTORY,
                b"d/out": link_to(b"../../../../etc"),
                b"etc": IMPLIED,
                b"etc/passwd": ONE,
            }
        ),
    ),
    Case(
        "parent-through-an-absolute-symlink-out-of-the-root",
        [layer(symlink(b"out", b"/../../tmp/escape"), file(b"out/x", b"1"))],
        tree(
            {
                b"out": link_to(b"/../../tmp/escape"),
                b"tmp": IMPLIED,
                b"tmp/escape": IMPLIED,
                b"tmp/escape/x": ONE,
            }
        ),
    ),
    Case(
        "parent-through-a-symlink-to-the-root",
        [layer(symlink(b"r", b"/"), symlink(b"s", b".."), file(b"r/a", b"1"), file(b"s/b", b"2"))],
        tree({b"r": link_to(b"/"), b"s": link_to(b".."), b"a": ONE, b"b": TWO}),
    ),
    Case(
        "parent-through-a-dangling-symlink-is-made",
        [layer(symlink(b"lib", b"usr/lib")), layer(file(b"lib/x", b"1"))],
        tree(
            {b"lib": link_to(b"usr/lib"), b"usr": IMPLIED, b"usr/lib": IMPLIED, b"usr/lib/x": ONE}
        ),
    ),
    Case(
        "parent-through-symlinks-to-symlinks",
        [
            layer(
                directory(b"d/"),
                symlink(b"a", b"b"),
                symlink(b"b", b"./c"),
                symlink(b"c", b"d/../d"),
            ),
            layer(file(b"a/x", b"1")),
        ],
        tree(
            {
                b"d": DIRECTORY,
                b"a": link_to(b"b"),
                b"b": link_to(b"./c"),
                b"c": link_to(b"d/../d"),
                b"d/x": ONE,
            }
        ),
    ),
    Case(
        "parent-through-forty-symlinks",
        [
            layer(
                directory(b"l0/"),
                *(symlink(b"l%d" % n, b"l%d" % (n - 1)) for n in range(1, 41)),
                file(b"l40/x", b"1"),
            )
        ],
        tree(
            {
                b"l0": DIRECTORY,
                b"l0/x": ONE,
                **{b"l%d" % n: link_to(b"l%d" % (n - 1)) for n in range(1, 41)},
            }
        ),
    ),
    Case(
        "parent-symlink-is-relative-to-where-it-is",
        [
            layer(
                directory(b"a/"),
                directory(b"a/b/"),
                directory(b"c/"),
                symlink(b"a/b/up", b"../../c"),
            ),
            layer(symlink(b"j", b"a/b"), file(b"j/up/x", b"1")),
        ],
        tree(
            {
                b"a": DIRECTORY,
                b"a/b": DIRECTORY,
                b"a/b/up": link_to(b"../../c"),
                b"c": DIRECTORY,
                b"c/x": ONE,
                b"j": link_to(b"a/b"),
            }
        ),
    ),
    Case(
        "parent-symlink-turned-elsewhere",
        [
            layer(directory(b"a/"), directory(b"b/"), symlink(b"s", b"a")),
            layer(file(b"s/x", b"1"), symlink(b"s", b"b"), file(b"s/y", b"2")),
        ],
        tree({b"a": DIRECTORY, b"a/x": ONE, b"b": DIRECTORY, b"b/y": TWO, b"s": link_to(b"b")}),
    ),
    Case(
        "directory-entry-through-a-symlinked-parent",
        [USR, layer(directory(b"lib/d/", mode=0o700), file(b"lib/d/x", b"1"))],
        tree(
            {
                **USR_TREE,
                b"usr/lib/d": Entry(Kind.DIRECTORY, 0o700),
                b"usr/lib/d/x": ONE,
            }
        ),
    ),
    Case(
        "whole-tree-replaced-by-a-symlink-and-written-through",
        [
            layer(file(b"var/run/pid"), directory(b"run/")),
            layer(symlink(b"var/run", b"/run"), file(b"var/run/x", b"1")),
        ],
        tree(
            {
                b"run": DIRECTORY,
                b"run/x": ONE,
                b"var": IMPLIED,
                b"var/run": link_to(b"/run"),
            }
        ),
    ),
    Case(
        "implied-parent-gets-its-entry-later",
        [layer(file(b"d/x", b"1")), layer(directory(b"d/", mode=0o1777, uid=2, mtime=9))],
        tree({b"d": Entry(Kind.DIRECTORY, 0o1777, 2, mtime_ns=9 * SECOND), b"d/x": ONE}),
    ),
]
