"""What is said, to whom: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from banger_tui.cli.style import Style
from banger_tui.cli.text import printable
from banger_tui.cli.window import window
from banger_tui.engine.errors import BangerError, OperationCancelled


class Output:
    """The two streams of the command line.

    ``json``: stdout carries JSON and nothing else. ``quiet``: stderr carries errors and nothing
    else.
    """

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet
        self.out = Style.of(sys.stdout)
        self.err = Style.of(sys.stderr)

    # -- results

    def line(self, text: str = "") -> None:
        print(self.out.glyphs(text), flush=True)

    def lines(self, lines: Iterable[str]) -> None:
        for text in lines:
            print(self.out.glyphs(text))
        sys.stdout.flush()

    def document(self, value: object) -> None:
        """The one JSON document of a list or show."""
        import json

        from banger_tui.engine.serial import to_json

        print(json.dumps(to_json(value), indent=2), flush=True)

    async def event(self, event: str, **fields: object) -> None:
        """One line of JSON. In a thread: who reads us may be slow, and the engine must not be."""
        import asyncio
        import json

        from banger_tui.engine.serial import to_json

        values: dict[str, Any] = {"event": event} | {k: to_json(v) for k, v in fields.items()}
        await asyncio.to_thread(print, json.dumps(values), flush=True)

    @property
    def width(self) -> int | None:
        """Columns for tables; None when nobody looks at them through a terminal."""
        return window(sys.stdout).columns if sys.stdout.isatty() else None

    # -- what is said besides

    def note(self, text: str) -> None:
        """Something for people, on stderr."""
        if not self.json and not self.quiet:
            print(self.err.glyphs(text), file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """Something a person must see even when they want quiet; programs read JSON instead."""
        if not self.json:
            print(self.err.glyphs(text), file=sys.stderr, flush=True)

    def warning(self, text: str) -> None:
        """Something is wrong, and it goes on all the same."""
        if self.json:
            import json

            print(json.dumps({"warning": text}), file=sys.stderr, flush=True)
        else:
            self.warn(f"{self.err.paint('warning:', 'yellow')} {_words(text)}")

    def error(self, error: BangerError) -> None:
        """What failed, why, and what to do."""
        if self.json:
            import json

            print(json.dumps({"error": error_object(error)}), file=sys.stderr, flush=True)
            return
        # What somebody asked to end has not failed.
        mark = "" if isinstance(error, OperationCancelled) else "error: "
        print(f"{self.err.paint(mark, 'bold', 'red')}{_words(error.title)}", file=sys.stderr)
        if error.detail:
            print(_words(error.detail), file=sys.stderr)
        if error.hint:
            print(f"{self.err.paint('hint:', 'bold')} {_words(error.hint)}", file=sys.stderr)
        sys.stderr.flush()


def error_object(error: BangerError) -> dict[str, Any]:
    """A failure for programs."""
    return {
        "kind": error.kind,
        "title": error.title,
        "detail": error.detail,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def debugging() -> bool:
    """Whether tracebacks are wanted: ``BANGER_DEBUG=1``."""
    return os.environ.get("BANGER_DEBUG", "") not in ("", "0")


def show_traceback(error: BaseException) -> None:
    import traceback

    traceback.print_exception(error, file=sys.stderr)


def _words(text: str) -> str:
    # Details may quote tools and guests: line by line, without what a terminal would act on.
    return "\n".join(printable(line) for line in text.splitlines())
