"""What belongs to one machine is gone from its tree; what a person did there stays."""

from __future__ import annotations

from banger_tui.engine.images.identity import remove_identity
from banger_tui.engine.layers.tree import Kind, Node, literal, new_root, walk
from banger_tui.engine.limits import Limits

OURS = "ssh-ed25519 AAAAours banger-tui"
FILES: dict[str, bytes] = {
    "etc/machine-id": b"0123456789abcdef\n",
    "var/lib/dbus/machine-id": b"0123456789abcdef\n",
    "etc/ssh/ssh_host_ed25519_key": b"secret",
    "etc/ssh/ssh_host_ed25519_key.pub": b"public",
    "etc/ssh/sshd_config": b"Port 22\n",
    "etc/dropbear/dropbear_ed25519_host_key": b"secret",
    "etc/hostname": b"web\n",
    "etc/hosts": b"127.0.0.1 localhost\n127.0.1.1 web\n10.0.0.9 db\n",
    "etc/passwd": b"root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n",
    "root/.ssh/authorized_keys": f"{OURS}\nssh-ed25519 AAAAmine me\n".encode(),
    "home/me/.ssh/authorized_keys": f"{OURS}\n".encode(),
    "root/.ssh/known_hosts": b"kept",
    "root/.bash_history": b"kept",
    "var/lib/systemd/random-seed": b"seed",
    "var/lib/dhcp/dhclient.eth0.leases": b"lease",
    "var/log/syslog": b"kept",
    "tmp/scratch": b"x",
    "run/pid": b"1",
    "usr/bin/ssh-keygen": b"program",
}


def tree(files: dict[str, bytes]) -> Node:
    root = new_root()
    for path, data in files.items():
        *parents, name = path.encode().split(b"/")
        at = root
        for parent in parents:
            at = at.children.setdefault(parent, Node(Kind.DIRECTORY, 0o755))
        at.children[name] = Node(Kind.FILE, content=literal(data))
    root.children[b"etc"].children.setdefault(b"systemd", Node(Kind.DIRECTORY, 0o755)).children[
        b"system"
    ] = Node(Kind.DIRECTORY, 0o755)
    return root


def content(root: Node) -> dict[str, bytes]:
    return {
        path.decode(): node.content.source
        for path, node in walk(root)
        if node.kind is Kind.FILE and isinstance(node.content.source, bytes)
    }


def cleaned(root: Node) -> dict[str, bytes]:
    remove_identity(root, hostname="web", keys=[OURS], limits=Limits())
    return content(root)


def test_what_is_one_machines_is_gone() -> None:
    found = cleaned(tree(FILES))
    gone = {
        "var/lib/dbus/machine-id", "etc/ssh/ssh_host_ed25519_key",
        "etc/ssh/ssh_host_ed25519_key.pub", "etc/dropbear/dropbear_ed25519_host_key",
        "etc/hostname", "home/me/.ssh/authorized_keys", "var/lib/systemd/random-seed",
        "var/lib/dhcp/dhclient.eth0.leases", "tmp/scratch", "run/pid",
    }  # fmt: skip
    assert gone.isdisjoint(found)
    assert found["etc/machine-id"] == b"", "empty, so that systemd makes one at the next boot"
    assert found["etc/hosts"] == b"127.0.0.1 localhost\n10.0.0.9 db\n"
    assert found["root/.ssh/authorized_keys"] == b"ssh-ed25519 AAAAmine me\n"


def test_sessions_do_not_travel_and_what_keeps_them_does() -> None:
    kit = {".banger/session": b"script", ".banger/sessions-of-ours": b"kept"}
    work = {
        ".banger/sessions/shell/out.000000000000000": b"secret",
        ".banger/sessions/shell/command": b"secret",
        "home/me/.banger/sessions/mine": b"kept",
    }
    found = cleaned(tree({**FILES, **kit, **work}))
    assert {path for path in found if ".banger" in path} == {
        *kit, "home/me/.banger/sessions/mine",
    }  # fmt: skip


def test_what_a_person_did_stays() -> None:
    found = cleaned(tree(FILES))
    for path in ("root/.ssh/known_hosts", "root/.bash_history", "var/log/syslog"):
        assert found[path] == b"kept"
    assert found["etc/ssh/sshd_config"] == FILES["etc/ssh/sshd_config"]


def test_openssh_gets_new_host_keys_by_a_unit() -> None:
    root = tree(FILES)
    found = cleaned(root)
    assert b"ssh-keygen -A" in found["etc/systemd/system/banger-host-keys.service"]
    wanted = root.children[b"etc"].children[b"systemd"].children[b"system"]
    link = wanted.children[b"multi-user.target.wants"].children[b"banger-host-keys.service"]
    assert link.kind is Kind.SYMLINK


def test_a_name_the_person_chose_stays() -> None:
    found = cleaned(tree({**FILES, "etc/hostname": b"golden\n"}))
    assert found["etc/hostname"] == b"golden\n"


def test_links_are_followed_inside_the_tree_only() -> None:
    root = tree({"etc/passwd": b"root:x:0:0::/root:/bin/sh\n", "var/data": b"x"})
    root.children[b"root"] = Node(Kind.SYMLINK, target=b"/../../../outside")
    root.children[b"etc"].children[b"machine-id"] = Node(Kind.SYMLINK, target=b"/etc/shadow")
    assert cleaned(root) == {"etc/passwd": b"root:x:0:0::/root:/bin/sh\n", "var/data": b"x"}


def test_another_name_of_a_file_keeps_its_content() -> None:
    root = tree(FILES)
    root.children[b"copy"] = root.children[b"etc"].children[b"hosts"]
    assert cleaned(root)["copy"] == FILES["etc/hosts"]
