"""Authorization for registries: Basic, and bearer tokens from the server a registry names.

A token is kept for one repository of one registry until it expires, or until the registry stops
taking it: then one of all who are refused fetches the next. Credentials go to the registry they are
for and to the token server that it names, nowhere else. Source: distribution specification, token
authentication (https://distribution.github.io/distribution/spec/auth/token/, …/oauth/).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from banger_tui.engine.errors import BadContent, BangerError, InvalidInput, RegistryUnreachable
from banger_tui.engine.oci import challenge, strict_json
from banger_tui.engine.oci.challenge import Challenge
from banger_tui.engine.oci.credential_files import Credential
from banger_tui.engine.oci.credentials import Credentials
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.refusals import denied, printable, refusal
from banger_tui.engine.oci.retries import Attempts, Fault
from banger_tui.engine.oci.wire import Answer, Wire

_MOST_BYTES = 1 << 20
_CLIENT = "banger-tui"
_DEFAULT_SECONDS = 60  # "expires_in", if the server doesn't say
_LONGEST_SECONDS = 86400
_EARLY = 5.0  # seconds: one that expires on its way is of no use


@dataclass(frozen=True, slots=True)
class _Kept:
    header: str
    until: float  # loop time; inf: for good

    def __repr__(self) -> str:
        return "<authorization>"


class Tokens:
    """The Authorization headers of one pull."""

    def __init__(self, wire: Wire, credentials: Credentials) -> None:
        self._wire = wire
        self._credentials = credentials
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def current(self, reference: Reference) -> str:
        """The header for a repository; "" when none is known that is still good."""
        kept = self._kept.get(reference.name)
        if kept is None or kept.until < asyncio.get_running_loop().time():
            return ""
        return kept.header

    async def renew(self, reference: Reference, challenges: Sequence[str], refused: str) -> str:
        """The header to try next.

        Args:
            challenges: WWW-Authenticate headers of the answer 401.
            refused: the header that got it.

        Raises:
            RegistryDenied: there is nothing else to try.
            RegistryUnreachable: the token server can't be reached.
            BadContent: it answers nonsense.
        """
        lock = self._locks.setdefault(reference.name, asyncio.Lock())
        async with lock:
            if (current := self.current(reference)) and current != refused:
                return current  # another was faster
            self._kept[reference.name] = kept = await self._new(
                reference, challenge.parse(challenges), refused
            )
            return kept.header

    async def _new(self, reference: Reference, offered: list[Challenge], refused: str) -> _Kept:
        registry, what = reference.registry, reference.familiar
        credential = await self._credentials.get(registry, reference.repository)
        remark = self._credentials.remark(registry)
        for one in offered:
            if one.scheme == "bearer" and one.parameters.get("realm"):
                return await self._fetch(reference, one, credential)
        if any(one.scheme == "basic" for one in offered):
            if credential is None or not credential.username:
                raise denied(what, registry, "It asks for a name and a password.", remark)
            if credential.basic == refused:
                raise denied(what, registry, "It does not take the credentials.", remark)
            return _Kept(credential.basic, float("inf"))
        raise denied(what, registry, "It does not say how to log in.", remark)

    async def _fetch(
        self, reference: Reference, offer: Challenge, credential: Credential | None
    ) -> _Kept:
        realm = offer.parameters["realm"]
        try:
            host = urlsplit(realm).netloc
            attempts = Attempts(self._wire.patience, f"a token for {reference.familiar}", host)
            while True:
                try:
                    return await self._ask(reference, realm, offer, credential)
                except Fault as fault:
                    await attempts.failed(fault)
        except (InvalidInput, ValueError):
            raise BadContent(
                f"{reference.registry} sends us nowhere for a token",
                f"It names {printable(realm)!r}.",
            ) from None

    async def _ask(
        self, reference: Reference, realm: str, offer: Challenge, credential: Credential | None
    ) -> _Kept:
        fields = {
            "service": offer.parameters.get("service", ""),
            "scope": offer.parameters.get("scope") or f"repository:{reference.repository}:pull",
        }
        authorization, form = "", None
        if credential is not None and credential.identity_token:
            form = {
                **fields,
                "grant_type": "refresh_token",
                "client_id": _CLIENT,
                "refresh_token": credential.identity_token,
            }
            url = realm
        else:
            if credential is not None:
                authorization = credential.basic
            query = urlencode({name: value for name, value in fields.items() if value})
            url = f"{realm}{'&' if urlsplit(realm).query else '?'}{query}"
        asked = asyncio.get_running_loop().time()
        async with self._wire.open(
            url, method="POST" if form else "GET", authorization=authorization, form=form,
            redirects=0,
        ) as answer:  # fmt: skip
            if fault := answer.fault():
                raise fault
            if answer.status != 200:
                raise await self._refusal(answer, reference)
            return _token(await answer.body(_MOST_BYTES), answer.host, asked)

    async def _refusal(self, answer: Answer, reference: Reference) -> BangerError:
        """The error for a token server that gives none."""
        registry, what = reference.registry, reference.familiar
        match answer.status:
            case 401 | 403:
                return await refusal(answer, what, registry, self._credentials.remark(registry))
            case 400:  # to an identity token that has ended, or a scope it doesn't like
                return denied(what, registry, f"{answer.host} gives no token for it (400).")
        return RegistryUnreachable(
            f"Can't get a token for {what}", f"{answer.host} answers {answer.status}."
        )


def _token(body: bytes, host: str, asked: float) -> _Kept:
    what = f"The token of {host}"
    if len(body) > _MOST_BYTES:
        raise BadContent(f"{what} is broken", f"It has over {_MOST_BYTES:,} bytes.")
    document = strict_json.Fields(strict_json.load(body, what), what)
    token = document.text("token", "") or document.text("access_token", "")
    # what goes into a header must not be able to end it
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise document.bad("There is no token in it.")
    seconds = document.number("expires_in") if document.has("expires_in") else _DEFAULT_SECONDS
    seconds = min(seconds or _DEFAULT_SECONDS, _LONGEST_SECONDS)
    return _Kept(f"Bearer {token}", asked + max(seconds - _EARLY, 0.0))
