"""What the person is told before images or kernels go, or downloads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from banger_tui.engine.errors import InUse
from banger_tui.engine.model import ImageRecord, KernelRecord, Pruned
from banger_tui.screens.confirm import Question
from banger_tui.widgets import units
from banger_tui.widgets.artefact_rows import kind, named

#: Where something is from that can't be had from there once more.
_ONCE = frozenset(("file", "machine", "build", "host", "package"))


def delete(
    thing: str,
    records: Sequence[ImageRecord | KernelRecord],
    users: Mapping[str, Sequence[str]],
) -> Question | InUse:
    """What to ask before these go; an error when all of them are in use."""
    free = [record for record in records if not users.get(record.name)]
    used = [record for record in records if users.get(record.name)]
    if not free:
        return in_use(thing, [record.name for record in used], users)
    one = len(free) == 1
    whom = free[0].name if one else f"{len(free)} {thing}s"
    lines = [] if one else [named([record.name for record in free]), ""]
    freed = sum(record.size_bytes for record in free if not _external(record))
    if freed:
        lines.append(f"This frees {units.size(freed)} of disk.")
    lines += [
        f"{_external(record)} stays where it is: {record.name} was used in place."
        for record in free
        if _external(record)
    ]
    for record in used:
        lines.append(f"{record.name} stays: in use by {named(users[record.name], 4)}.")
    once = [
        record.name for record in free if kind(record.source) in _ONCE and not _external(record)
    ]
    grave = ""
    if once:
        what = "It" if one else named(once, 4)
        grave = f"{what} can't be pulled again. This can't be undone."
    else:
        lines.append("Pull it again when it is wanted." if one else "They can be pulled again.")
    keep = "Keep it" if one else "Keep them"
    return Question(f"Delete {whom}?", lines, "Delete", keep, grave=grave)


def in_use(thing: str, names: Sequence[str], users: Mapping[str, Sequence[str]]) -> InUse:
    """Why nothing of it goes."""
    who = sorted({user for name in names for user in users[name]})
    if len(names) == 1:
        title = f"The {thing} {names[0]} is in use"
        return InUse(title, f"By: {named(who)}.", "Delete them first, or keep it.")
    return InUse(f"These {thing}s are in use", f"By: {named(who)}.", "Delete them first.")


def prune(found: Pruned) -> Question | None:
    """What to ask before downloads go; None when there are none to go."""
    if not found.files:
        return None
    files = "1 file goes" if found.files == 1 else f"{found.files} files go"
    return Question(
        "Remove downloads that no image needs?",
        [f"{files}, {units.size(found.bytes_freed)} are freed.",
         "Images stay, and so do downloads that a pull is using."],
        "Remove", "Keep them",
    )  # fmt: skip


def _external(record: ImageRecord | KernelRecord) -> str:
    return record.external if isinstance(record, ImageRecord) else ""
