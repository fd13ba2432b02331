"""What several cases begin with."""

from __future__ import annotations

from tests.layer_cases.case import DIRECTORY, Entry, link_to
from tests.layer_cases.tar import directory, layer, symlink

ONE = Entry(data=b"1")

TWO = Entry(data=b"2")

USR = layer(directory(b"usr/"), directory(b"usr/lib/"), symlink(b"lib", b"usr/lib"))

USR_TREE = {b"usr": DIRECTORY, b"usr/lib": DIRECTORY, b"lib": link_to(b"usr/lib")}
