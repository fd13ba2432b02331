"""Files with holes: the four ways to write them, and how each can be wrong."""

from __future__ import annotations

from tests.layer_cases.case import Case, Entry, refused, tree
from tests.layer_cases.tar import (
    GNU,
    base256,
    directory,
    file,
    hardlink,
    header,
    layer,
    old_sparse,
    padded,
    pax,
)


def pieces(size: int, *placed: tuple[int, bytes]) -> bytes:
    """A file's bytes: zeros, and data at some positions."""
    data = bytearray(size)
    for position, piece in placed:
        data[position : position + len(piece)] = piece
    return bytes(data)


SPARSE = pieces(200_000, (0, b"begin"), (65536, b"middle" * 100), (199_000, b"end"))

SPARSE_MAP = ((0, 5), (65536, 600), (199_000, 3))

SPARSE_DATA = b"begin" + b"middle" * 100 + b"end"


def numbers(pairs: tuple[tuple[int, int], ...]) -> list[bytes]:
    return [b"%d" % number for pair in pairs for number in pair]


def map_1_0(pairs: tuple[tuple[int, int], ...]) -> bytes:
    lines = [b"%d" % len(pairs), *numbers(pairs)]
    return padded(b"".join(line + b"\n" for line in lines))


def sparse_1_0(name: bytes, pairs: tuple[tuple[int, int], ...], data: bytes, size: int) -> bytes:
    head = {
        b"GNU.sparse.major": b"1",
        b"GNU.sparse.minor": b"0",
        b"GNU.sparse.name": name,
        b"GNU.sparse.realsize": b"%d" % size,
    }
    return pax(head) + file(b"GNUSparseFile.0/made-up", map_1_0(pairs) + data)


MANY = tuple((number * 8192, 512) for number in range(60))

MANY_DATA = b"".join(bytes([number]) * 512 for number in range(60))

MANY_BYTES = pieces(
    60 * 8192, *((at, MANY_DATA[512 * n : 512 * n + 512]) for n, (at, _) in enumerate(MANY))
)


def sparse_map(text: bytes, size: int = 100, data: bytes = b"") -> bytes:
    """A file with holes in format 0.1, ``text`` being its map."""
    return pax({b"GNU.sparse.size": b"%d" % size, b"GNU.sparse.map": text}) + file(b"f", data)


SPARSE_CASES: list[Case] = [
    Case(
        "sparse-0.0",
        [
            layer(
                pax(
                    [
                        (b"GNU.sparse.size", b"200000"),
                        (b"GNU.sparse.numblocks", b"3"),
                        *(
                            (b"GNU.sparse." + key, number)
                            for pair in SPARSE_MAP
                            for key, number in zip(
                                (b"offset", b"numbytes"), numbers((pair,)), strict=True
                            )
                        ),
                    ]
                ),
                file(b"f", SPARSE_DATA),
                file(b"next", b"n"),
            )
        ],
        tree({b"f": Entry(data=SPARSE), b"next": Entry(data=b"n")}),
    ),
    Case(
        "sparse-0.1",
        [
            layer(
                pax(
                    {
                        b"GNU.sparse.size": b"200000",
                        b"GNU.sparse.numblocks": b"3",
                        b"GNU.sparse.map": b",".join(numbers(SPARSE_MAP)),
                        b"GNU.sparse.name": b"f",
                    }
                ),
                file(b"GNUSparseFile.1/f", SPARSE_DATA),
                file(b"next", b"n"),
            )
        ],
        tree({b"f": Entry(data=SPARSE), b"next": Entry(data=b"n")}),
    ),
    Case(
        "sparse-1.0",
        [layer(sparse_1_0(b"f", SPARSE_MAP, SPARSE_DATA, 200_000), file(b"next", b"n"))],
        tree({b"f": Entry(data=SPARSE), b"next": Entry(data=b"n")}),
    ),
    Case(
        "sparse-1.0-with-a-map-of-blocks",
        [layer(sparse_1_0(b"f", MANY, MANY_DATA, 60 * 8192), file(b"next", b"n"))],
        tree({b"f": Entry(data=MANY_BYTES), b"next": Entry(data=b"n")}),
    ),
    Case(
        "sparse-1.0-hole-at-the-end",
        [layer(sparse_1_0(b"f", ((0, 3), (100_000, 0)), b"abc", 100_000))],
        tree({b"f": Entry(data=pieces(100_000, (0, b"abc")))}),
    ),
    Case(
        "sparse-1.0-nothing-but-hole",
        [layer(sparse_1_0(b"f", ((1_000_000, 0),), b"", 1_000_000), file(b"next", b"n"))],
        tree({b"f": Entry(data=bytes(1_000_000)), b"next": Entry(data=b"n")}),
    ),
    Case(
        "sparse-1.0-small-holes",
        [layer(sparse_1_0(b"f", ((1, 1), (3, 2)), b"xyz", 7))],
        tree({b"f": Entry(data=b"\0x\0yz\0\0")}),
    ),
    Case(
        "sparse-without-a-map",
        [layer(pax({b"GNU.sparse.size": b"9000", b"GNU.sparse.numblocks": b"0"}), file(b"f"))],
        tree({b"f": Entry(data=bytes(9000))}),
    ),
    Case(
        "old-gnu-sparse",
        [layer(old_sparse(b"f", SPARSE_MAP, SPARSE_DATA, 200_000), file(b"next", b"n"))],
        tree({b"f": Entry(data=SPARSE), b"next": Entry(data=b"n")}),
    ),
    Case(
        "old-gnu-sparse-with-extensions",
        [layer(old_sparse(b"f", MANY, MANY_DATA, 60 * 8192), file(b"next", b"n"))],
        tree({b"f": Entry(data=MANY_BYTES), b"next": Entry(data=b"n")}),
    ),
    Case(
        "old-gnu-sparse-nothing-but-hole",
        [layer(old_sparse(b"f", ((70_000, 0),), b"", 70_000), file(b"next", b"n"))],
        tree({b"f": Entry(data=bytes(70_000)), b"next": Entry(data=b"n")}),
    ),
    Case(
        "sparse-file-linked-and-replaced",
        [
            layer(sparse_1_0(b"f", SPARSE_MAP, SPARSE_DATA, 200_000), hardlink(b"g", b"f")),
            layer(file(b"f", b"small")),
        ],
        tree({b"f": Entry(data=b"small"), b"g": Entry(data=SPARSE)}),
    ),
]

