"""What can be pulled, and what of it is here already."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Protocol

from banger_tui.cli.output import Output
from banger_tui.cli.table import Cell, render


class Entry(Protocol):
    """What image and kernel entries have in common."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...


def catalog_lines(out: Output, entries: Iterable[Entry], here: Container[str], kind: str) -> None:
    """Print the catalog as a table or as a document."""
    known = sorted(entries, key=lambda entry: entry.name)
    if out.json:
        out.document(
            [{"name": e.name, "description": e.description, "here": e.name in here} for e in known]
        )
        return
    if not known:
        out.line(f"The {kind} catalog is empty.")
        return
    rows: list[list[Cell | str]] = [
        [
            Cell(entry.name, ("bold",)),
            Cell("✓", ("green",)) if entry.name in here else "",
            entry.description,
        ]
        for entry in known
    ]
    out.lines(render(("NAME", "HERE", "DESCRIPTION"), rows, out.out, out.width))
