"""The time that widgets show. One function, so that pictures of them can be made to stand still."""

from __future__ import annotations

import time


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
