"""Archives that are none, or not to the end, and headers that make no sense."""

from __future__ import annotations

from tests.layer_cases.case import Case, refused
from tests.layer_cases.tar import (
    END,
    base256,
    file,
    header,
    layer,
    long_name,
    member,
    pax,
    record,
)

HEADER = file(b"a", b"x" * 600)

BROKEN_CASES: list[Case] = [
    refused("ends-within-a-header", "within a header", file(b"a") + header(b"b")[:300]),
    refused("ends-after-a-few-bytes", "within a header", b"\x1f\x8b\x08"),
    refused("ends-within-zeros", "within a header", file(b"a") + bytes(100)),
    refused("ends-within-data", "ends within it", HEADER[:-400]),
    refused("ends-within-padding", "ends within it", HEADER[:-1]),
    refused("ends-after-the-header-of-data", "ends within it", HEADER[:512]),
    refused("ends-after-an-extended-header", "extended", pax({b"path": b"a"})),
    refused("ends-after-a-long-name", "extended", layer(long_name(b"a" * 120))),
    refused("ends-within-an-extended-header", "ends within it", pax({b"path": b"a"})[:700]),
    refused("wrong-checksum", "checksum", layer(header(b"a", checksum=b"0000001\0"))),
    refused("checksum-of-letters", "checksum", layer(header(b"a", checksum=b"abcdefg\0"))),
    refused("flipped-bit", "checksum", layer(file(b"a"))[:20] + b"\x01" + layer(file(b"a"))[21:]),
    refused("no-archive-at-all", "", b"\x7fELF" + b"\xa5" * 2000),
    refused("text-instead", "", b"<html>not found</html>" * 100),
    refused("member-after-the-end", "follows", layer(file(b"a")) + layer(file(b"b"))),
    refused("member-after-one-zero-block", "follows", file(b"a") + END[:512] + layer(file(b"b"))),
    refused("garbage-after-the-end", "follows", layer(file(b"a")) + b"garbage"),
    refused("garbage-after-much-padding", "follows", layer() + bytes(3 << 20) + b"\1"),
    *(
        refused(f"unknown-type-{name}", "unknown type", layer(member(b"a", kind=kind)))
        for name, kind in (
            ("volume-label", b"V"),
            ("multi-volume", b"M"),
            ("dump", b"D"),
            ("old-long-name", b"N"),
            ("letter", b"Z"),
            ("byte", b"\xff"),
        )
    ),
    refused("size-negative", "negative", layer(file(b"a", size=base256(-1, 12)))),
    refused("size-with-a-minus", "number", layer(file(b"a", size=b"-0000000001\0"))),
    refused("size-of-letters", "number", layer(file(b"a", size=b"0x10\0"))),
    refused("size-with-an-underscore", "number", layer(file(b"a", size=b"1_0\0"))),
    refused("size-not-octal", "number", layer(file(b"a", size=b"00000000009\0"))),
    refused("size-more-than-there-is", "ends within", layer(file(b"a", size=0o77777777))),
    refused(
        "pax-size-more-than-there-is", "ends within", layer(pax({b"size": b"99999"}), file(b"a"))
    ),
    refused("pax-size-negative", "not a number", layer(pax({b"size": b"-1"}), file(b"a"))),
    refused("pax-size-with-decimals", "not a number", layer(pax({b"size": b"1.5"}), file(b"a"))),
    refused("owner-negative", "own", layer(file(b"a", uid=base256(-2, 8)))),
    refused("owner-of-no-one", "own", layer(pax({b"uid": b"4294967295"}), file(b"a"))),
    refused("owner-above-32-bits", "own", layer(pax({b"gid": b"4294967296"}), file(b"a"))),
    refused("owner-huge", "own", layer(file(b"a", gid=base256(1 << 54, 8)))),
    refused("owner-of-letters", "not a number", layer(pax({b"uid": b"root"}), file(b"a"))),
    refused(
        "owner-of-endless-digits", "not a number", layer(pax({b"uid": b"1" * 9999}), file(b"a"))
    ),
    refused("mode-negative", "mode", layer(file(b"a", mode=base256(-1, 8)))),
    refused("mode-huge", "mode", layer(file(b"a", mode=0o7777777))),
    refused("time-of-letters", "time", layer(pax({b"mtime": b"now"}), file(b"a"))),
    refused("time-of-too-many-digits", "time", layer(pax({b"mtime": b"9" * 21}), file(b"a"))),
    refused("time-with-an-exponent", "time", layer(pax({b"mtime": b"1e9"}), file(b"a"))),
    refused("device-huge", "device", layer(header(b"a", b"3", major=4096))),
    refused("device-minor-huge", "device", layer(header(b"a", b"4", minor=1 << 20))),
    refused("device-negative", "device", layer(header(b"a", b"3", major=base256(-1, 8)))),
    refused("pax-length-too-long", "wrong length", layer(pax(b"99 path=a\n"), file(b"a"))),
    refused("pax-length-too-short", "wrong length", layer(pax(b"5 path=a\n"), file(b"a"))),
    refused("pax-length-zero", "wrong length", layer(pax(b"0 path=a\n"), file(b"a"))),
    refused("pax-length-negative", "wrong length", layer(pax(b"-1 path=a\n"), file(b"a"))),
    refused("pax-length-of-letters", "wrong length", layer(pax(b"ab path=a\n"), file(b"a"))),
    refused("pax-length-endless", "wrong length", layer(pax(b"1" * 400), file(b"a"))),
    refused("pax-without-a-newline", "wrong length", layer(pax(b"9 path=ab"), file(b"a"))),
    refused("pax-without-a-key", "key", layer(pax(b"5 =a\n"), file(b"a"))),
    refused("pax-without-equals", "key", layer(pax(b"7 path\n"), file(b"a"))),
    refused("pax-key-with-a-nul", "key", layer(pax(record(b"a\0b", b"c")), file(b"a"))),
    refused(
        "pax-padded-with-nuls", "wrong length", layer(pax(b"10 path=a\n" + bytes(9)), file(b"a"))
    ),
    refused(
        "pax-twice", "two extended", layer(pax({b"uid": b"1"}), pax({b"gid": b"1"}), file(b"a"))
    ),
    refused("long-name-twice", "two long", layer(long_name(b"a"), long_name(b"b"), file(b"x"))),
    refused("pax-for-all-sets-a-path", "sets", layer(pax({b"path": b"p"}, b"g"), file(b"a"))),
    refused("pax-for-all-sets-a-size", "sets", layer(pax({b"size": b"0"}, b"g"), file(b"a"))),
    refused(
        "pax-for-all-sets-an-attribute",
        "sets",
        layer(pax({b"SCHILY.xattr.user.a": b"1"}, b"g"), file(b"a")),
    ),
    refused(
        "attribute-without-a-name", "attribute", layer(pax({b"SCHILY.xattr.": b"1"}), file(b"a"))
    ),
    refused(
        "attribute-of-a-class-alone",
        "attribute",
        layer(pax({b"SCHILY.xattr.user.": b"1"}), file(b"a")),
    ),
    refused(
        "attribute-with-a-long-name",
        "attribute",
        layer(pax({b"SCHILY.xattr.user." + b"n" * 251: b"1"}), file(b"a")),
    ),
    refused(
        "attribute-with-a-nul-in-its-name",
        "attribute",
        layer(pax({b"LIBARCHIVE.xattr.user.a%00b": b"aGk"}), file(b"a")),
    ),
    refused(
        "attribute-not-base64",
        "base64",
        layer(pax({b"LIBARCHIVE.xattr.user.a": b"!!!"}), file(b"a")),
    ),
    refused(
        "access-control-list-malformed",
        "access control",
        layer(pax({b"SCHILY.xattr.system.posix_acl_access": b"\1\0\0\0junk"}), file(b"a")),
    ),
]
