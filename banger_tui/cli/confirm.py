"""Ask before something is lost; never wait for an answer nobody can give."""

from __future__ import annotations

import os
import sys

from banger_tui.cli import streams
from banger_tui.cli.context import Context
from banger_tui.engine.errors import InvalidInput


async def confirmed(
    context: Context, question: str, consequence: str, *, refused: str = "deleted"
) -> bool:
    """Whether the person agrees. ``refused``: what nothing was when they do not.

    Raises:
        InvalidInput: nobody can be asked, and ``--yes`` was not given.
    """
    if context.args.yes:
        return True
    if not (os.isatty(streams.STDIN) and os.isatty(streams.STDERR)):
        raise InvalidInput(
            f"{question} Nobody is here to answer",
            f"stdin or stderr is no terminal. {consequence}",
            "Add --yes to agree beforehand.",
        )
    style = context.out.err
    sys.stderr.write(f"{style.paint(question, 'bold')} {consequence} [y/N] ")
    sys.stderr.flush()
    answer = await streams.read(streams.STDIN)
    if not answer.endswith(b"\n"):
        sys.stderr.write("\n")
    agreed = answer.strip().lower() in (b"y", b"yes")
    if not agreed:
        context.out.warn(f"Nothing was {refused}.")
    return agreed
