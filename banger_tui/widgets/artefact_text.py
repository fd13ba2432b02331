"""Everything about one image, kernel or offer of a catalog, as lines. Pure but for ``Content``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from textual.content import Content

from banger_tui.engine.model import ImageRecord, KernelRecord, LayerRecord
from banger_tui.widgets import units
from banger_tui.widgets.artefact_rows import CatalogRow, named
from banger_tui.widgets.stage_text import FAINT
from banger_tui.widgets.states import style

_LABEL = 12
_MOST_LINES = 3  # of one fact: a label may hold a licence
_MOST_USERS = 20


def image(record: ImageRecord, users: Sequence[str], now: float, width: int) -> list[Content]:
    """An image: what it is, what it is run with, what it was made of."""
    size = f"{units.size(record.size_bytes)} on disk"
    if record.disk_bytes:
        size += f" · {units.size(record.disk_bytes)} filesystem"
    facts = [
        ("from", record.source),
        ("pinned", record.provenance),
        ("digest", record.digest),
        ("size", size),
        ("used by", named(users, _MOST_USERS) if users else "no VM"),
        ("kernel", record.kernel),
        ("init", record.init),
        ("", "" if record.bootable else "plain: without guest kit, it does not boot"),
        ("platform", record.platform),
        ("pulled", units.ago(record.created_at, now)),
        ("in place", record.external),
    ]
    lines = _facts(facts, width)
    if config := _config(record.config):
        lines += [Content(""), Content.styled("Config", "bold"), *_facts(config, width)]
    if record.layers:
        lines += [Content(""), *_layers(record.layers, width)]
    return lines


def kernel(record: KernelRecord, users: Sequence[str], now: float, width: int) -> list[Content]:
    """A kernel."""
    facts = [
        ("version", record.version),
        ("from", record.source),
        ("digest", record.digest),
        ("size", f"{units.size(record.size_bytes)} on disk"),
        ("used by", named(users, _MOST_USERS) if users else "nothing"),
        ("pulled", units.ago(record.created_at, now)),
    ]
    return _facts(facts, width)


def offer(row: CatalogRow, width: int) -> list[Content]:
    """What a catalog says of something."""
    here = Content.styled(f"{row.look.glyph} {row.look.word}", style(row.look))
    facts = [
        ("is", row.description),
        ("made from", row.source),
        ("download", units.size(row.download_bytes) if row.download_bytes else "size unknown"),
        ("disk", units.size(row.disk_bytes) if row.disk_bytes else ""),
        ("kernel", row.kernel),
        ("catalog", row.catalog or "built in"),
    ]
    return [_fact("", here), *_facts(facts, width)]


def _config(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """An OCI image's config as far as a guest honours it. It comes from outside: any type may be
    anywhere in it."""
    found = [
        (key, shlex.join(words))
        for key in ("Entrypoint", "Cmd")
        if (words := _texts(config.get(key)))
    ]
    found += [(key, str(config[key])) for key in ("User", "WorkingDir") if config.get(key)]
    for key in ("Env", "ExposedPorts", "Labels"):
        label = "Ports" if key == "ExposedPorts" else key
        for text in _texts(config.get(key)):
            found.append((label, text))
            label = ""
    return found


def _texts(value: object) -> list[str]:
    """The parts of a list, of the keys of a set (OCI: an object of empty objects), or of a map."""
    if isinstance(value, Mapping):
        return [f"{key}={item}" if isinstance(item, str) else str(key)
                for key, item in value.items()]  # fmt: skip
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]


def _layers(layers: Sequence[LayerRecord], width: int) -> list[Content]:
    """Each layer with its size, drawn as a share of the largest."""
    total = sum(layer.size_bytes for layer in layers)
    count = "1 layer" if len(layers) == 1 else f"{len(layers)} layers"
    lines = [Content.assemble((count, "bold"), (f"  {units.size(total)} as they are moved", FAINT))]
    largest = max(layer.size_bytes for layer in layers) or 1
    digest_room = 19  # of a sha256 its first 12 digits, as everybody shortens them
    bar_room = min(24, width - digest_room - 10)
    for layer in layers:
        drawn = "━" * max(1, round(layer.size_bytes / largest * max(0, bar_room)))
        lines.append(
            Content.assemble(
                units.plain(layer.digest[:digest_room]).ljust(digest_room),
                f"  {units.size(layer.size_bytes):>5}  ",
                (drawn if bar_room > 3 else "", "$primary"),
            )
        )
    return lines


def _facts(facts: Sequence[tuple[str, str]], width: int) -> list[Content]:
    """The facts that there are, each on up to three lines."""
    lines: list[Content] = []
    room = max(10, width - _LABEL)
    for label, text in facts:
        if not text:
            continue
        wrapped = Content(units.plain(text, 1000)).wrap(room)
        if len(wrapped) > _MOST_LINES:
            rest = Content("").join(wrapped[_MOST_LINES - 1 :]).truncate(room, ellipsis=True)
            wrapped = [*wrapped[: _MOST_LINES - 1], rest]
        heads = [label] + [""] * (len(wrapped) - 1)
        lines += [_fact(head, part) for head, part in zip(heads, wrapped, strict=True)]
    return lines


def _fact(label: str, value: Content) -> Content:
    return Content.assemble((label.ljust(_LABEL), FAINT), value)
