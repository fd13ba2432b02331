"""What can be pulled, and what of it is here already."""

from __future__ import annotations

from collections.abc import Container, Iterable

from banger_tui.cli.output import Output
from banger_tui.cli.table import Cell, render
from banger_tui.cli.text import short_size
from banger_tui.engine.catalog.entries import ImageEntry, KernelEntry
from banger_tui.engine.errors import BangerError

Entry = ImageEntry | KernelEntry


def catalog_lines(
    out: Output,
    entries: Iterable[Entry],
    here: Container[str],
    kind: str,
    unread: Iterable[BangerError] = (),
) -> None:
    """Print the catalog as a table or as a document.

    Args:
        unread: why some catalogs are not in it; told as warnings.
    """
    known = sorted(entries, key=lambda entry: entry.name)
    for error in unread:
        out.warning(f"{error.title}: {error.detail}")
    if out.json:
        out.document([_fields(entry, here) for entry in known])
        return
    if not known:
        out.line(f"The {kind} catalog is empty.")
        return
    rows: list[list[Cell | str]] = [
        [
            Cell(entry.name, ("bold",)),
            Cell("✓", ("green",)) if entry.name in here else "",
            f"~{short_size(size)}" if (size := _size(entry)) else "",
            entry.description,
            entry.catalog,
        ]
        for entry in known
    ]
    headers = ("NAME", "HERE", ">DOWNLOAD", "DESCRIPTION", "CATALOG")
    out.lines(render(headers, rows, out.out, out.width))


def _fields(entry: Entry, here: Container[str]) -> dict[str, object]:
    return {
        "name": entry.name,
        "description": entry.description,
        "here": entry.name in here,
        "download_bytes": _size(entry),
        "catalog": entry.catalog,
    }


def _size(entry: Entry) -> int:
    """About how many bytes a pull moves; 0: unknown."""
    return entry.download_bytes if isinstance(entry, ImageEntry) else 0
