"""What stands where the machines will be."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from banger_tui.widgets import units
from banger_tui.widgets.lines import Lines


@dataclass(frozen=True, slots=True)
class FirstRun:
    """What the first key press would do here. ``image_here``: no need to build it first;
    ``images`` are here, ``offered`` by the catalogs (None: not read yet)."""

    image: str
    cpus: int
    memory_bytes: int
    image_here: bool
    images: int = 0
    offered: int | None = None
    summary: str = ""
    disk_free: int | None = None


class EmptyState(Lines, can_focus=True):
    """Says which key begins."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._first: FirstRun | None = None

    def show(self, first: FirstRun) -> None:
        if first != self._first:
            self._first = first
            self.changed()

    def lines(self, width: int) -> list[Content]:
        if self._first is None:
            return [Content.styled("Opening …", "$foreground-muted")]
        first = self._first
        cpus = "1 cpu" if first.cpus == 1 else f"{first.cpus} cpus"
        memory = units.size(first.memory_bytes)
        offered = "" if first.offered is None else f"{first.offered} in the catalog, "
        lines = [
            Content.styled("No machines yet.", "bold"),
            Content(""),
            _key("r", "run a sandbox", f"{first.image}, {cpus}, {memory} of memory"),
            _key("n", "new, with choices", "name, image, cpus, memory, disk, network"),
            _key("2", "browse images", f"{offered}{first.images} here"),
            _key("5", "doctor", "what this host can do"),
            _key("?", "help", "every key"),
            Content(""),
        ]
        if not first.image_here:
            text = f"The first run builds {first.image}: about a minute. Then: seconds."
            lines.append(Content.styled(text, "$foreground-muted"))
        host = [first.summary] if first.summary else []
        if first.disk_free is not None:
            host.append(f"{units.size(first.disk_free)} free")
        if host:
            lines.append(Content.styled("Host: " + " · ".join(host), "$foreground-muted"))
        return [line.truncate(max(1, width), ellipsis=True) for line in lines]


def _key(key: str, text: str, detail: str) -> Content:
    return Content.assemble(
        (f"  {key}   ", "bold $primary"), text.ljust(20), (detail, "$foreground-muted")
    )
