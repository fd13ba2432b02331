"""What a bundle says about itself: ``manifest.json``.

::

    {
      "version": 1,
      "name": "debian-bookworm",
      "rootfs": {"content_digest": "sha256:…", "size_bytes": 8589934592},
      "init": "/sbin/init",
      "kernel": "debian-bookworm-cloud",
      "config": {"Env": ["A=b"], "User": "app", …},
      "annotations": {},
      "platform": "linux/amd64",
      "source": "catalog: debian-bookworm",
      "provenance": "",
      "files": {"kernel/vmlinuz": {"sha256": "…", "size": 14186432}, …}
    }

``rootfs.content_digest`` is ``ext4.inspect.content_digest`` of the filesystem as it is restored:
equal exactly when every byte is, without hashing gigabytes of holes. ``files`` has all that follows
the filesystem.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from banger_tui.engine.catalog.fields import Fields, document, shown
from banger_tui.engine.errors import BadContent, LimitExceeded
from banger_tui.engine.limits import Limits

VERSION = 1
MANIFEST = "manifest.json"
ROOTFS = "rootfs.ext4"
MAX_DISK = 16 << 40
"""The largest file that ext4 itself can hold, in bytes."""
_KERNEL_FILE = re.compile(
    r"kernel/(vmlinuz|vmlinux|initrd\.img|manifest\.json|modules/[A-Za-z0-9][A-Za-z0-9_+-]{0,99}\.ko)"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")
_MAX_FILES = 4096
_CONFIG_LISTS = ("Env", "Entrypoint", "Cmd")
_CONFIG_TEXTS = ("WorkingDir", "User")


@dataclass(frozen=True, slots=True)
class FileSum:
    """SHA-256 of a file in hex, and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """See the module. ``digest`` and ``size_bytes`` are the root filesystem's; the rest is as in
    ``model.ImageRecord``."""

    name: str
    digest: str = ""
    size_bytes: int = 0
    init: str = ""
    kernel: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    platform: str = ""
    source: str = ""
    provenance: str = ""
    files: Mapping[str, FileSum] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As JSON."""
        content = {
            "version": VERSION,
            "name": self.name,
            "rootfs": {"content_digest": self.digest, "size_bytes": self.size_bytes},
            "init": self.init,
            "kernel": self.kernel,
            "config": self.config,
            "annotations": self.annotations,
            "platform": self.platform,
            "source": self.source,
            "provenance": self.provenance,
            "files": {name: asdict(sums) for name, sums in self.files.items()},
        }
        return json.dumps(content, indent=2).encode() + b"\n"


def is_kernel_file(name: str) -> bool:
    """Whether a bundle may have a file of this name behind its filesystem."""
    return _KERNEL_FILE.fullmatch(name) is not None


def decode(data: bytes, limits: Limits) -> Manifest:
    """Read a manifest strictly: nothing is missing, nothing unknown, every value of its kind.

    Raises:
        BadContent: names the field.
        LimitExceeded
    """
    fields = Fields(document(data, MANIFEST, BadContent), MANIFEST, "manifest", BadContent)
    if fields.value("version") != VERSION or fields.value("version") is True:
        raise fields.wrong("version", f"this program reads version {VERSION}; a newer one may do")
    rootfs = fields.object("rootfs")
    digest = rootfs.text("content_digest")
    if not _DIGEST.fullmatch(digest):
        raise rootfs.wrong("content_digest", "must be sha256: and 64 hex digits")
    size = rootfs.number("size_bytes", 1, MAX_DISK)
    rootfs.done()
    platform = fields.text("platform", "")
    if platform and not _PLATFORM.fullmatch(platform):
        raise fields.wrong("platform", "must be like linux/amd64")
    found = Manifest(
        name=fields.text("name"),
        digest=digest,
        size_bytes=size,
        init=fields.path("init", ""),
        kernel=fields.text("kernel", ""),
        config=_config(fields.object("config"), fields.value("config")),
        annotations=_annotations(fields),
        platform=platform,
        source=fields.text("source", ""),
        provenance=fields.text("provenance", ""),
        files=_files(fields, limits),
    )
    fields.done()
    return found


def _files(fields: Fields, limits: Limits) -> dict[str, FileSum]:
    content = fields.value("files")
    if not isinstance(content, dict) or len(content) > _MAX_FILES:
        raise fields.wrong("files", f"must be an object with at most {_MAX_FILES} files")
    every = fields.object("files")
    found: dict[str, FileSum] = {}
    for name in content:
        if not is_kernel_file(name):
            raise every.wrong(name, "is no file of a bundle")
        sums = every.object(name)
        found[name] = FileSum(sums.sha256("sha256"), sums.number("size", 0, MAX_DISK))
        sums.done()
    if sum(sums.size for sums in found.values()) > limits.max_rootfs_bytes:
        raise LimitExceeded(
            "The kernel in the bundle is too large",
            f"The limit max_rootfs_bytes is {limits.max_rootfs_bytes}.",
            "If you trust it, raise max_rootfs_bytes in [limits] of config.toml.",
        )
    return found


def _config(fields: Fields, content: dict[str, Any]) -> dict[str, Any]:
    """OCI's names and types (image-spec, config.md), as far as a guest honours them."""
    checks: dict[str, Callable[[object], bool]] = {
        **dict.fromkeys(_CONFIG_TEXTS, _is_text),
        **dict.fromkeys(_CONFIG_LISTS, _is_list),
        "Labels": _is_mapping,
        "ExposedPorts": _is_set,
    }
    for key in content:
        if key not in checks:
            raise fields.wrong(key, "is no known field")
        if not checks[key](fields.value(key)):
            raise fields.wrong(key, f"is of the wrong kind: {shown(repr(content[key]))}")
    return content


def _annotations(fields: Fields) -> dict[str, str]:
    found: dict[str, str] = fields.value("annotations") if fields.has("annotations") else {}
    if not _is_mapping(found):
        raise fields.wrong("annotations", "must be an object of texts")
    return found


def _is_text(value: object) -> bool:
    """No NUL, which no environment can hold, and none of the halves of characters JSON can say."""
    return isinstance(value, str) and "\0" not in value and not any(
        "\ud800" <= c <= "\udfff" for c in value
    )  # fmt: skip


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict) and _is_list([*value, *value.values()])


def _is_set(value: object) -> bool:
    """As Go's JSON has one: names of empty objects."""
    return isinstance(value, dict) and _is_list([*value]) and all(x == {} for x in value.values())
