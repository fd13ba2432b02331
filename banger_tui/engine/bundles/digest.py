"""The content digest of a sparse file, taken while it is read or written."""

from __future__ import annotations

import hashlib

_BLOCK = 1 << 16
_ZEROS = bytes(_BLOCK)


class ContentDigest:
    """The same as ``ext4.inspect.content_digest`` of the finished file, fed from its start to its
    end: SHA-256 of the file's size, then number and content of each 64 KiB block with anything but
    zeros in it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._sums = hashlib.sha256(size.to_bytes(8, "big"))
        self._index = -1
        self._block = bytearray()

    def feed(self, position: int, data: bytes) -> None:
        """``data`` stands at ``position``; between it and what was fed before are zeros."""
        view = memoryview(data)
        while view:
            index, start = divmod(position, _BLOCK)
            if index != self._index:
                self._flush()
                self._index = index
                self._block = bytearray(min(_BLOCK, self._size - index * _BLOCK))
            part = view[: _BLOCK - start]
            self._block[start : start + len(part)] = part
            position += len(part)
            view = view[len(part) :]

    def value(self) -> str:
        """ "sha256:…"; nothing can be fed after it."""
        self._flush()
        return f"sha256:{self._sums.hexdigest()}"

    def _flush(self) -> None:
        if self._index >= 0 and self._block != _ZEROS[: len(self._block)]:
            self._sums.update(self._index.to_bytes(8, "big"))
            self._sums.update(self._block)
        self._index = -1
