"""The few facts we need of an ELF file, read without binutils: what it needs and what it says.

Only 64-bit little-endian files, which covers every architecture we run on (elf(5)).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_PT_DYNAMIC, _PT_INTERP, _PT_LOAD = 2, 3, 1
_DT_NEEDED, _DT_STRTAB, _DT_SONAME = 1, 5, 14


@dataclass(frozen=True, slots=True)
class Dynamic:
    """``interpreter`` is empty for a shared library, all three for a static program."""

    needed: tuple[str, ...]
    interpreter: str
    soname: str


def dynamic(data: bytes) -> Dynamic:
    """The dynamic section of a program or shared library.

    Raises:
        ValueError: no 64-bit little-endian ELF file, or a damaged one.
    """
    _check(data)
    try:
        return _dynamic(data)
    except struct.error as error:
        raise ValueError("damaged ELF file") from error


def _dynamic(data: bytes) -> Dynamic:
    offset, size, count = (
        *struct.unpack_from("<Q", data, 32),
        *struct.unpack_from("<HH", data, 54),
    )
    loads: list[tuple[int, int, int]] = []
    section: tuple[int, int] | None = None
    interpreter = ""
    for index in range(count):
        kind, _, start, address, _, length, _, _ = struct.unpack_from(
            "<IIQQQQQQ", data, offset + index * size
        )
        if kind == _PT_LOAD:
            loads.append((address, start, length))
        elif kind == _PT_DYNAMIC:
            section = (start, length)
        elif kind == _PT_INTERP:
            interpreter = _string(data, start)
    if section is None:
        return Dynamic((), interpreter, "")
    tags = [
        struct.unpack_from("<QQ", data, at)
        for at in range(section[0], section[0] + section[1] - 15, 16)
    ]
    values = dict(tags)
    if _DT_STRTAB not in values:
        return Dynamic((), interpreter, "")
    strings = _file_offset(values[_DT_STRTAB], loads)
    return Dynamic(
        tuple(_string(data, strings + value) for tag, value in tags if tag == _DT_NEEDED),
        interpreter,
        _string(data, strings + values[_DT_SONAME]) if _DT_SONAME in values else "",
    )


def section(data: bytes, name: str) -> bytes:
    """A section's content; empty when there is none of that name.

    Raises:
        ValueError: no 64-bit little-endian ELF file, or a damaged one.
    """
    _check(data)
    try:
        return next((body for found, body in _sections(data) if found == name), b"")
    except struct.error as error:
        raise ValueError("damaged ELF file") from error


def _sections(data: bytes) -> Iterator[tuple[str, bytes]]:
    (offset,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, offset + i * size) for i in range(count)]
    strings = headers[names][4]
    for name, _, _, _, start, length in headers:
        yield _string(data, strings + name), data[start : start + length]


def _check(data: bytes) -> None:
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")


def _file_offset(address: int, loads: list[tuple[int, int, int]]) -> int:
    for start, offset, length in loads:
        if start <= address < start + length:
            return address - start + offset
    raise ValueError("damaged ELF file: an address outside every segment")


def _string(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode(errors="replace")
