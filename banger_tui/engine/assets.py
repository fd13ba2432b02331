"""Finds the files shipped beside the code: guest scripts and catalogs.

In a wheel they live inside the package; an editable install or a checkout has them in the top-level
``assets`` folder.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


@cache
def root() -> Path:
    """The folder that holds ``guest/`` and ``catalog/``."""
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def read(name: str) -> bytes:
    """Content of a shipped file, such as ``guest/agent``. Blocking (small, local)."""
    return (root() / name).read_bytes()
