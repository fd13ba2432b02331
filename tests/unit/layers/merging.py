"""Layers as bytes, merged from files as the engine does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from banger_tui.engine.layers.merge import Merge
from banger_tui.engine.layers.tree import Node
from banger_tui.engine.limits import Limits


def merge(layers: Sequence[bytes], directory: Path, limits: Limits | None = None) -> Merge:
    """All layers merged; each lies in a file of ``directory``, where contents are read from."""
    result = Merge(limits or Limits())
    for number, layer in enumerate(layers):
        path = directory / f"{number}.tar"
        path.write_bytes(layer)
        with path.open("rb") as archive:
            result.add(archive, path)
    return result


def merged(layers: Sequence[bytes], directory: Path, limits: Limits | None = None) -> Node:
    return merge(layers, directory, limits).root
