"""Columns of the lists of images and kernels, and of what the catalogs offer. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from banger_tui.widgets import stage_text, units
from banger_tui.widgets.artefact_rows import CatalogRow, ImageRow, KernelRow
from banger_tui.widgets.table import NAME_MIN, Column, Table

_Row = TypeVar("_Row", ImageRow, KernelRow, CatalogRow)


def _always(read: Callable[[_Row], str]) -> Callable[[_Row, float], str]:
    return lambda row, now: read(row)  # noqa: ARG005  # as columns have it


def _idle(read: Callable[[_Row], str]) -> Callable[[_Row, float], str]:
    """Nothing while something goes on: telling of that takes the cells to its right."""
    return lambda row, now: read(row) if row.operation is None else ""  # noqa: ARG005


def _doing(idle: Callable[[_Row], str]) -> Callable[[_Row, float], str]:
    """What goes on; something else while nothing does."""
    return lambda row, now: stage_text.brief(row.operation, now) if row.operation else idle(row)


def _made(row: ImageRow | KernelRow, now: float) -> str:
    return units.ago(row.made, now) if row.made and row.operation is None else ""


def _size(count: int | None) -> str:
    return units.size(count) if count else ""


def _vms(row: ImageRow) -> str:
    count = len(row.users)
    return "–" if not count else "1 VM" if count == 1 else f"{count} VMs"


IMAGES: Table[ImageRow] = Table(
    "Images",
    (
        Column("name", "NAME", NAME_MIN, False, _always(lambda r: r.name), lambda r: r.name),
        Column("source", "SOURCE", 9, False, _doing(lambda r: r.kind), lambda r: r.kind,
               state=True),
        Column("size", "SIZE", 5, True, _idle(lambda r: _size(r.size_bytes)),
               lambda r: r.size_bytes or 0, descending=True),
        Column("used", "USED BY", 7, True, _idle(_vms), lambda r: len(r.users), descending=True),
        Column("made", "PULLED", 9, True, _made, lambda r: r.made or 0.0, descending=True),
        Column("kernel", "KERNEL", 12, False, _idle(lambda r: r.kernel), lambda r: r.kernel),
    ),
    grows="kernel",
)  # fmt: skip

KERNELS: Table[KernelRow] = Table(
    "Kernels",
    (
        Column("name", "NAME", NAME_MIN, False, _always(lambda r: r.name), lambda r: r.name),
        Column("version", "VERSION", 17, False, _doing(lambda r: r.version), lambda r: r.version,
               state=True),
        Column("size", "SIZE", 5, True, _idle(lambda r: _size(r.size_bytes)),
               lambda r: r.size_bytes or 0, descending=True),
        Column("used", "USED BY", 7, True, _idle(lambda r: str(len(r.users) or "–")),
               lambda r: len(r.users), descending=True),
        Column("made", "PULLED", 9, True, _made, lambda r: r.made or 0.0, descending=True),
        Column("source", "SOURCE", 9, False, _idle(lambda r: r.kind), lambda r: r.kind),
    ),
    grows="source",
)  # fmt: skip

CATALOG: Table[CatalogRow] = Table(
    "Catalog",
    (
        Column("name", "NAME", NAME_MIN, False, _always(lambda r: r.name), lambda r: r.name),
        Column("here", "HERE", 4, False, _doing(lambda r: "yes" if r.here else "–"),
               lambda r: not r.here, state=True),
        Column("kind", "KIND", 9, False, _idle(lambda r: r.kind), lambda r: r.kind),
        Column("download", "DOWNLOAD", 8, True, _idle(lambda r: _size(r.download_bytes)),
               lambda r: r.download_bytes, descending=True),
        Column("description", "DESCRIPTION", 16, False, _idle(lambda r: r.description),
               lambda r: r.description),
    ),
    grows="description",
)  # fmt: skip
