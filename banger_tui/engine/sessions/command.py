"""A command for a guest: the argv that gives it the user, directory and environment it shall have.

The guest kit's ``run`` does it in the guest: it knows the accounts and the image's own settings.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from banger_tui.engine.errors import InvalidInput

#: The guest kit's wrapper for commands: with the Env, WorkingDir and User of the image's config.
RUN = "/.banger/run"
#: Bytes of a command line: dropbear's (MAX_CMD_LEN, 9000), less what starts it (ssh_transport.py).
#: With more it ends the whole connection, and with it all that others have running over it.
LONGEST = 8900


def guest_command(
    config: Mapping[str, Any],
    argv: Sequence[str],
    *,
    option: str = "",
    user: str | None = None,
    directory: str | None = None,
    env: Sequence[tuple[str, str]] = (),
) -> list[str]:
    """What to start instead of ``argv``; ``argv`` itself where nothing is asked for.

    Args:
        config: the image's, as OCI has it.
        option: of ``run``: "--entrypoint" or "".
        user: NAME or UID, ``:GROUP`` or ``:GID`` after it; None: the image's.
        directory: absolute; None: the image's.
        env: set on top of the image's.

    Raises:
        InvalidInput: none of these can be.
    """
    options = [option] if option else []
    if user is not None:
        if not user or user.startswith("-"):
            raise InvalidInput("The user is empty", f"{user!r}", "For example: --user www-data")
        options += ["--user", user]
    if directory is not None:
        if not directory.startswith("/"):
            raise InvalidInput(
                "The directory must be absolute", directory, f"For example: /srv/{directory}"
            )
        options += ["--directory", directory]
    for key, value in env:
        if not _is_name(key):
            raise InvalidInput(
                f"{key[:80]!r} is no name of a variable",
                "It has letters, digits and _, no digit first.",
                "For example: -e LANG=C.UTF-8",
            )
        options += ["--env", f"{key}={value}"]
    if not options and not config.keys() & {"Env", "WorkingDir", "User"}:
        return sendable(argv)
    return sendable([RUN, *options, "--", *argv])


def sendable(words: Sequence[str]) -> list[str]:
    """The words of a command, when the guest's ssh server takes them.

    Raises:
        InvalidInput: they are too many, or none that a program can be given.
    """
    line = shlex.join(words).encode("utf-8", "surrogateescape")
    if b"\0" in line:
        raise InvalidInput("A command can't have a NUL in it", "", "")
    if len(line) > LONGEST:
        raise InvalidInput(
            "The command is too long",
            f"It has {len(line):,} bytes of the {LONGEST:,} that the guest's ssh server takes.",
            "Send it as a script: banger-tui vm exec NAME -- sh -s <script",
        )
    return list(words)


def _is_name(key: str) -> bool:
    return key.isascii() and key.replace("_", "a").isalnum() and not key[:1].isdigit()
