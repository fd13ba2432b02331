"""Credentials for registries, from where docker and podman put them.

A helper that is named for a host must be there; the store for all hosts need not: a configuration
that was copied from another machine often names one, and most images are public. Secrets are in no
repr, no error and no log.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from typing import Self

from banger_tui.engine.errors import BadContent, MissingTool, ToolFailed
from banger_tui.engine.oci import strict_json
from banger_tui.engine.oci.credential_files import (
    Credential,
    CredentialFile,
    candidates,
    keys,
    read,
    server_url,
)
from banger_tui.engine.process import run_tool

_HELPER_SECONDS = 30.0
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# what docker-credential-helpers print instead of a credential
_NOT_FOUND = "credentials not found"
_IDENTITY = "<token>"


class Credentials:
    """What is known for which registry; looked up once each.

    Args:
        env: the environment that says where the files are; None: no credentials at all.
    """

    def __init__(
        self, env: Mapping[str, str] | None = None, *, helper_seconds: float = _HELPER_SECONDS
    ) -> None:
        self._env = env
        self._helper_seconds = helper_seconds
        self._files: tuple[CredentialFile, ...] | None = None
        self._from_helpers: dict[tuple[str, str], Credential | None] = {}
        self._missing: dict[str, str] = {}
        self._lock = asyncio.Lock()

    @classmethod
    def from_environment(cls) -> Self:
        """Those of the person who runs this process."""
        return cls(dict(os.environ))

    async def get(self, registry: str, repository: str = "") -> Credential | None:
        """The credential for a repository; None: be anonymous.

        Args:
            registry: as a reference has it ("docker.io", "localhost:5000").

        Raises:
            InvalidInput: a file can't be read.
            MissingTool, ToolFailed: the helper that a file names for this registry.
        """
        async with self._lock:
            if self._files is None:
                self._files = await asyncio.to_thread(_read_all, self._env)
            for file in self._files:
                if found := await self._in_file(file, registry, repository):
                    return found
        return None

    def remark(self, registry: str) -> str:
        """What a person should know when a registry denies access; may be empty."""
        return self._missing.get(registry, "")

    async def _in_file(
        self, file: CredentialFile, registry: str, repository: str
    ) -> Credential | None:
        if helper := file.helpers.get(registry):
            return await self._ask(helper, registry)
        if file.store:
            try:
                if found := await self._ask(file.store, registry):
                    return found
            except MissingTool as error:
                self._missing[registry] = f"{file.path} names a store: {error.title}."
        return next(
            (file.auths[key] for key in keys(registry, repository) if key in file.auths), None
        )

    async def _ask(self, helper: str, registry: str) -> Credential | None:
        if (helper, registry) not in self._from_helpers:
            self._from_helpers[helper, registry] = await self._run(helper, registry)
        return self._from_helpers[helper, registry]

    async def _run(self, helper: str, registry: str) -> Credential | None:
        name = f"docker-credential-{helper}"
        title = f"{name} gives no credentials for {registry}"
        if not _HELPER.fullmatch(helper):
            raise ToolFailed(title, f"{helper[:40]!r} is no name of a program.")
        try:
            async with asyncio.timeout(self._helper_seconds):
                result = await run_tool(
                    [name, "get"], stdin=server_url(registry).encode(), capture=True, check=False
                )
        except TimeoutError:
            raise ToolFailed(
                title,
                f"It did not answer within {self._helper_seconds:.0f} s.",
                "Perhaps it waits for a password: unlock its store, then try again.",
            ) from None
        except MissingTool:
            raise MissingTool(
                f"{name} is not installed",
                f"Your docker configuration says that it has the credentials for {registry}.",
                "Install it, or take it out of credHelpers and credsStore in docker's config.json.",
            ) from None
        if result.code:
            if _NOT_FOUND in result.output:
                return None
            raise ToolFailed(
                title,
                f"It ended with code {result.code}.",
                f"See what it says: echo {server_url(registry)} | {name} get",
                code=result.code,
            )
        try:
            answer = strict_json.Fields(
                strict_json.load(result.output.encode(), f"The answer of {name}"),
                f"The answer of {name}",
            )
            username, secret = answer.text("Username", ""), answer.text("Secret", "")
        except BadContent:
            # what it printed may be a secret: no word of it
            raise ToolFailed(title, "Its answer is no JSON with Username and Secret.") from None
        if username == _IDENTITY:
            return Credential(identity_token=secret)
        return Credential(username, secret) if username or secret else None


def _read_all(env: Mapping[str, str] | None) -> tuple[CredentialFile, ...]:
    found = (read(path) for path in candidates(env)) if env is not None else ()
    return tuple(file for file in found if file is not None)
