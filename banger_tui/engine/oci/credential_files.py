"""Where docker and podman keep credentials: docker's config.json, podman's auth.json.

Sources: https://docs.docker.com/reference/cli/docker/login, containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from banger_tui.engine.errors import BadContent, InvalidInput
from banger_tui.engine.oci import strict_json
from banger_tui.engine.oci.hosts import DOCKER_HUB, DOCKER_HUB_KEY

_MOST_BYTES = 1 << 20
_HUB_NAMES = {"docker.io", "index.docker.io", "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and a password, or an identity token, which is exchanged for tokens."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617)."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


@dataclass(frozen=True, slots=True)
class CredentialFile:
    """``auths`` by "host" or "host/path"; ``helpers`` by host: docker-credential-NAME; ``store``:
    the helper for every other host."""

    path: Path
    auths: Mapping[str, Credential] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""


def candidates(env: Mapping[str, str]) -> Iterator[Path]:
    """The files that may hold credentials, in the order in which they count."""
    home = Path(env.get("HOME") or "~").expanduser()
    yield Path(env.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    if given := env.get("REGISTRY_AUTH_FILE"):
        yield Path(given)
        return
    if runtime := env.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers/auth.json"
    yield Path(env.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json"


def read(path: Path) -> CredentialFile | None:
    """One of them; None if it isn't there. Blocking.

    Raises:
        InvalidInput: it can't be read or understood.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if len(data) > _MOST_BYTES:
        raise _unreadable(path, f"It has more than {_MOST_BYTES:,} bytes.")
    try:
        return _parse(path, strict_json.load(data, str(path)) if data.strip() else {})
    except BadContent as error:
        raise _unreadable(path, error.detail) from None


def keys(registry: str, repository: str) -> Iterator[str]:
    """Under which names a file may have what is for a repository, the most special first."""
    path = repository
    while path:
        yield f"{registry}/{path}"
        path = path.rpartition("/")[0]
    yield registry


def server_url(registry: str) -> str:
    """What a credential helper is asked for."""
    return DOCKER_HUB_KEY if registry == DOCKER_HUB else registry


def _parse(path: Path, raw: dict[str, Any]) -> CredentialFile:
    document = strict_json.Fields(raw, str(path))
    auths: dict[str, Credential] = {}
    if document.has("auths"):
        entries = document.inner("auths")
        for name in document.keys("auths"):
            if found := _credential(entries.inner(name) if entries.has(name) else None):
                auths.setdefault(_key(name), found)
    helpers = {_key(name): helper for name, helper in document.text_map("credHelpers").items()}
    return CredentialFile(path, auths, helpers, document.text("credsStore", ""))


def _credential(entry: strict_json.Fields | None) -> Credential | None:
    """None of an entry that is empty: its secret is in a helper."""
    if entry is None:
        return None
    username, password = entry.text("username", ""), entry.text("password", "")
    if coded := entry.text("auth", ""):
        try:
            plain = base64.b64decode(coded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise entry.bad("auth is no base64 of NAME:PASSWORD.") from None
        username, colon, password = plain.partition(":")
        if not colon:
            raise entry.bad("auth is no base64 of NAME:PASSWORD.")
        password = password.strip("\0")  # docker pads it so
    token = entry.text("identitytoken", "")
    return Credential(username, password, token) if username or token else None


def _key(name: str) -> str:
    """ "host[/path]" of a key, which older files have as a URL of the registry's API."""
    bare = name.partition("://")[2] or name
    bare = bare.rstrip("/").removesuffix("/v1").removesuffix("/v2")
    return DOCKER_HUB if bare in _HUB_NAMES else bare


def _unreadable(path: Path, why: str) -> InvalidInput:
    return InvalidInput(
        f"Can't read the credentials in {path}", why, "Mend the file, or move it out of the way."
    )
