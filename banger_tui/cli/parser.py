"""The command line's grammar. Imports nothing heavy: ``--help`` must answer at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from banger_tui import __version__
from banger_tui.engine.errors import InvalidInput

PROG = "banger-tui"

_OVERVIEW = """\
MicroVMs in a terminal. Without arguments the full-screen app opens;
with a command the same engine works for scripts."""

_EXAMPLES = """\
examples:
  banger-tui                                     open the app
  banger-tui vm run                              a new sandbox and a shell in it
  banger-tui vm run --rm -- sh -c 'uname -a'     one command in a VM that is deleted afterwards
  banger-tui vm list --json                      for programs

BANGER_HOME=DIR keeps all state below DIR. NO_COLOR=1 turns colours off."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises our errors instead of printing its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", _Formatter)
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(*args, **kwargs)
        self.takes_command = False

    def format_help(self) -> str:
        if self.takes_command and self.usage is None:
            usage = self.format_usage().removeprefix("usage: ").strip()
            self.usage = f"{usage} [-- CMD ...]"
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raises: InvalidInput"""
        hint = f"See {self.prog} --help"
        if message.startswith("unrecognized") and self.takes_command:
            hint = f"A command for the guest stands after --; see {self.prog} --help"
        raise InvalidInput(f"{message[:1].upper()}{message[1:]}", "", hint)

    def group_of(self, dest: str) -> Commands:
        """Commands below this one."""
        return Commands(self, dest)


class Commands:
    """The commands below a parser; each is added with its help, its example and its handler."""

    def __init__(self, parser: Parser, dest: str) -> None:
        self._actions = parser.add_subparsers(
            title="commands", dest=dest, metavar="COMMAND", parser_class=Parser
        )

    def add(
        self,
        name: str,
        summary: str,
        examples: str,
        *,
        handler: str = "",
        details: str = "",
        takes_command: bool = False,
    ) -> Parser:
        """A command. ``handler`` is "module:function" below ``banger_tui.cli``."""
        description = f"{summary[0].upper()}{summary[1:]}."
        parser = self._actions.add_parser(
            name,
            help=summary,
            description=f"{description}\n\n{details}" if details else description,
            epilog=f"examples:\n{examples}",
        )
        assert isinstance(parser, Parser)
        global_options(parser, argparse.SUPPRESS)
        parser.takes_command = takes_command
        parser.set_defaults(handler=handler, takes_command=takes_command, parser=parser)
        return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


def global_options(parser: argparse.ArgumentParser, default: Any = False) -> None:
    """Options every command understands, before or after its name."""
    parser.add_argument(
        "--json", action="store_true", default=default, help="results as JSON, for programs"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", default=default, help="no progress, only results"
    )


def build() -> Parser:
    """The whole grammar."""
    from banger_tui.cli import grammar_artefacts, grammar_guest, grammar_session, grammar_vm

    parser = Parser(prog=PROG, description=_OVERVIEW, epilog=_EXAMPLES)
    parser.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    global_options(parser)
    parser.set_defaults(handler="", takes_command=False, parser=parser)
    commands = parser.group_of("area")
    grammar_vm.add(commands)
    grammar_session.add(commands)
    grammar_artefacts.add(commands)
    grammar_guest.ssh_config(commands)
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line as a Namespace: ``handler``, ``json``, ``quiet``, ``command``, options.

    Everything after the first ``--`` is ``command``, untouched.

    Raises:
        InvalidInput
    """
    head, command = split(argv)
    args, unknown = build().parse_known_args(head)
    if unknown:
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if command is not None and not args.takes_command:
        args.parser.error("nothing can follow --")
    args.command = command or []
    return args


def split(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Our words, and the guest's after ``--`` (None where there is no ``--``)."""
    words = list(argv)
    if "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]
