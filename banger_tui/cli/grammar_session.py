"""``session …``: processes in guests that outlive whoever started them."""

from __future__ import annotations

from banger_tui.cli.grammar_guest import as_whom
from banger_tui.cli.parser import Commands, Parser


def add(commands: Commands) -> None:
    """Add ``session`` and what is below it."""
    session = commands.add(
        "session",
        "run things in VMs that go on without this terminal",
        "  banger-tui session start quiet-fox -- make\n"
        "  banger-tui session list\n"
        "  banger-tui session attach quiet-fox/make",
        details="A session is called VM/NAME. It lives in the guest: it goes on when the app and\n"
        "this command have ended, and is lost when the VM stops.",
    )
    verbs = session.group_of("verb")
    _start(verbs)
    _looking(verbs)
    _attach(verbs)
    _talking(verbs)
    _ending(verbs)


def _start(verbs: Commands) -> None:
    start = verbs.add(
        "start",
        "start a session; print its name",
        "  banger-tui session start quiet-fox                       a shell\n"
        "  banger-tui session start quiet-fox --name build -- make\n"
        "  banger-tui session start quiet-fox --pipe -w /srv -- ./serve --port 80\n"
        "  banger-tui session start quiet-fox --attach -- htop",
        handler="session:start",
        details="The directory and the command are looked for in the guest before it begins.",
        takes_command=True,
    )
    start.add_argument("vm", metavar="VM", help="a VM's name or id")
    start.add_argument(
        "--name", metavar="NAME", help="letters, digits, - and _; without it one is made up"
    )
    mode = start.add_mutually_exclusive_group()
    mode.add_argument(
        "--pty", action="store_true", help="with a terminal, whose screen is kept (the default)"
    )
    mode.add_argument(
        "--pipe", action="store_true", help="with stdin, stdout and stderr apart, byte for byte"
    )
    start.add_argument(
        "--keep", metavar="SIZE", help="how much of its output the guest keeps (default 64M)"
    )
    start.add_argument(
        "--drop",
        action="store_true",
        help="when that is full and nobody reads, lose the oldest; default: it waits",
    )
    start.add_argument("--attach", action="store_true", help="and attach to it at once")
    as_whom(start)


def _looking(verbs: Commands) -> None:
    listing = verbs.add(
        "list",
        "list sessions, of one VM or of all that run",
        "  banger-tui session list\n  banger-tui session list quiet-fox --json | jq -r '.[].name'",
        handler="session:list_all",
    )
    listing.add_argument("vm", metavar="VM", nargs="?", help="a VM's name or id")
    show = verbs.add(
        "show",
        "show everything about a session",
        "  banger-tui session show quiet-fox/build",
        handler="session:show",
    )
    _session(show)
    logs = verbs.add(
        "logs",
        "print what a session has said",
        "  banger-tui session logs quiet-fox/build\n"
        "  banger-tui session logs -f --stderr quiet-fox/build\n"
        "  banger-tui session logs --offset 1048576 quiet-fox/build >rest",
        handler="session_streams:logs",
        details="On a terminal without the guest's control sequences; through a pipe byte by byte.",
    )
    _session(logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on until it ends")
    logs.add_argument(
        "--offset", metavar="N", type=int, default=0, help="begin at this byte, counted from 0"
    )
    logs.add_argument("--stderr", action="store_true", help="stderr instead (of --pipe sessions)")


def _attach(verbs: Commands) -> None:
    attach = verbs.add(
        "attach",
        "attach to a session",
        "  banger-tui session attach quiet-fox/shell\n"
        "  banger-tui session attach --read-only quiet-fox/build\n"
        "  tar c . | banger-tui session attach quiet-fox/unpack",
        handler="session_attach:attach",
        details="With a terminal: its screen, at once; ctrl+] leaves it, and it goes on. Else its\n"
        "stdout and stderr become this one's, stdin goes to it (and its end, if anything\n"
        "came before), ctrl+c leaves it. The exit code is the session's when it ends.\n"
        "Any number may look on; one at a time may type.",
    )
    _session(attach)
    attach.add_argument("--read-only", action="store_true", help="only look on")
    attach.add_argument("--take", action="store_true", help="type, though somebody else does")
    attach.add_argument(
        "--from",
        metavar="N",
        dest="offset",
        type=int,
        default=0,
        help="begin at this byte of stdout (of --pipe sessions)",
    )


def _talking(verbs: Commands) -> None:
    send = verbs.add(
        "send",
        "send text to a session, as if it were typed",
        "  banger-tui session send --line quiet-fox/shell 'make test'\n"
        "  banger-tui session send quiet-fox/unpack - --eof <archive.tar",
        handler="session_streams:send",
    )
    _session(send)
    send.add_argument("text", metavar="TEXT", nargs="?", help="what to send; -: what stdin has")
    send.add_argument("--line", action="store_true", help="with an end of line after it")
    send.add_argument("--eof", action="store_true", help="then end its input")
    signal = verbs.add(
        "signal",
        "send a signal to a session's process",
        "  banger-tui session signal quiet-fox/serve HUP",
        handler="session_streams:signal",
    )
    _session(signal)
    signal.add_argument("signal", metavar="SIGNAL", help="for example INT, HUP or USR1")


def _ending(verbs: Commands) -> None:
    stop = verbs.add(
        "stop",
        "end sessions: TERM, and KILL when that does not help",
        "  banger-tui session stop quiet-fox/serve\n"
        "  banger-tui session stop --grace 30 web/serve db/serve",
        handler="session_streams:stop",
        details="What they have said stays, until they are deleted.",
    )
    _sessions(stop)
    stop.add_argument(
        "--grace", metavar="SECONDS", type=float, default=5.0, help="before KILL (default 5)"
    )
    delete = verbs.add(
        "delete",
        "forget sessions that have ended, and what they said",
        "  banger-tui session delete quiet-fox/build\n"
        "  banger-tui session delete --force web/serve",
        handler="session_streams:delete",
    )
    _sessions(delete)
    delete.add_argument("--force", action="store_true", help="also one that runs: it is ended")


def _session(parser: Parser) -> None:
    parser.add_argument("session", metavar="VM/NAME", help="see: banger-tui session list")


def _sessions(parser: Parser) -> None:
    parser.add_argument(
        "sessions", metavar="VM/NAME", nargs="+", help="see: banger-tui session list"
    )
