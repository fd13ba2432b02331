"""How much of a hostile or broken image is read before it is refused.

A person sets them below ``[limits]`` in config.toml.
"""

from __future__ import annotations

from dataclasses import dataclass

from banger_tui.engine.model import GIB, MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Each is the most that is accepted; bytes unless the name says otherwise."""

    max_rootfs_bytes: int = 64 * GIB
    """Content of all files of an image, and what its layers may inflate to together."""
    max_entries: int = 2_000_000
    """Files, directories and links of all layers together."""
    max_layers: int = 512
    max_path_bytes: int = 4096
    """Of one name as the archive has it, and of a link's target (Linux: PATH_MAX)."""
    max_xattr_bytes: int = 64 << 10
    """All extended attributes of one file (Linux: XATTR_SIZE_MAX for one)."""
    max_manifest_bytes: int = 4 * MIB
    """An index, a manifest or an image config."""
    max_blob_bytes: int = 64 * GIB
    """One layer or bundle as it comes over the network."""
