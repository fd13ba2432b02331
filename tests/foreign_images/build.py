"""Layers of small root filesystems, made of programs of this host.

Each function returns uncompressed tars, lowest first, and the runtime part of an image's config.
"""

from __future__ import annotations

import io
import platform
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Image = tuple[list[bytes], dict[str, Any]]


def busybox() -> bytes:
    """A static busybox of this host (Debian's busybox-static)."""
    return Path("/bin/busybox").read_bytes()


def is_static(program: bytes) -> bool:
    """Whether an ELF file asks for no interpreter."""
    return program[:4] == b"\x7fELF" and b"/lib64/ld-linux" not in program


def layer(files: Mapping[str, bytes | str | None]) -> bytes:
    """A tar: bytes are a program or a file, a text is a link's target, None is a directory."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            data = b""
            if content is None:
                member.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
            else:
                data = content
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def applets() -> list[str]:
    return subprocess.run(
        ["/bin/busybox", "--list"], capture_output=True, text=True, check=True
    ).stdout.split()


def like_alpine() -> Image:
    """Alpine's layout: busybox everywhere, ash for root, no init; a second layer replaces a file
    and takes one away."""
    links: dict[str, bytes | str | None] = {f"bin/{name}": "busybox" for name in applets()}
    lower = layer({
        "bin": None, "etc": None, "root": None, "tmp": None, "usr": None, "usr/bin": None,
        **links, "bin/busybox": busybox(),
        "etc/passwd": b"root:x:0:0:root:/root:/bin/ash\nnobody:x:65534:65534::/:/sbin/nologin\n",
        "etc/group": b"root:x:0:root\nnobody:x:65534:\n",
        "etc/os-release": b"ID=lower\n", "etc/gone": b"x",
    })  # fmt: skip
    upper = layer({"etc/os-release": b"ID=alpine\n", "etc/.wh.gone": b""})
    return [lower, upper], {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["/bin/sh"]}


def scratch() -> Image:
    """One static binary, and not a directory besides."""
    return [layer({"busybox": busybox()})], {"Entrypoint": ["/busybox", "echo", "from scratch"]}


def with_user_and_entrypoint() -> Image:
    """An image as applications come in: a user by number, an environment, a place, a program."""
    files = layer({
        "bin": None, "bin/busybox": busybox(), "bin/sh": "busybox", "bin/id": "busybox",
        "bin/pwd": "busybox", "etc": None,
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\napp:x:1500:1500::/home/app:/bin/sh\n",
        "etc/group": b"root:x:0:\napp:x:1500:\n",
    })  # fmt: skip
    return [files], {
        "Env": ['GREETING=it\'s "quoted" & $HOME', "PATH=/bin"],
        "WorkingDir": "/srv/app",
        "User": "app",
        "Entrypoint": ["/bin/sh", "-c", 'echo "$GREETING $(id -u) $(pwd) $*"; exit 3', "entry"],
        "Cmd": ["default words"],
    }


_HELLO = r"""
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words) {
    printf("hello %s from musl, GREETING=%s\n", count > 1 ? words[1] : "", getenv("GREETING"));
    return 6;
}
"""


def with_musl(directory: Path) -> Image:
    """One program linked against musl, its loader, and nothing else."""
    source, program = directory / "hello.c", directory / "hello"
    source.write_text(_HELLO)
    subprocess.run(["musl-gcc", "-o", program, source], check=True)
    loader = f"ld-musl-{platform.machine()}.so.1"
    files = layer({
        "bin": None, "bin/hello": program.read_bytes(),
        "lib": None, f"lib/{loader}": Path("/lib", loader).read_bytes(),
    })  # fmt: skip
    return [files], {"Env": ["GREETING=hi"]}
