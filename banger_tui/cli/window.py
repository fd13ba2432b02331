"""How large the terminal behind a stream is."""

from __future__ import annotations

import os
from typing import TextIO

_UNKNOWN = os.terminal_size((80, 24))


def window(stream: TextIO) -> os.terminal_size:
    """Columns and lines of the stream's own terminal, 80 by 24 where there is none.

    Not ``shutil.get_terminal_size``: that one asks stdout alone, which is often a pipe while
    progress is drawn on stderr, and believes COLUMNS, which does not follow the window.
    """
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return _UNKNOWN
    return size if size.columns and size.lines else _UNKNOWN
