"""``vm shell|exec|cp|ssh|console`` and ``ssh-config``: ways into a guest."""

from __future__ import annotations

from banger_tui.cli.parser import Commands, Parser


def add(verbs: Commands) -> None:
    """Add what goes below ``vm``."""
    _terminals(verbs)
    _execute(verbs)
    _copy(verbs)
    ssh = verbs.add(
        "ssh",
        "open ssh to a VM with the system's client",
        "  banger-tui vm ssh quiet-fox\n  banger-tui vm ssh quiet-fox -- uname -a",
        handler="vm_guest:ssh",
        details="The VM's key is pinned; nothing is added to your known_hosts. For scp, rsync and\n"
        "editors: banger-tui ssh-config",
        takes_command=True,
    )
    _vm(ssh)


def _terminals(verbs: Commands) -> None:
    shell = verbs.add(
        "shell",
        "open a VM's shell in this terminal",
        "  banger-tui vm shell quiet-fox",
        handler="vm_guest:shell",
        details="The same shell as in the app: it lives in the guest, so that it is still there\n"
        "when you come back. ctrl+] leaves it, exit ends it. Who comes second looks on.",
    )
    _vm(shell)
    shell.add_argument("--take", action="store_true", help="type, though somebody else does")
    console = verbs.add(
        "console",
        "open a VM's serial console in this terminal",
        "  banger-tui vm console quiet-fox",
        handler="vm_guest:console",
        details="Works while the VM boots and when ssh does not, beside other viewers and the\n"
        "app. ctrl+] leaves it.",
    )
    _vm(console)


def _execute(verbs: Commands) -> None:
    execute = verbs.add(
        "exec",
        "run a command in a VM",
        "  banger-tui vm exec quiet-fox -- ls -l /etc\n"
        "  banger-tui vm exec -u www-data -w /srv -e LANG=C.UTF-8 quiet-fox -- make\n"
        "  tar c . | banger-tui vm exec quiet-fox -- tar x -C /root\n"
        "  banger-tui vm exec -t quiet-fox -- htop",
        handler="vm_guest:execute",
        details="Its stdout, stderr and exit code become this one's; stdin is passed on when it\n"
        "is no terminal. Signals go to it (INT, TERM, QUIT, USR1, USR2), and its exit code\n"
        "is 128 + N when one ended it; a second ctrl+c ends this command. 126 and 127: it\n"
        "could not be started. With -t the command has this terminal.",
        takes_command=True,
    )
    _vm(execute)
    execute.add_argument("-t", "--tty", action="store_true", help="give the command this terminal")
    execute.add_argument(
        "-i", "--interactive", action="store_true", help="pass on what is typed, line by line"
    )
    as_whom(execute)


def as_whom(parser: Parser) -> None:
    """``-u``, ``-w`` and ``-e`` of what starts a command."""
    how = parser.add_argument_group("how the command is started; default: as its image says")
    how.add_argument("-u", "--user", metavar="USER", help="a name or number; :GROUP may follow")
    how.add_argument("-w", "--workdir", metavar="DIR", help="where: an absolute path")
    how.add_argument(
        "-e", "--env", metavar="K=V", action="append", default=[],
        help="a variable, again and again; K alone takes its value from here",
    )  # fmt: skip


def _copy(verbs: Commands) -> None:
    copy = verbs.add(
        "cp",
        "copy files into a VM, out of it, or from one to another",
        "  banger-tui vm cp notes.txt quiet-fox:/root\n"
        "  banger-tui vm cp quiet-fox:/var/log ./logs\n"
        "  banger-tui vm cp web:/srv/data db:/srv\n"
        "  mysqldump app | banger-tui vm cp - db:/root/app.sql\n"
        "  banger-tui vm cp web:/etc/hostname -",
        handler="copy:copy",
        details="A directory goes with all that is in it; DIR/. means only what is in it. Where\n"
        "DST is a directory, SRC goes into it, otherwise DST is its new name. Modes, times\n"
        "and symbolic links stay, owners do not. Nothing is to be seen at DST before all of\n"
        "it has come. - is stdin or stdout. A file here with a colon in its name: ./a:b",
    )
    copy.add_argument("source", metavar="SRC", help="a path here, NAME:PATH in a VM, or -")
    copy.add_argument("target", metavar="DST", help="likewise")


def ssh_config(commands: Commands) -> None:
    """Add ``ssh-config``."""
    config = commands.add(
        "ssh-config",
        "let plain ssh, scp, rsync and editors reach VMs as NAME.vm",
        "  banger-tui ssh-config --install\n"
        "  ssh quiet-fox.vm\n"
        "  scp notes.txt quiet-fox.vm:\n"
        '  ssh -F "$(banger-tui ssh-config)" quiet-fox.vm',
        handler="ssh_config:ssh_config",
        details="Writes a file with an entry for every VM, its key pinned, and prints where it\n"
        "is. From then on it is kept up to date. --install has ~/.ssh/config include it.",
    )
    way = config.add_mutually_exclusive_group()
    way.add_argument("--print", action="store_true", help="print the entries")
    way.add_argument(
        "--install", action="store_true", help="have your ssh configuration include the file"
    )
    way.add_argument("--remove", action="store_true", help="take that away again")
    config.add_argument(
        "--file", metavar="FILE", default="~/.ssh/config", help="yours, if not ~/.ssh/config"
    )
    config.add_argument("-y", "--yes", action="store_true", help="do not ask")


def _vm(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME", help="a VM's name or id")
