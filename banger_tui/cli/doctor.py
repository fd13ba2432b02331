"""``doctor``: what this host can do, and what is missing."""

from __future__ import annotations

from banger_tui.cli.context import Context
from banger_tui.cli.text import cells, padded, printable

_MARKS: dict[bool | None, tuple[str, str]] = {
    True: ("✓", "green"),
    False: ("✗", "red"),
    None: ("-", "dim"),
}


async def doctor(context: Context) -> int:
    checks = await context.engine.doctor()
    out = context.out
    healthy = all(check.ok is not False for check in checks)
    if out.json:
        out.document({"ok": healthy, "host": await context.engine.host_summary(), "checks": checks})
        return 0 if healthy else 1
    style = out.out
    width = max((cells(check.name) for check in checks), default=0)
    for check in checks:
        mark, colour = _MARKS[check.ok]
        told = "  ".join(printable(part) for part in (check.value, check.detail) if part)
        out.line(f"{style.paint(mark, colour)} {padded(check.name, width)}  {told}".rstrip())
        if check.hint and check.ok is not True:
            out.line(style.paint(f"  {' ' * width}  {printable(check.hint)}", "dim"))
    out.line()
    bad = sum(check.ok is False for check in checks)
    if healthy:
        out.line(f"This host can run VMs: {await context.engine.host_summary()}.")
    else:
        out.line(f"{bad} essential check{'' if bad == 1 else 's'} failed.")
    return 0 if healthy else 1
