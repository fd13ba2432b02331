"""Requests to registries: over which protocol, and with which authorization."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.hosts import is_loopback
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.refusals import refusal
from banger_tui.engine.oci.retries import Attempts, Fault, Patience
from banger_tui.engine.oci.tokens import Tokens
from banger_tui.engine.oci.wire import Answer, Wire
from banger_tui.engine.progress import Stage

_TLS_WANTED = (b"https", b"ssl", b"tls")  # what servers say to http on a port for https


class Session:
    """Open inside ``async with``.

    https always, but: on loopback http first; and with ``insecure``, where no certificate is looked
    at, http where there is no https.
    """

    def __init__(self, credentials: Credentials, patience: Patience, *, insecure: bool) -> None:
        self.wire = Wire(patience, insecure=insecure)
        self._credentials = credentials
        self._tokens = Tokens(self.wire, credentials)
        self._bases: dict[str, str] = {}
        self._finding = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.wire.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.wire.__aexit__(*error)

    def attempts(self, what: str, reference: Reference, stage: Stage | None) -> Attempts:
        return Attempts(self.wire.patience, what, reference.registry, stage)

    @asynccontextmanager
    async def open(
        self,
        reference: Reference,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        what: str = "",
        statuses: frozenset[int] = frozenset({200}),
    ) -> AsyncIterator[Answer]:
        """One try at ``/v2/REPOSITORY/path``, logged in where that is asked for.

        Args:
            what: for people; "" is the reference.
            statuses: that are an answer; all others are errors.

        Raises:
            Fault: another try may help.
            RegistryDenied, RegistryNotFound, RegistryUnreachable
        """
        what = what or reference.familiar
        url = f"{await self._base(reference)}/v2/{reference.repository}/{path}"
        authorization = self._tokens.current(reference)
        # twice: a kept token may have expired, and so may what a busy server gives for it
        for last in (False, False, True):
            async with self.wire.open(url, headers=headers, authorization=authorization) as answer:
                if answer.status != 401 or answer.redirected:
                    if answer.status not in statuses:
                        await self._refuse(answer, reference, what)
                    yield answer
                    return
                challenges = answer.challenges()
                if last or not challenges:
                    remark = self._credentials.remark(reference.registry)
                    raise await refusal(answer, what, reference.registry, remark)
            authorization = await self._tokens.renew(reference, challenges, authorization)

    async def _refuse(self, answer: Answer, reference: Reference, what: str) -> None:
        """Raise what this answer means."""
        if fault := answer.fault():
            raise fault
        if answer.redirected:  # an address that was good for a while; the registry gives another
            raise Fault(f"{answer.host} answers {answer.status}")
        remark = self._credentials.remark(reference.registry)
        raise await refusal(answer, what, reference.registry, remark)

    async def _base(self, reference: Reference) -> str:
        """Where the registry is: "https://ghcr.io"."""
        host = reference.host
        if not self.wire.insecure and not is_loopback(host):
            return f"https://{host}"
        async with self._finding:
            if host not in self._bases:
                self._bases[host] = await self._find(reference)
        return self._bases[host]

    async def _find(self, reference: Reference) -> str:
        host = reference.host
        schemes = ("https", "http") if self.wire.insecure else ("http", "https")
        attempts = self.attempts("an answer", reference, None)
        while True:
            first: Fault | None = None
            for scheme in schemes:
                try:
                    if await self._speaks(f"{scheme}://{host}"):
                        return f"{scheme}://{host}"
                except Fault as fault:
                    first = first or fault
            await attempts.failed(first or Fault("it speaks neither http nor https"))

    async def _speaks(self, base: str) -> bool:
        async with self.wire.open(f"{base}/v2/", redirects=0) as answer:
            if answer.status != 400 or base.startswith("https"):
                return True
            said = (await answer.body(4096)).lower()
            return not any(word in said for word in _TLS_WANTED)
