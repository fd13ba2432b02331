"""What sessions there are: the guest's own account of them, read with distrust.

The script prints lines of words: ``s`` with a session, ``f`` with the size of a piece of output,
``t`` with a terminal's title, ``end`` when that was all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from banger_tui.engine.errors import GuestFailure
from banger_tui.engine.model import SessionMode, SessionSpec, SessionState, SessionView, VmRecord
from banger_tui.engine.sessions.guest import readable

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_PIECE = re.compile(r"/\.banger/sessions/([a-z0-9_-]+)/(out|err)\.([0-9]{15})")
_LABEL = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_MOST_SESSIONS = 2000
_MOST_SHOWN = 1024  # characters of a command: the guest reads them back one by one
_MOST_DIGITS = 15


@dataclass(slots=True)
class _Output:
    """Where the kept part of a stream begins and ends, in bytes from the session's start."""

    first: int | None = None
    end: int = 0


def parse(said: bytes, vm: VmRecord) -> list[SessionView]:
    """The sessions in what the script printed, by name. Lines that make no sense are left out.

    Raises:
        GuestFailure: it does not end as it should.
    """
    lines = said.replace(b"\r\n", b"\n").split(b"\n")
    if b"end" not in lines[-3:]:
        raise GuestFailure(f"{vm.name} does not say what sessions it has", "Its list has no end.")
    views: dict[str, SessionView] = {}
    outputs: dict[tuple[str, str], _Output] = {}
    titles: dict[str, str] = {}
    for line in lines:
        text = line.decode(errors="replace")
        kind, _, rest = text.partition(" ")
        if kind == "s" and len(views) < _MOST_SESSIONS:
            if (view := _session(rest.split(" "), vm)) is not None:
                views[view.name] = view
        elif kind == "f":
            _piece(rest, outputs)
        elif kind == "t":
            name, _, title = rest.partition(" ")
            titles[name] = readable(title.encode())[:256]
    return [_complete(views[name], outputs, titles.get(name, "")) for name in sorted(views)]


def describe(spec: SessionSpec) -> str:
    """What the guest keeps for us beside a session: one word."""
    known = {"argv": _short(spec.argv), "cwd": spec.cwd or "", "user": spec.user or ""}
    return base64.b64encode(json.dumps(known).encode()).decode()


def _short(argv: tuple[str, ...]) -> list[str]:
    left, kept = _MOST_SHOWN, []
    for word in argv:
        kept.append(word[:left].encode("utf-8", "replace").decode())
        left -= len(word)
        if left <= 0:
            break
    return kept


def _session(words: list[str], vm: VmRecord) -> SessionView | None:
    if len(words) != 12 or not NAME.fullmatch(words[0]):
        return None
    name, mode, state, code, started, ended, pid, given, waits, viewers, writer, spec = words
    try:
        view = SessionView(
            vm.id, vm.name, name, SessionMode(mode), SessionState(state), (),
            started=float(_number(started)), in_bytes=_number(given), viewers=_number(viewers),
            pid=_number(pid) if pid != "-" else None,
            writer=writer if _LABEL.fullmatch(writer) and writer != "-" else "",
        )  # fmt: skip
        view = replace(view, waiting=waits == "waits" and view.state is SessionState.RUNNING)
        if view.state is SessionState.EXITED:
            view = replace(view, exit_code=_number(code), ended=float(_number(ended)))
    except ValueError:
        return None
    known = _known(spec)
    argv = known.get("argv")
    return replace(
        view,
        argv=tuple(_shown(word) for word in argv) if isinstance(argv, list) else (),
        cwd=_shown(known.get("cwd")),
        user=_shown(known.get("user")),
    )


def _known(spec: str) -> dict[str, Any]:
    try:
        known = json.loads(base64.b64decode(spec[: 4 * _MOST_SHOWN * 6], validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return known if isinstance(known, dict) else {}


def _shown(value: object) -> str:
    return (
        readable(value.encode("utf-8", "replace"))[:_MOST_SHOWN] if isinstance(value, str) else ""
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError(text)
    return int(text)


def _piece(rest: str, outputs: dict[tuple[str, str], _Output]) -> None:
    path, _, size = rest.rpartition(" ")
    found = _PIECE.fullmatch(path)
    if found is None or not size.isdigit() or len(size) > _MOST_DIGITS:
        return
    output = outputs.setdefault((found[1], found[2]), _Output())
    begin = int(found[3])
    output.first = begin if output.first is None else min(output.first, begin)
    output.end = max(output.end, begin + int(size))


def _complete(
    view: SessionView, outputs: dict[tuple[str, str], _Output], title: str
) -> SessionView:
    out = outputs.get((view.name, "out"), _Output())
    err = outputs.get((view.name, "err"), _Output())
    return replace(
        view,
        out_bytes=out.end,
        err_bytes=err.end,
        kept=(out.first or 0, err.first or 0),
        title=title if view.state is SessionState.RUNNING else "",
    )
