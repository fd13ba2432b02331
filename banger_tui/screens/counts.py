"""How many machines there are, for the top line of every screen."""

from __future__ import annotations

from banger_tui.bridge import World
from banger_tui.engine.model import VmState
from banger_tui.widgets.header_bar import Counts


def counts(world: World) -> Counts:
    """In all, running, failed."""
    vms = world.vms.values()
    return Counts(
        len(vms),
        sum(vm.running for vm in vms),
        sum(vm.state is VmState.FAILED for vm in vms),
    )
