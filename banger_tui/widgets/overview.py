"""Everything about one machine, as text in the panel."""

from __future__ import annotations

from textual.content import Content

from banger_tui.engine.model import MIB, OperationView, VmRecord, VmState, VmStats
from banger_tui.widgets import clock, units
from banger_tui.widgets.lines import Lines
from banger_tui.widgets.states import MACHINES, style
from banger_tui.widgets.timeline import describe

_LABEL = 10


class Overview(Lines):
    """A machine's facts, what is being done to it, and what to do next."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._vm: VmRecord | None = None
        self._stats: VmStats | None = None
        self._operation: OperationView | None = None

    def show(
        self, vm: VmRecord | None, stats: VmStats | None, operation: OperationView | None
    ) -> None:
        """Show a machine (None: so far there is only the operation that makes it)."""
        self._vm, self._stats, self._operation = vm, stats, operation
        self.changed()

    def lines(self, width: int) -> list[Content]:
        lines: list[Content] = []
        if self._operation is not None:
            lines += describe(self._operation, width, folded=True)
        if self._vm is not None:
            if lines:
                lines.append(Content(""))
            lines += self._machine(self._vm, width)
        if not lines:
            lines = [Content.styled("Nothing is selected.", "$foreground-muted")]
        return lines

    def _machine(self, vm: VmRecord, width: int) -> list[Content]:
        now = clock.now()
        look = MACHINES[vm.state]
        since = ""
        if vm.running and vm.started_at is not None:
            since = f" for {units.age(now - vm.started_at)}"
        elif vm.state is VmState.STOPPED and vm.stopped_at is not None:
            since = f", {units.ago(vm.stopped_at, now)}"
        state = Content.assemble(
            (f"{look.glyph} {look.word}", style(look)), (since, "$foreground-muted")
        )
        lines = [_fact("state", state)]
        if vm.reason and vm.state is VmState.FAILED:
            reason = Content.styled(units.plain(vm.reason), "$text-error")
            lines += [_fact("", text) for text in reason.wrap(max(10, width - _LABEL))]
        if vm.running:
            lines.append(_fact("ssh", Content(f"{vm.address}   (y copies the command)")))
        lines.append(_fact("image", Content(units.plain(vm.image, 80))))
        if vm.running and self._stats is not None:
            use = f"{units.percent(self._stats.cpu)} of a core · "
            use += f"{units.size(self._stats.rss_bytes)} of {units.size(vm.memory_mib * MIB)}"
            lines.append(_fact("uses", Content(use)))
        cpus = "1 cpu" if vm.cpus == 1 else f"{vm.cpus} cpus"
        memory = units.size(vm.memory_mib * MIB)
        disk = units.size(vm.disk_bytes)
        lines.append(_fact("has", Content(f"{cpus} · {memory} memory · {disk} disk")))
        lines.append(_fact("network", Content(vm.network.value)))
        lines.append(_fact("kernel", Content(units.plain(vm.kernel, 80))))
        runs = " · ".join(part for part in (vm.driver, vm.machine, vm.accelerator) if part)
        lines.append(_fact("runs on", Content(units.plain(runs, 80))))
        lines.append(_fact("made", Content(units.ago(vm.created_at, now))))
        if vm.ephemeral:
            lines.append(_fact("", Content("goes away when it stops")))
        lines += [Content(""), *self._next(vm)]
        return [line.truncate(max(1, width), ellipsis=True) for line in lines]

    def _next(self, vm: VmRecord) -> list[Content]:
        if self._operation is not None:
            return []
        match vm.state:
            case VmState.RUNNING:
                return [_keys(("s", "shell"), ("c", "console"), ("x", "stop"))]
            case VmState.STOPPED:
                return [_keys(("u", "start"), ("d", "delete"))]
            case VmState.FAILED:
                return [_keys(("u", "start again"), ("c", "its last console"), ("d", "delete"))]
        return []


def _fact(label: str, value: Content) -> Content:
    return Content.assemble((label.ljust(_LABEL), "$foreground-muted"), value)


def _keys(*keys: tuple[str, str]) -> Content:
    return Content("   ").join(
        Content.assemble((key, "bold $primary"), " ", (text, "$foreground-muted"))
        for key, text in keys
    )
