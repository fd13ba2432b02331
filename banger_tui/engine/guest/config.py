"""An image's config (OCI image-spec, config.md), and the files by which the guest's scripts know
it.

::

    .banger/image/settings      directory=, user=: WorkingDir and User, quoted for a shell
    .banger/image/env           export lines, quoted for a shell
    .banger/image/env-odd       how to start a program when a name in Env is none a shell can export
    .banger/image/entrypoint    puts Entrypoint before a script's arguments
    .banger/image/cmd           makes Cmd a script's arguments

Who User is, by name or number, is found out when something is run: accounts may have changed by
then. An image without such a config has no such files, and its commands run as root, as by ssh.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from banger_tui.engine.errors import BadContent, LimitExceeded
from banger_tui.engine.kernels.cpio import Entry, directory, file
from banger_tui.engine.layers.names import NAME_MAX
from banger_tui.engine.limits import Limits

_TITLE = "The image's config can't be honoured"
_PLACE = ".banger/image"
_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BUSYBOX = "/.banger/bin/busybox"


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image's programs want. ``directory``: absolute, without ``..``; "" where the image
    names none. ``user``: USER or USER:GROUP, each a name or a number; "" is root."""

    env: tuple[tuple[str, str], ...] = ()
    directory: str = ""
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


def parse(config: Mapping[str, Any], limits: Limits) -> ImageConfig:
    """Of a repeated name in Env the last counts; entries of it without ``=`` say nothing.

    Raises:
        BadContent: a value of another type than it should have, or one that Linux can't have.
        LimitExceeded: ``max_path_bytes`` of WorkingDir.
    """
    pairs = dict(item.split("=", 1) for item in _texts(config, "Env") if "=" in item[1:])
    return ImageConfig(
        tuple(pairs.items()),
        _directory(_text(config, "WorkingDir"), limits),
        _text(config, "User").strip(),
        _texts(config, "Entrypoint"),
        _texts(config, "Cmd"),
    )


def files(config: ImageConfig) -> list[Entry]:
    """What the guest's scripts read; nothing for an empty config."""
    plain = [(k, v) for k, v in config.env if _SHELL_NAME.fullmatch(k)]
    odd = [f"{k}={v}" for k, v in config.env if not _SHELL_NAME.fullmatch(k)]
    settings = (("directory", config.directory), ("user", config.user))
    texts = {
        "settings": "".join(f"{k}={shlex.quote(v)}\n" for k, v in settings if v),
        "env": "".join(f"export {k}={shlex.quote(v)}\n" for k, v in plain),
        "env-odd": f'exec {_BUSYBOX} env {shlex.join(odd)} "$@"\n' if odd else "",
        "entrypoint": f'set -- {shlex.join(config.entrypoint)} "$@"\n' if config.entrypoint else "",
        "cmd": f"set -- {shlex.join(config.cmd)}\n" if config.cmd else "",
    }
    if not any(texts.values()):
        return []
    return [
        directory(_PLACE),
        *(
            file(f"{_PLACE}/{name}", text.encode("utf-8", "replace"))
            for name, text in texts.items()
            if text
        ),
    ]


def _directory(path: str, limits: Limits) -> str:
    size = len(path.encode("utf-8", "replace"))
    if size > limits.max_path_bytes:
        raise LimitExceeded(
            _TITLE,
            f"Its WorkingDir has {size:,} bytes; limits.max_path_bytes is "
            f"{limits.max_path_bytes:,}",
            "If you trust the image, raise max_path_bytes under [limits] in config.toml.",
        )
    if any(len(part.encode("utf-8", "replace")) > NAME_MAX for part in path.split("/")):
        raise _bad("WorkingDir", f"has a part longer than {NAME_MAX} bytes")
    return posixpath.normpath(f"/{path.lstrip('/')}") if path else ""


def _text(config: Mapping[str, Any], key: str) -> str:
    return _sound(config.get(key) or "", key)


def _texts(config: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = config.get(key) or []
    if not isinstance(values, list | tuple):
        raise _bad(key, "is no list")
    return tuple(_sound(value, key) for value in values)


def _sound(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise _bad(key, "holds something that is no text")
    if "\0" in value:
        raise _bad(key, "holds a NUL character")
    return value


def _bad(key: str, why: str) -> BadContent:
    return BadContent(_TITLE, f"Its {key} {why}.")
