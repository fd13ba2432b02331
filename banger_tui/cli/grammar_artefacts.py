"""``image …``, ``kernel …``, ``operation …`` and ``doctor``."""

from __future__ import annotations

from banger_tui.cli.grammar_vm import yes
from banger_tui.cli.parser import Commands


def add(commands: Commands) -> None:
    """Add them all."""
    _artefacts(commands, "image", "the disks VMs start from", "debian-bookworm")
    _artefacts(commands, "kernel", "the kernels VMs boot", "debian-bookworm-cloud")
    _operations(commands)
    commands.add(
        "doctor",
        "check whether this host can run VMs",
        "  banger-tui doctor\n  banger-tui doctor --json",
        handler="doctor:doctor",
        details="Exit code 1 when something essential is missing.",
    )


def _artefacts(commands: Commands, kind: str, summary: str, sample: str) -> None:
    area = commands.add(
        kind, f"manage {kind}s: {summary}", f"  banger-tui {kind} list\n  banger-tui {kind} catalog"
    )
    verbs = area.group_of("verb")
    verbs.add(
        "list",
        f"list the {kind}s that are here",
        f"  banger-tui {kind} list",
        handler=f"{kind}:list_all",
    )
    verbs.add(
        "catalog",
        f"list the {kind}s that can be pulled",
        f"  banger-tui {kind} catalog",
        handler=f"{kind}:catalog",
    )
    if kind == "image":
        _images(verbs)
    else:
        _kernels(verbs, sample)
    for name, text in (
        ("show", f"show everything about one {kind}"),
        ("delete", f"delete {kind}s that no VM uses"),
    ):
        verb = verbs.add(
            name, text, f"  banger-tui {kind} {name} {sample}", handler=f"{kind}:{name}"
        )
        if name == "show":
            verb.add_argument("name", metavar="NAME", help=f"the {kind}'s name")
        else:
            verb.add_argument("names", metavar="NAME", nargs="+", help=f"the {kind}'s name")
        if name == "delete":
            yes(verb)


def _images(verbs: Commands) -> None:
    pull = verbs.add(
        "pull",
        "get images: from a catalog, a registry, a bundle",
        "  banger-tui image pull debian-bookworm\n"
        "  banger-tui image pull docker.io/library/alpine:3.20 --name alpine\n"
        "  banger-tui image pull localhost:5000/app@sha256:… --size 4G\n"
        "  banger-tui image pull ./web.tar.zst",
        handler="image:pull",
        details="What was downloaded is kept: an interrupted pull goes on where it stopped.",
    )
    pull.add_argument(
        "names",
        metavar="REF",
        nargs="+",
        help="a catalog's name, a container image, the file or URL of a bundle",
    )
    pull.add_argument("--name", metavar="NAME", default="", help="what to call it here")
    pull.add_argument(
        "--platform", metavar="P", default="", help="for example linux/arm64; default: the host's"
    )
    pull.add_argument("--size", metavar="SIZE", help="of its filesystem; default: as it needs")
    pull.add_argument(
        "--insecure", action="store_true", help="plain http, or any certificate, will do"
    )
    pull.add_argument(
        "--plain",
        action="store_true",
        help="the files as they are, without guest kit; not bootable",
    )
    _made(verbs)
    _ways_out(verbs)
    prune = verbs.add(
        "prune",
        "remove downloads that no image needs",
        "  banger-tui image prune --dry-run\n  banger-tui image prune",
        handler="image:prune",
        details="Never one that a pull is using, in whatever banger-tui.",
    )
    prune.add_argument("--dry-run", action="store_true", help="only tell what would go")


def _made(verbs: Commands) -> None:
    register = verbs.add(
        "register",
        "make an image of an ext4 file that is on disk",
        "  banger-tui image register rootfs.ext4 --name mine\n"
        "  banger-tui image register rootfs.ext4 --name mine --kernel ./vmlinuz\n"
        "  banger-tui image register /srv/golden.ext4 --name golden --in-place",
        handler="image:register",
        details="It is checked with e2fsck, and a copy gets the guest kit if it has none.",
    )
    register.add_argument("rootfs", metavar="FILE", help="an ext4 filesystem")
    register.add_argument(
        "--name", metavar="NAME", default="", help="what to call it; default: as the file"
    )
    register.add_argument(
        "--kernel", metavar="K", default="", help="a kernel's name, or a file: ./vmlinuz"
    )
    register.add_argument(
        "--in-place",
        action="store_true",
        help="use the file where it is; it must have the guest kit, and stay as it is",
    )
    promote = verbs.add(
        "promote",
        "make an image of a stopped VM's disk",
        "  banger-tui image promote web web-golden",
        handler="image:promote",
        details="Without what belongs to that machine: its id, its ssh host keys, our keys.",
    )
    promote.add_argument("vm", metavar="VM", help="the VM's name or id")
    promote.add_argument(
        "name", metavar="NAME", nargs="?", default="", help="what to call the image"
    )
    promote.add_argument(
        "--name", metavar="NAME", dest="name_option", default="", help="the same, as an option"
    )
    build = verbs.add(
        "build",
        "boot a VM, run a script in it, make an image of it",
        "  banger-tui image build --from debian-bookworm --script setup.sh --name web\n"
        "  banger-tui image build --from alpine:3.20 --script setup.sh --size 8G",
        handler="image:build",
        details="The script runs as root. If it fails, its output stays and nothing else.",
    )
    build.add_argument(
        "--from", metavar="IMAGE", dest="base", required=True, help="the image to begin with"
    )
    build.add_argument("--script", metavar="FILE", required=True, help="what to run in it")
    build.add_argument(
        "--name", metavar="NAME", default="", help="what to call it; default: as the script"
    )
    build.add_argument("--size", metavar="SIZE", help="of its disk; default: as the image has it")
    build.add_argument("--cpus", metavar="N", type=int, default=1, help="of the VM (default 1)")
    build.add_argument("--memory", metavar="SIZE", default="1G", help="of the VM (default 1G)")


