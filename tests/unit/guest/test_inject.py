"""The guest kit in trees of every kind: what boots, and what hostile trees can't keep it from."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from banger_tui.engine.guest import place
from banger_tui.engine.guest.inject import OWN_INIT, init_of, inject
from banger_tui.engine.layers.tree import Kind, Node, literal, new_root
from banger_tui.engine.limits import Limits

# A static ELF program as far as anybody looks at it: no interpreter, no sections.
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\0\x3e\0\x01\0\0\0" + bytes(44)


def directory(**children: Node) -> Node:
    return Node(
        Kind.DIRECTORY, 0o755, children={name.encode(): node for name, node in children.items()}
    )


def program() -> Node:
    return Node(Kind.FILE, 0o755, content=literal(PROGRAM))


def text(data: bytes, mode: int = 0o644) -> Node:
    return Node(Kind.FILE, mode, content=literal(data))


def link(target: bytes) -> Node:
    return Node(Kind.SYMLINK, 0o777, target=target)


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    path = tmp_path / "kit.tar"
    with tarfile.open(path, "w") as archive:
        for name in (".banger", ".banger/bin"):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        for name in (".banger/agent", ".banger/init", ".banger/bin/busybox", ".banger/bin/sh"):
            member = tarfile.TarInfo(name)
            member.mode, member.size = 0o755, len(PROGRAM)
            archive.addfile(member, io.BytesIO(PROGRAM))
    return path


async def equipped(root: Node, kit: Path, config: dict[str, object] | None = None) -> str:
    return await inject(root, config or {}, kit=kit, staging=kit.parent, limits=Limits())


def read(root: Node, path: bytes) -> bytes:
    data = place.read(root, path, 1 << 20)
    assert data is not None, path
    return data


def lines(root: Node) -> list[bytes]:
    return read(root, b"etc/passwd").splitlines()


async def test_an_empty_image_gets_all_it_needs(kit: Path) -> None:
    root = new_root()
    assert init_of(root) == ""
    assert await equipped(root, kit) == OWN_INIT == init_of(root)
    for path in (b"dev", b"proc", b"sys", b"run", b"tmp", b"root", b"etc", b"var"):
        found = place.find(root, path)
        assert found is not None, path
        assert found.is_directory, path
    assert lines(root)[0].endswith(b":/.banger/bin/sh"), "the only shell there is"


async def test_a_shell_that_runs_is_kept(kit: Path) -> None:
    root = directory(
        etc=directory(passwd=text(b"root:x:0:0:root:/root:/bin/ash\n")),
        bin=directory(ash=program()),
    )
    await equipped(root, kit)
    assert lines(root) == [b"root:x:0:0:root:/root:/bin/ash"]


@pytest.mark.parametrize("shell", [b"/bin/missing", b"/sbin/nologin", b"/bin/false", b"/etc"])
async def test_a_shell_that_lets_nobody_in_is_replaced(kit: Path, shell: bytes) -> None:
    root = directory(
        etc=directory(passwd=text(b"root:x:0:0::/root:" + shell + b"\n")),
        sbin=directory(nologin=program()),
        bin=directory(false=program()),
    )
    await equipped(root, kit)
    assert lines(root)[0].endswith(b"/.banger/bin/sh")


def systemd() -> Node:
    return directory(
        usr=directory(
            lib=directory(systemd=directory(systemd=program())),
            sbin=directory(init=link(b"../lib/systemd/systemd")),
        ),
        sbin=link(b"usr/sbin"),
        lib=link(b"usr/lib"),
    )


async def test_systemd_stays_init(kit: Path) -> None:
    root = systemd()
    assert await equipped(root, kit) == "/sbin/init" == init_of(root)
    assert place.find(root, b"etc/systemd/system/banger.service") is not None
    assert place.find(root, b"etc/systemd/system/default.target") is None, (
        "a link to what is not here"
    )
    wanted = root.children[b"etc"].children[b"systemd"].children[b"system"]
    assert wanted.children[b"default.target"].target.endswith(b"multi-user.target")


async def test_another_init_is_not_asked(kit: Path) -> None:
    root = directory(sbin=directory(init=program()))
    assert await equipped(root, kit) == OWN_INIT


async def test_an_images_config_is_kept_for_the_scripts(kit: Path) -> None:
    root = new_root()
    await equipped(root, kit, {"Env": ["A=b"], "WorkingDir": "/srv/app"})
    assert read(root, b".banger/image/env") == b"export A=b\n"
    made = place.find(root, b"srv/app")
    assert made is not None
    assert made.is_directory


HOSTILE: dict[str, Callable[[], Node]] = {
    "etc is a file": lambda: directory(etc=text(b"x")),
    "etc leads outside": lambda: directory(etc=link(b"../../../etc")),
    "etc leads in a circle": lambda: directory(etc=link(b"/etc")),
    "proc is a link": lambda: directory(proc=link(b"/sys"), sys=link(b"/proc")),
    "our place is taken": lambda: directory(**{".banger": link(b"/etc")}),
    "dev has a file for everything": lambda: directory(dev=text(b"")),
    "passwd is a fifo": lambda: directory(etc=directory(passwd=Node(Kind.FIFO))),
    "hosts is a fifo": lambda: directory(etc=directory(hosts=Node(Kind.FIFO))),
    "passwd is a directory": lambda: directory(etc=directory(passwd=directory())),
    "root's home is a device": lambda: directory(root=Node(Kind.BLOCK, device=(8, 0))),
    "no name is no name": lambda: directory(etc=directory(passwd=text(b"\xff\0:::\nroot\n"))),
    "systemd is a directory": lambda: directory(
        lib=directory(systemd=directory(systemd=directory())), sbin=directory(init=link(b"/lib"))
    ),
}


@pytest.mark.parametrize("tree", HOSTILE.values(), ids=HOSTILE.keys())
async def test_no_tree_keeps_it_out(kit: Path, tree: Callable[[], Node]) -> None:
    root = tree()
    assert await equipped(root, kit) == OWN_INIT == init_of(root)
    assert any(line.startswith(b"root:x:0:0:") for line in lines(root))
    for path in (b".banger/init", b"dev", b"proc", b"sys", b"run", b"etc", b"root"):
        assert place.find(root, path) is not None, path
    for name in (b"hosts", b"hostname", b"resolv.conf"):
        found = place.find(root, b"etc/" + name)
        assert found is None or found.kind is Kind.FILE, name
