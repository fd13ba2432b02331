"""The table of moves: which verb is legal where, and what is said when it is not."""

from __future__ import annotations

import dataclasses

import pytest

from banger_tui.engine.errors import IllegalMove
from banger_tui.engine.model import VmState
from banger_tui.engine.vms.state import MOVES, legal, require
from tests.unit.test_store import VM

LEGAL = {
    ("start", "stopped"), ("start", "failed"), ("stop", "running"), ("restart", "running"),
    ("kill", "running"), ("kill", "starting"), ("kill", "stopping"), ("connect", "running"),
    ("delete", "running"), ("delete", "stopped"), ("delete", "failed"),
}  # fmt: skip


@pytest.mark.parametrize("state", list(VmState))
@pytest.mark.parametrize("verb", sorted(MOVES))
def test_each_move(verb: str, state: VmState) -> None:
    wanted = (verb, state.value) in LEGAL
    assert legal(state, verb) is wanted
    vm = dataclasses.replace(VM, state=state)
    if wanted:
        require(vm, verb)
        return
    with pytest.raises(IllegalMove) as caught:
        require(vm, verb)
    assert "web" in caught.value.title
    assert state.value in caught.value.detail
    assert "banger-tui" in caught.value.hint
    assert "{name}" not in caught.value.hint
