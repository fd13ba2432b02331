"""Root's account in an image's passwd(5), so that there is a way in."""

from __future__ import annotations

from collections.abc import Callable

from banger_tui.engine.layers.names import NAME_MAX

#: The guest kit's shell, which runs in any image.
KIT_SHELL = b"/.banger/bin/sh"
_COMMON = b"/bin/sh"
#: Shells that are there to let nobody in.
_REFUSING = (b"nologin", b"false")


def with_root(passwd: bytes, runs: Callable[[bytes], bool]) -> bytes:
    """A passwd file whose root has a shell that runs; as it was, if root has one already.

    Args:
        runs: whether a path in the image is a program that can be started.
    """
    lines = passwd.split(b"\n")
    for number, line in enumerate(lines):
        fields = line.split(b":")
        if fields[0] == b"root" and len(fields) >= 7:
            shell = fields[6].strip() or _COMMON
            if not _lets_in(shell, runs):
                fields[6] = _shell(runs)
            if not fields[5].startswith(b"/") or _too_long(fields[5]):
                fields[5] = b"/root"
            lines[number] = b":".join(fields)
            return b"\n".join(lines)
    start = passwd if passwd.endswith(b"\n") or not passwd else passwd + b"\n"
    return start + b"root:x:0:0:root:/root:" + _shell(runs) + b"\n"


def home_of_root(passwd: bytes) -> bytes:
    """Its path without the leading slash."""
    for line in passwd.split(b"\n"):
        fields = line.split(b":")
        if fields[0] == b"root" and len(fields) >= 7:
            return fields[5].strip(b"/")
    return b"root"


def _too_long(path: bytes) -> bool:
    return any(len(part) > NAME_MAX for part in path.split(b"/"))


def _shell(runs: Callable[[bytes], bool]) -> bytes:
    return _COMMON if runs(_COMMON) else KIT_SHELL


def _lets_in(shell: bytes, runs: Callable[[bytes], bool]) -> bool:
    return shell.rpartition(b"/")[2] not in _REFUSING and runs(shell)
