"""The verbs of a session that are one question and one answer."""

from __future__ import annotations

import contextlib
import re

from banger_tui.engine.errors import GuestFailure, InvalidInput, NotFound
from banger_tui.engine.model import SessionMode, SessionSpec, SessionView
from banger_tui.engine.sessions.guest import Place, token
from banger_tui.engine.sessions.input import Input
from banger_tui.engine.sessions.launch import message, wanted_name
from banger_tui.engine.sessions.registry import parse

_SIGNAL = re.compile(r"[A-Z][A-Z0-9+-]{0,11}|[0-9]{1,2}")
_FRAME = 512 << 10
_LONGEST_GRACE = 3600.0


async def start(place: Place, spec: SessionSpec, size: tuple[int, int]) -> SessionView:
    """Start what ``spec`` says, having checked it in the guest. ``place`` names no session.

    Raises:
        InvalidInput: no such command, directory or user in the guest, or none it may use.
        NameTaken, GuestFailure, GuestUnreachable
    """
    name, how = wanted_name(spec)
    full = "drop" if spec.drop or spec.mode is SessionMode.PTY else "wait"
    said = await place.ask(
        "start", name, token(), how, spec.mode.value, spec.keep_bytes, full, *size,
        stdin=message(spec),
    )  # fmt: skip
    return only(parse(said, place.vm), place)


async def show(place: Place) -> SessionView:
    """Raises: NotFound, GuestUnreachable, GuestFailure"""
    return only(parse(await place.ask("show"), place.vm), place)


async def list_all(place: Place) -> list[SessionView]:
    """Raises: GuestUnreachable, GuestFailure"""
    return parse(await place.ask("list"), place.vm)


async def send(place: Place, data: bytes, *, take: bool) -> None:
    """Type, or give to stdin, as the only writer for a moment.

    Raises:
        NotFound, IllegalMove, GuestUnreachable
        Conflict: somebody else is the writer, and ``take`` is not set.
    """
    how = "take" if take else "write"
    if (await show(place)).mode is SessionMode.PTY:
        for begin in range(0, len(data), _FRAME):
            part = data[begin : begin + _FRAME]
            await place.ask("send", token(), how, len(part), stdin=part)
        return
    given = await _input(place, how)
    try:
        await given.write(data)
    finally:
        await given.close()


async def eof(place: Place, *, take: bool) -> None:
    """End of stdin: in a terminal the key for it. Raises as ``send``."""
    if (await show(place)).mode is SessionMode.PTY:
        return await send(place, b"\x04", take=take)
    given = await _input(place, "take" if take else "write")
    try:
        await given.write_eof()
    finally:
        await given.close()


async def _input(place: Place, how: str) -> Input:
    given = await Input.open(place, how)
    if not given.mine:
        raise place.refusal(16, (await show(place)).writer.encode() or b"another client")
    return given


async def signal(place: Place, name: str) -> None:
    """Send it to what runs in front, as a key would.

    Raises:
        InvalidInput, NotFound, IllegalMove (it has ended), GuestUnreachable
    """
    wanted = name.upper().removeprefix("SIG")
    if not _SIGNAL.fullmatch(wanted):
        raise InvalidInput(f"{name!r} is no signal", "", "For example TERM, INT, HUP or USR1.")
    await place.ask("signal", token(), wanted)


async def stop(place: Place, grace: float) -> SessionView:
    """TERM, and KILL ``grace`` seconds later; as it was when it had ended.

    Raises:
        NotFound, GuestFailure (it does not end), GuestUnreachable
    """
    seconds = round(min(max(grace, 0.0), _LONGEST_GRACE))
    said = await place.ask("stop", seconds, patience=seconds + 60.0)
    return only(parse(said, place.vm), place)


async def delete(place: Place, *, force: bool) -> None:
    """Raises: NotFound, IllegalMove (it runs, and ``force`` is not set), GuestUnreachable"""
    if not force:
        await place.ask("remove")
        return
    await stop(place, 1.0)
    with contextlib.suppress(NotFound):  # it was there, and somebody was quicker
        await place.ask("remove")


def only(views: list[SessionView], place: Place) -> SessionView:
    """The one session that was asked for. Raises: NotFound, GuestFailure"""
    if not views:
        raise (
            NotFound(f"There is no session {place.name} in {place.vm.name}")
            if place.name
            else GuestFailure(f"{place.vm.name} does not say what it started")
        )
    return views[0]
