"""Any exception as an error that a person can act on."""

from __future__ import annotations

import contextlib
import errno
import logging
import traceback
from pathlib import Path

from banger_tui.engine.errors import BangerError, NotEnoughDisk

log = logging.getLogger(__name__)


def explain(error: Exception, path: Path) -> BangerError:
    """Any exception as an error a person can act on; a traceback goes to the operation's log."""
    if isinstance(error, BangerError):
        return error
    if isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        return explain(error.exceptions[0], path)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NotEnoughDisk(
            "The disk is full",
            f"Writing {error.filename or 'a file'} failed: {error.strerror}.",
            "Free some room (banger-tui image list shows sizes), then try again.",
        )
    with contextlib.suppress(OSError), path.open("a") as file:
        traceback.print_exception(error, file=file)
    log.error("unforeseen failure", exc_info=error)
    return BangerError(
        "Something went wrong inside banger-tui",
        f"{type(error).__name__}: {str(error)[:300]}",
        f"Details are in {path}.",
    )
