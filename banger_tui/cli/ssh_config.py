"""``ssh-config``: the file for ssh's ``Include``, and the line that includes it."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from banger_tui.cli.confirm import confirmed
from banger_tui.cli.context import Context
from banger_tui.engine.errors import BangerError, InvalidInput
from banger_tui.engine.sessions.ssh_config import SUFFIX, hosts, quoted, replace

_MARK = "# banger-tui: ssh NAME.vm (taken away by: banger-tui ssh-config --remove)"


async def ssh_config(context: Context) -> int:
    args, out = context.args, context.out
    written = await context.engine.vms.ssh_config()
    yours = _expanded(args.file)
    if args.install or args.remove:
        if not await _change(context, yours, written):
            return 1
    elif args.print and not out.json:
        out.lines((await asyncio.to_thread(written.read_text)).splitlines())
        return 0
    if out.json:
        names = [f"{vm.name}{SUFFIX}" for vm in hosts(await context.engine.vms.list())]
        text = await asyncio.to_thread(_read, yours)
        installed = text != without_include(text, written)
        out.document({"file": str(written), "installed": installed, "hosts": names})
    elif not (args.install or args.remove):
        out.line(str(written))
        if out.err.live:
            note = f"Include it from {yours}: banger-tui ssh-config --install"
            out.note(out.err.paint(note, "dim"))
    return 0


def _expanded(file: str) -> Path:
    return Path(file).expanduser().absolute()


async def _change(context: Context, yours: Path, written: Path) -> bool:
    """Add the line that includes our file, or take it away; False when the person says no."""
    before = await asyncio.to_thread(_read, yours)
    after = without_include(before, written)
    done = f"{yours} does not include {written}."
    if context.args.install:
        after = with_include(before, written)
        done = f"{yours} includes {written}: ssh NAME{SUFFIX}"
    if after != before:
        verb = "Add a line to" if context.args.install else "Take our line out of"
        consequence = "Nothing else in it changes."
        if not await confirmed(context, f"{verb} {yours}?", consequence, refused="changed"):
            return False
        await asyncio.to_thread(_write, yours, after)
    context.out.note(done)
    return True


def with_include(text: str, file: Path) -> str:
    """The configuration with our line at its top, where no Host or Match is in force; as it is when
    the line is there already.

    Raises:
        InvalidInput: ssh takes such a path for a pattern.
    """
    if without_include(text, file) != text:
        return text
    if set(str(file)) & set("*?[]{}~"):
        raise InvalidInput(
            "ssh would take this path for a pattern",
            str(file),
            "Set BANGER_HOME=DIR to a directory without *, ?, [, { and ~ in its name.",
        )
    return f"{_lines(file)}\n{text}"


def without_include(text: str, file: Path) -> str:
    """The configuration without our line; nothing else is touched."""
    lines = _lines(file)
    for ours in (f"{lines}\n", lines):
        if text.startswith(ours):
            return text[len(ours) :]
        if f"\n{ours}" in text:
            return text.replace(f"\n{ours}", "\n", 1)
    return text


def _lines(file: Path) -> str:
    # No tokens are expanded in an Include, so that a percent sign stands for itself.
    return f"{_MARK}\nInclude {quoted(file).replace('%%', '%')}\n"


def _read(yours: Path) -> str:
    try:
        return yours.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BangerError(f"Can't read {yours}", error.strerror or str(error), "") from error


def _write(yours: Path, text: str) -> None:
    """Blocking. A link is followed: dotfiles often lie elsewhere."""
    real = yours.resolve()
    try:
        real.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o600
        replace(real, text, mode)
    except OSError as error:
        raise BangerError(f"Can't write {yours}", error.strerror or str(error), "") from error
