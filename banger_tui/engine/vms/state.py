"""The life of a VM as a table: which verb is legal in which state."""

from __future__ import annotations

from banger_tui.engine.errors import IllegalMove
from banger_tui.engine.model import VmRecord, VmState

#: verb -> the states it may begin in
MOVES: dict[str, frozenset[VmState]] = {
    "start": frozenset({VmState.STOPPED, VmState.FAILED}),
    "stop": frozenset({VmState.RUNNING}),
    "kill": frozenset({VmState.RUNNING, VmState.STOPPING, VmState.STARTING}),
    "restart": frozenset({VmState.RUNNING}),
    "delete": frozenset({VmState.RUNNING, VmState.STOPPED, VmState.FAILED}),
    "connect": frozenset({VmState.RUNNING}),
}

_NEXT_STEP = {
    VmState.STOPPED: "Start it first: banger-tui vm start {name}",
    VmState.FAILED: "Start it first: banger-tui vm start {name}",
    VmState.RUNNING: "Stop it first: banger-tui vm stop {name}",
}
_ON_ITS_WAY = "Wait until that is done, or see what runs: banger-tui operation list"


def legal(state: VmState, verb: str) -> bool:
    return state in MOVES[verb]


def require(vm: VmRecord, verb: str) -> None:
    """Raises: IllegalMove when the VM's state does not allow the verb."""
    if not legal(vm.state, verb):
        doing = "connect to" if verb == "connect" else verb
        raise IllegalMove(
            f"Can't {doing} {vm.name}",
            f"It is {vm.state.value}.",
            _NEXT_STEP.get(vm.state, _ON_ITS_WAY).format(name=vm.name),
        )
