"""Keep guests from switching between 80 and 132 columns: the panel decides on its width.

Each switch would also reflow the whole scrollback, ten milliseconds that a guest could ask for
thousands of times in a few kilobytes.
"""

from __future__ import annotations

import re

# Setting, resetting, saving and restoring private modes, with the controls a parser skips inside.
_SKIPPED = rb"\x00-\x17\x19\x1c-\x1f\x7f"
_PRIVATE_MODES = re.compile(
    rb"\x1b[%b]*\[[%b]*\?([0-9;:%b]*)([hlrs])" % (_SKIPPED, _SKIPPED, _SKIPPED)
)
# What nearly all output has none of: a switch written plainly, or a control within any sequence.
_PLAIN_SWITCH = re.compile(rb"\[\?(?:[0-9]*;)*0*(?:3|40)[;hlrs]")
_CONTROL_INSIDE = re.compile(rb"\x1b(?:\[[\x20-\x3f]*)?[%b]" % _SKIPPED)
_CONTROLS = bytes((*range(32), 127))
_COLUMN_MODES = (3, 40)
"""DECCOLM, and the permission for it."""


def without_column_modes(data: bytes) -> bytes:
    """`data` without the sequences that would switch columns; those cut by its ends remain."""
    if b"?" not in data or not (_PLAIN_SWITCH.search(data) or _CONTROL_INSIDE.search(data)):
        return data
    return _PRIVATE_MODES.sub(_filtered, data)


def _filtered(sequence: re.Match[bytes]) -> bytes:
    modes = sequence[1].translate(None, _CONTROLS).split(b";")
    kept = [mode for mode in modes if not mode.isdigit() or int(mode[-9:]) not in _COLUMN_MODES]
    if len(kept) == len(modes):
        return sequence[0]
    return b"\x1b[?" + b";".join(kept) + sequence[2] if kept else b""
