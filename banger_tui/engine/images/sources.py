"""What a source comes down to before a root filesystem is made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from banger_tui.engine.model import LayerRecord

_KIT_SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class Layers:
    """Uncompressed tars, lowest first, and what is known of them; ``suite`` is where the guest kit
    for them is from."""

    tars: tuple[Path, ...]
    suite: str = _KIT_SUITE
    config: dict[str, Any] = field(default_factory=dict)
    provenance: str = ""
    platform: str = ""
    records: tuple[LayerRecord, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's file, and where it came from; ``sha256`` in hex and ``size_bytes`` if known."""

    file: Path
    provenance: str
    sha256: str = ""
    size_bytes: int | None = None
