"""Names and links that would lead out, or nowhere: each is refused, and says why."""

from __future__ import annotations

from banger_tui.engine.errors import BadContent
from tests.layer_cases.case import Case, ErrorExpectation, refused
from tests.layer_cases.tar import (
    directory,
    file,
    hardlink,
    header,
    layer,
    long_name,
    pax,
    symlink,
    whiteout,
)

HOSTILE_NAME_CASES: list[Case] = [
    refused("name-upwards", "..", layer(file(b"../a"))),
    refused("name-upwards-in-the-middle", "..", layer(file(b"a/../../b"))),
    refused("name-upwards-but-inside", "..", layer(file(b"a/../b"))),
    refused("name-upwards-absolute", "..", layer(file(b"/../etc/passwd"))),
    refused("name-upwards-at-the-end", "..", layer(directory(b"a/.."))),
    refused(
        "name-upwards-in-a-long-name", "..", layer(long_name(b"x/" * 60 + b"../y"), file(b"x"))
    ),
    refused("name-upwards-in-pax", "..", layer(pax({b"path": b"../../etc/x"}), file(b"x"))),
    refused("name-upwards-of-a-directory", "..", layer(directory(b"../"))),
    refused("whiteout-upwards", "..", layer(file(b"a")), layer(file(b"../.wh.a"))),
    refused("name-of-nothing", "no name", layer(file(b""))),
    refused("name-with-a-nul", "NUL", layer(pax({b"path": b"a\0b"}), file(b"x"))),
    refused("name-of-256-bytes", "255", layer(pax({b"path": b"n" * 256}), file(b"x"))),
    refused("root-as-a-file", "root", layer(file(b"."))),
    refused("root-as-a-symlink", "root", layer(symlink(b".", b"/etc"))),
    refused("root-as-a-hard-link", "root", layer(file(b"a"), hardlink(b"./", b"a"))),
    refused("file-with-a-slash-and-data", "directory's", layer(file(b"a/", b"x"))),
    refused("whiteout-of-no-name", "hides", layer(file(b"d/.wh."))),
    refused("whiteout-of-dot", "hides", layer(file(b"d/.wh.."))),
    refused("whiteout-of-dot-dot", "hides", layer(file(b"d/.wh..."))),
    refused("file-below-a-whiteout", "hides", layer(file(b".wh.a/b"))),
    refused("opaque-mark-below-a-whiteout", "hides", layer(file(b".wh.a/.wh..wh..opq"))),
]

HOSTILE_LINK_CASES: list[Case] = [
    refused("hard-link-upwards", "..", layer(hardlink(b"a", b"../../etc/shadow"))),
    refused("hard-link-to-nothing", "not there", layer(hardlink(b"a", b"b"))),
    refused("hard-link-to-the-host", "not there", layer(hardlink(b"a", b"/etc/shadow"))),
    refused("hard-link-without-a-target", "no name", layer(hardlink(b"a", b""))),
    refused("hard-link-to-a-directory", "directory", layer(directory(b"d/"), hardlink(b"a", b"d"))),
    refused("hard-link-to-the-root", "directory", layer(hardlink(b"a", b"/"))),
    refused(
        "hard-link-to-a-later-directory", "directory", layer(hardlink(b"a", b"d"), directory(b"d/"))
    ),
    refused(
        "hard-links-in-a-circle", "not there", layer(hardlink(b"a", b"b"), hardlink(b"b", b"a"))
    ),
    refused(
        "hard-link-through-a-symlink-out-of-the-root",
        "not there",
        layer(symlink(b"s", b"../../../etc")),
        layer(hardlink(b"a", b"s/passwd")),
    ),
    refused(
        "hard-link-to-what-an-earlier-layer-hid",
        "not there",
        layer(file(b"a")),
        layer(whiteout(b"a")),
        layer(hardlink(b"b", b"a")),
    ),
    Case(
        "hard-links-more-than-ext4-has",
        [
            lambda: layer(
                file(b"a"), *(hardlink(b"%x" % (1 << 20 | n), b"a") for n in range(65_001))
            )
        ],
        ErrorExpectation(BadContent, "65,000"),
    ),
    refused("symlink-to-nothing", "no target", layer(symlink(b"a", b""))),
    refused(
        "symlink-of-4096-bytes", "4095", layer(pax({b"linkpath": b"x" * 4096}), symlink(b"a", b"x"))
    ),
    refused("symlink-with-a-nul", "NUL", layer(pax({b"linkpath": b"a\0b"}), symlink(b"a", b"x"))),
    refused(
        "symlinks-in-a-circle",
        "circle",
        layer(symlink(b"a", b"b"), symlink(b"b", b"a"), file(b"a/x")),
    ),
    refused("symlink-to-itself", "circle", layer(symlink(b"a", b"a")), layer(file(b"a/x"))),
    refused(
        "symlinks-in-a-circle-for-a-whiteout",
        "circle",
        layer(symlink(b"a", b"b"), symlink(b"b", b"a")),
        layer(whiteout(b"a/x")),
    ),
    refused(
        "symlinks-forty-one",
        "circle",
        layer(
            directory(b"l0/"),
            *(symlink(b"l%d" % n, b"l%d" % (n - 1)) for n in range(1, 42)),
            file(b"l41/x"),
        ),
    ),
    refused("file-below-a-file", "no directory", layer(file(b"a"), file(b"a/b"))),
    refused("file-below-a-lower-file", "no directory", layer(file(b"a")), layer(file(b"a/b"))),
    refused(
        "file-below-a-device", "no directory", layer(header(b"n", b"3", major=1), file(b"n/b"))
    ),
    refused(
        "file-below-a-symlink-to-a-file",
        "no directory",
        layer(file(b"a"), symlink(b"s", b"a")),
        layer(file(b"s/b")),
    ),
]