BROKEN_SPARSE_CASES: list[Case] = [
    refused("sparse-pieces-overlap", "overlap", layer(sparse_map(b"0,5,3,5", data=b"x" * 10))),
    refused("sparse-pieces-out-of-order", "overlap", layer(sparse_map(b"9,1,0,1", data=b"xx"))),
    refused("sparse-piece-beyond-the-end", "outside", layer(sparse_map(b"99,2", data=b"xx"))),
    refused("sparse-map-of-odd-count", "without a length", layer(sparse_map(b"0,1,2", data=b"x"))),
    refused("sparse-map-of-letters", "not a number", layer(sparse_map(b"0,x", data=b"x"))),
    refused("sparse-map-negative", "not a number", layer(sparse_map(b"0,-1", data=b"x"))),
    refused("sparse-map-more-than-its-data", "fit", layer(sparse_map(b"0,50", data=b"x"))),
    refused("sparse-map-less-than-its-data", "fit", layer(sparse_map(b"0,1", data=b"x" * 50))),
    refused(
        "sparse-offset-without-a-length",
        "without a length",
        layer(
            pax(
                [
                    (b"GNU.sparse.size", b"9"),
                    (b"GNU.sparse.offset", b"0"),
                    (b"GNU.sparse.offset", b"4"),
                ]
            ),
            file(b"f"),
        ),
    ),
    refused(
        "sparse-of-unknown-version",
        "unknown format",
        layer(
            pax(
                {
                    b"GNU.sparse.major": b"2",
                    b"GNU.sparse.minor": b"0",
                    b"GNU.sparse.realsize": b"9",
                }
            ),
            file(b"f"),
        ),
    ),
    refused(
        "sparse-without-a-size",
        "how large",
        layer(pax({b"GNU.sparse.major": b"1", b"GNU.sparse.minor": b"0"}), file(b"f", b"0\n")),
    ),
    refused(
        "sparse-directory",
        "no file",
        layer(pax({b"GNU.sparse.size": b"9", b"GNU.sparse.map": b"0,0"}), directory(b"d/")),
    ),
    refused(
        "sparse-map-cut-short",
        "ends within",
        sparse_1_0(b"f", tuple((n * 9, 1) for n in range(200)), b"x" * 200, 9999)[:-1024],
    ),
    refused(
        "sparse-map-longer-than-its-data",
        "fit",
        layer(
            pax(
                {
                    b"GNU.sparse.major": b"1",
                    b"GNU.sparse.minor": b"0",
                    b"GNU.sparse.realsize": b"5",
                }
            ),
            file(b"f", b"1\n0\n5\n", size=6),
        ),
    ),
    refused(
        "sparse-map-without-lines",
        "no number",
        layer(
            pax(
                {
                    b"GNU.sparse.major": b"1",
                    b"GNU.sparse.minor": b"0",
                    b"GNU.sparse.realsize": b"5",
                }
            ),
            file(b"f", b"1" * 2000),
        ),
    ),
    refused(
        "old-gnu-sparse-overlaps",
        "overlap",
        layer(old_sparse(b"f", ((0, 512), (100, 512)), b"x" * 1024, 2000)),
    ),
    refused(
        "old-gnu-sparse-of-negative-size",
        "negative",
        layer(header(b"f", b"S", magic=GNU, prefix=bytes(41 + 96 + 1) + base256(-(1 << 40), 12))),
    ),
    refused(
        "old-gnu-sparse-extension-missing",
        "ends within",
        old_sparse(b"f", tuple((n * 1024, 1) for n in range(9)), b"", 9999)[:512],
    ),
    refused(
        "old-gnu-sparse-in-another-format", "unknown format", layer(header(b"f", b"S", prefix=b""))
    ),
]
