"""What a person may call an image of their own, and that the name is still free."""

from __future__ import annotations

import re

from banger_tui.engine.context import Context
from banger_tui.engine.errors import InvalidName
from banger_tui.engine.images.kept import images

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")


def check_name(name: str) -> None:
    """Raises: InvalidName."""
    if not _NAME.fullmatch(name):
        raise InvalidName(
            f"{name!r} can't be an image's name",
            "It takes up to 128 letters, digits and . _ : / @ -, a letter or digit first.",
        )


async def claim(ctx: Context, name: str) -> None:
    """Early, so that nobody waits in vain; publishing has the last word.

    Raises:
        InvalidName
        NameTaken: an image is called so.
    """
    check_name(name)
    if here := await images(ctx).find(name):
        raise images(ctx).taken(here)