def _ways_out(verbs: Commands) -> None:
    export = verbs.add(
        "export",
        "write an image with its kernel to one file, to be pulled from there",
        "  banger-tui image export web web.tar.zst\n  banger-tui image pull ./web.tar.zst",
        handler="image:export",
    )
    export.add_argument("name", metavar="NAME", help="the image's name")
    export.add_argument("file", metavar="FILE", help="for example web.tar.zst")
    export.add_argument("--force", action="store_true", help="replace a file that is there")
    push = verbs.add(
        "push",
        "push an image to a registry, as an OCI artifact, to be pulled from there",
        "  banger-tui image push web ghcr.io/org/web:1\n  banger-tui image pull ghcr.io/org/web:1",
        handler="image:push",
        details="Logins are those of docker and podman. It prints the reference with its digest.",
    )
    push.add_argument("name", metavar="NAME", help="the image's name")
    push.add_argument("reference", metavar="REF", help="where to: ghcr.io/org/web:1")
    push.add_argument(
        "--insecure", action="store_true", help="plain http, or any certificate, will do"
    )


def _kernels(verbs: Commands, sample: str) -> None:
    pull = verbs.add(
        "pull",
        "get kernels from a catalog",
        f"  banger-tui kernel pull {sample}",
        handler="kernel:pull",
    )
    pull.add_argument("names", metavar="NAME", nargs="+", help="the kernel's name")
    importing = verbs.add(
        "import",
        "make a kernel of your own: of files, of a Debian package, of the host's",
        "  banger-tui kernel import mine --kernel bzImage --modules /lib/modules/6.12.3\n"
        "  banger-tui kernel import mine --deb linux-image-6.1.0-40-cloud-amd64.deb\n"
        "  banger-tui kernel import host --installed",
        handler="kernel:import_one",
        details="It must be able to run a guest: virtio devices and ext4, built in or as modules.\n"
        "Those modules go into an initrd of banger-tui's own.",
    )
    importing.add_argument("name", metavar="NAME", help="what to call it here")
    way = importing.add_mutually_exclusive_group(required=True)
    way.add_argument("--kernel", metavar="FILE", help="a vmlinuz, bzImage, vmlinux or Image")
    way.add_argument("--deb", metavar="FILE", help="a Debian package: linux-image-….deb")
    way.add_argument(
        "--installed",
        metavar="VERSION",
        nargs="?",
        const="",
        help="one that is installed here; default: the one that runs",
    )
    importing.add_argument(
        "--modules", metavar="DIR", help="with --kernel: its /lib/modules/VERSION, or a tar of it"
    )
    importing.add_argument(
        "--initrd", metavar="FILE", help="with --kernel: files to have before the root is mounted"
    )
    importing.add_argument(
        "--config", metavar="FILE", help="with --kernel: its config-VERSION, to judge it by"
    )


def _operations(commands: Commands) -> None:
    area = commands.add(
        "operation",
        "see and cancel long work",
        "  banger-tui operation list\n  banger-tui operation cancel 3f2a",
    )
    verbs = area.group_of("verb")
    listing = verbs.add(
        "list",
        "list operations, the newest first",
        "  banger-tui operation list\n  banger-tui operation list --limit 5",
        handler="operation:list_all",
    )
    listing.add_argument("--limit", metavar="N", type=int, default=30, help="how many (default 30)")
    show = verbs.add(
        "show",
        "show an operation's stages and times",
        "  banger-tui operation show 3f2a",
        handler="operation:show",
    )
    show.add_argument("id", metavar="ID", help="its id; the first letters will do")
    cancel = verbs.add(
        "cancel",
        "end an operation, also of another banger-tui, and wait until it has cleaned up",
        "  banger-tui operation cancel 3f2a",
        handler="operation:cancel",
    )
    cancel.add_argument("id", metavar="ID", help="its id; the first letters will do")
    prune = verbs.add(
        "prune",
        "forget operations that ended some time ago, with their logs",
        "  banger-tui operation prune\n  banger-tui operation prune --older-than 12h",
        handler="operation:prune",
    )
    prune.add_argument(
        "--older-than", metavar="TIME", default="7d", help="for example 90m, 12h, 7d (default 7d)"
    )
