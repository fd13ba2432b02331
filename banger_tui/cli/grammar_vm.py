"""``vm …``: what can be asked about machines."""

from __future__ import annotations

from banger_tui.cli import grammar_guest
from banger_tui.cli.parser import Commands, Parser


def add(commands: Commands) -> None:
    """Add ``vm`` and what is below it."""
    vm = commands.add(
        "vm",
        "run and manage VMs",
        "  banger-tui vm run\n  banger-tui vm list",
    )
    verbs = vm.group_of("verb")
    _making(verbs)
    _lifecycle(verbs)
    _looking(verbs)
    grammar_guest.add(verbs)


def _making(verbs: Commands) -> None:
    run = verbs.add(
        "run",
        "make a VM and run a command or a shell in it",
        "  banger-tui vm run                              a shell in a new VM\n"
        "  banger-tui vm run --rm -- sh -c 'uname -a'     one command, then the VM is deleted\n"
        "  banger-tui vm run --rm -t -- htop               a command with this terminal\n"
        "  banger-tui vm run -d --name web --memory 1G    leave it running in the background",
        handler="vm_run:run",
        details="With a command: its stdout, stderr and exit code become this one's.\n"
        "Without: a shell opens in this terminal; exit ends it, ctrl+] leaves it.\n"
        "A missing image or kernel is pulled first.",
        takes_command=True,
    )
    _spec(run)
    run.add_argument(
        "--rm", action="store_true", help="delete the VM at the end; with -d: once it has ended"
    )
    run.add_argument("-t", "--tty", action="store_true", help="give the command this terminal")
    run.add_argument(
        "--entrypoint",
        action="store_true",
        help="run what a container image would run; CMD in the place of its Cmd",
    )
    run.add_argument("-d", "--detach", action="store_true", help="only start it; print its name")

    create = verbs.add(
        "create",
        "make and start a VM; print its name",
        "  banger-tui vm create --name web --image debian-bookworm --memory 1G\n"
        "  name=$(banger-tui vm create)",
        handler="vm:create",
    )
    _spec(create)


def _spec(parser: Parser) -> None:
    new = parser.add_argument_group("the new VM")
    new.add_argument("--name", metavar="NAME", help="a DNS label; without it one is made up")
    new.add_argument("--image", metavar="IMAGE", help="see: banger-tui image catalog")
    new.add_argument("--cpus", metavar="N", type=int, help="virtual processors")
    new.add_argument("--memory", metavar="SIZE", help="for example 512M or 2G")
    new.add_argument("--disk", metavar="SIZE", help="for example 8G; default: the image's")
    new.add_argument(
        "--network",
        choices=("user", "isolated"),
        help="user: reaches the outside; isolated: reaches nothing",
    )


def _lifecycle(verbs: Commands) -> None:
    for name, summary, handler in (
        ("start", "boot VMs that are stopped", "vm:start"),
        ("stop", "power VMs off, cleanly", "vm:stop"),
        ("kill", "end VMs at once, as by pulling the plug", "vm:kill"),
        ("restart", "power VMs off and boot them again", "vm:restart"),
    ):
        verb = verbs.add(
            name,
            summary,
            f"  banger-tui vm {name} quiet-fox\n  banger-tui vm {name} web db",
            handler=handler,
        )
        _names(verb, several=True)
    delete = verbs.add(
        "delete",
        "delete VMs and their disks",
        "  banger-tui vm delete quiet-fox\n  banger-tui vm delete --yes web db",
        handler="vm:delete",
        details="A VM that runs is ended first. What is on the disk is lost.",
    )
    _names(delete, several=True)
    yes(delete)


def _looking(verbs: Commands) -> None:
    verbs.add(
        "list",
        "list VMs",
        "  banger-tui vm list\n  banger-tui vm list --json | jq -r '.[].name'",
        handler="vm:list_all",
    )
    show = verbs.add(
        "show",
        "show everything about a VM",
        "  banger-tui vm show quiet-fox",
        handler="vm:show",
    )
    _names(show)
    logs = verbs.add(
        "logs",
        "print a VM's console log",
        "  banger-tui vm logs quiet-fox\n  banger-tui vm logs -f quiet-fox",
        handler="vm_guest:logs",
        details="On a terminal without the guest's control sequences; through a pipe byte by byte.",
    )
    _names(logs)
    which = logs.add_mutually_exclusive_group()
    which.add_argument("-f", "--follow", action="store_true", help="go on until the VM ends")
    which.add_argument(
        "--earlier", action="store_true", help="of the start before, not of the last one"
    )


def _names(parser: Parser, *, several: bool = False) -> None:
    if several:
        parser.add_argument("names", metavar="NAME", nargs="+", help="a VM's name or id")
    else:
        parser.add_argument("name", metavar="NAME", help="a VM's name or id")


def yes(parser: Parser) -> None:
    """``--yes`` of commands that ask."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
