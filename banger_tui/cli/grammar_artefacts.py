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
    for name, text in (
        ("pull", f"get {kind}s from the catalog"),
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
