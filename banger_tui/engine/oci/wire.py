"""HTTP with deadlines: what every download and every question to a registry goes through.

One client for manifests, tokens and blobs: one set of deadlines, one place where it is decided what
goes to which host. Redirects are followed here and not by the client, as an Authorization header
goes to the very origin it was made for and nowhere else. Bodies are taken as they come: identity
encoding, no cookies.

httpx and its like are imported on first use: a start of the app has no 150 ms for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import urlsplit

from banger_tui import __version__
from banger_tui.engine.errors import InvalidInput, RegistryUnreachable
from banger_tui.engine.oci.hosts import is_loopback
from banger_tui.engine.oci.retries import Fault, Patience, retry_after

if TYPE_CHECKING:
    import httpx

_REDIRECTS = 5
_MOVED = frozenset({301, 302, 303, 307, 308})
# statuses that may be gone on the next try, besides 500 and more
_PASSING = frozenset({408, 425, 429})
_LASTING = frozenset({501, 505, 511})
_LOOPBACK = ("all://localhost", "all://127.0.0.1", "all://[::1]")


class Answer:
    """An answer whose body is still to come. ``headers`` by any case; ``redirected``: it comes from
    another origin than was asked."""

    def __init__(self, response: httpx.Response, patience: Patience, redirected: bool) -> None:
        self._response = response
        self._patience = patience
        self.redirected = redirected
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.host = response.url.netloc.decode("ascii", "replace")

    def challenges(self) -> list[str]:
        """Every WWW-Authenticate header."""
        return self._response.headers.get_list("www-authenticate")

    def fault(self) -> Fault | None:
        """The answer as a fault, if it is one that may pass."""
        if self.status not in _PASSING and (self.status < 500 or self.status in _LASTING):
            return None
        reason = f"{self.host} answers {self.status}"
        hint = ""
        if self.status == 429:
            reason += " (too many requests)"
            hint = "Wait a while. Registries allow more to who has logged in: docker login"
        return Fault(reason, wait=retry_after(self.headers.get("retry-after", "")), hint=hint)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes.

        Raises:
            Fault: it breaks off, or comes to a halt.
        """
        loop = asyncio.get_running_loop()
        since, arrived = loop.time(), 0
        with _faults(self._patience):
            body = cast("AsyncGenerator[bytes, None]", self._response.aiter_raw())
            async with aclosing(body) as raw:
                async for chunk in raw:
                    yield chunk
                    arrived += len(chunk)
                    if (now := loop.time()) - since > self._patience.stall:
                        if arrived < self._patience.floor:
                            raise Fault(f"only {arrived} bytes in {now - since:.0f} s")
                        since, arrived = now, 0

    async def body(self, most: int) -> bytes:
        """The whole body; of one that is longer than ``most`` the first ``most + 1`` bytes."""
        found = bytearray()
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                found += chunk
                if len(found) > most:
                    break
        return bytes(found[: most + 1])


class Wire:
    """One HTTP client, open inside ``async with``.

    Args:
        insecure: plain http is fine with every host, and no certificate is looked at. Otherwise
            http is for loopback alone.
    """

    def __init__(self, patience: Patience | None = None, *, insecure: bool = False) -> None:
        self.patience = patience or Patience()
        self.insecure = insecure
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        # in a thread: the import and the system's certificates take their time
        self._client = await asyncio.to_thread(_client, self.patience, self.insecure)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._client is not None
        await self._client.aclose()

    @asynccontextmanager
    async def open(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        authorization: str = "",
        form: Mapping[str, str] | None = None,
        redirects: int = _REDIRECTS,
    ) -> AsyncIterator[Answer]:
        """One try at a request; whatever is answered is yielded, redirects having been followed.

        Args:
            authorization: value of that header; it goes to the origin of ``url`` alone.
            form: fields of a POST.

        Raises:
            Fault: no answer.
            RegistryUnreachable: there is no use in another try.
            InvalidInput: this is no URL.
        """
        assert self._client is not None
        first = place = self._parsed(url)
        for _ in range(redirects + 1):
            self._check(place, first)
            fields = dict(headers or {})
            if authorization and _origin(place) == _origin(first):
                fields["authorization"] = authorization
            request = self._client.build_request(method, place, headers=fields, data=form)
            response = await self._send(request)
            try:
                onward = response.headers.get("location", "")
                if response.status_code not in _MOVED or not onward or not redirects:
                    yield Answer(response, self.patience, _origin(place) != _origin(first))
                    return
                place = self._onward(place, onward)
            finally:
                with contextlib.suppress(OSError):
                    await response.aclose()
        raise RegistryUnreachable(
            f"{first.host} sends us in circles", f"It redirected more than {redirects} times."
        )

    async def _send(self, request: httpx.Request) -> httpx.Response:
        assert self._client is not None
        deadline = self.patience.connect + self.patience.stall
        with _faults(self.patience):
            try:
                async with asyncio.timeout(deadline):
                    return await self._client.send(request, stream=True)
            except TimeoutError:
                raise Fault(f"no answer within {deadline:.0f} s") from None

    def _parsed(self, url: str) -> httpx.URL:
        from httpx import URL, InvalidURL

        try:
            urlsplit(url)  # httpx lets half a pair of brackets pass
            place = URL(url)
        except (InvalidURL, ValueError) as error:
            raise InvalidInput(f"{url[:200]!r} is no URL", str(error)[:200]) from None
        if place.scheme not in ("http", "https") or not place.host:
            raise InvalidInput(f"{url[:200]!r} can't be downloaded", "It is no https URL.")
        # a name and a password in a URL would be sent along
        return place.copy_with(username=None, password=None, fragment=None)

    def _onward(self, place: httpx.URL, location: str) -> httpx.URL:
        from httpx import InvalidURL

        try:
            urlsplit(location)
            return self._parsed(str(place.join(location)))
        except (InvalidURL, InvalidInput, ValueError):
            raise RegistryUnreachable(
                f"{place.host} sends us nowhere", f"It redirects to {location[:200]!r}."
            ) from None

    def _check(self, place: httpx.URL, first: httpx.URL) -> None:
        """No plain http, but on loopback; nor may a stranger send us to loopback over it."""
        if place.scheme == "https" or self.insecure:
            return
        if is_loopback(_name(place)) and is_loopback(_name(first)):
            return
        raise RegistryUnreachable(
            f"{place.host} wants plain http",
            "Whoever is on the way could read and change what comes.",
            "--insecure allows it.",
        )


@contextlib.contextmanager
def _faults(patience: Patience) -> Iterator[None]:
    """Errors of the client as faults."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        if isinstance(error, httpx.ConnectTimeout):
            raise Fault(f"no connection within {patience.connect:g} s") from error
        raise Fault(f"stalled for {patience.stall:g} s") from error
    except httpx.HTTPError as error:
        raise _fault(error) from error


def _fault(error: httpx.HTTPError) -> Fault:
    """What an error of the network stands for.

    Raises:
        RegistryUnreachable: the certificate is not to be trusted.
    """
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                host = error.request.url.host
                raise RegistryUnreachable(
                    f"{host} has a certificate that can't be verified",
                    f"{cause.verify_message[:200]}.",
                    "SSL_CERT_FILE=FILE names its authority; --insecure asks for no certificate.",
                ) from error
            case ssl.SSLError():
                return Fault(f"no TLS ({(cause.reason or 'broken off').replace('_', ' ').lower()})")
            case socket.gaierror():
                known = cause.errno in (socket.EAI_AGAIN, socket.EAI_SYSTEM)
                return Fault("its name can't be looked up", few=not known)
            case OSError(errno=errno.ECONNREFUSED):
                return Fault("connection refused", few=True)
            case OSError(errno=errno.ECONNRESET | errno.EPIPE):
                return Fault("connection reset")
            case OSError() if cause.errno:
                return Fault(os.strerror(cause.errno).lower())
    name = type(error).__name__
    if name == "RemoteProtocolError":
        return Fault("the connection ended early")
    return Fault("connection lost" if name in ("ReadError", "WriteError") else str(error)[:100])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """All that led to it, the root first."""
    inner = error.__cause__ or error.__context__
    if inner is not None:
        yield from _causes(inner)
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _causes(member)
    yield error


def _name(place: httpx.URL) -> str:
    return f"[{place.host}]" if ":" in place.host else place.host


def _origin(place: httpx.URL) -> tuple[str, str, int]:
    port = place.port or (443 if place.scheme == "https" else 80)
    return place.scheme, place.host, port


def _client(patience: Patience, insecure: bool) -> httpx.AsyncClient:
    """Blocking: reads the system's certificates."""
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    import httpx

    # the machine's proxy can't know what is on this machine's loopback
    mounts: dict[str, httpx.AsyncBaseTransport | None] = dict.fromkeys(_LOOPBACK)
    return httpx.AsyncClient(
        verify=_tls(insecure),
        mounts=mounts,
        timeout=httpx.Timeout(patience.stall, connect=patience.connect, pool=None),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
        headers={"user-agent": f"banger-tui/{__version__}", "accept-encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def _tls(insecure: bool) -> ssl.SSLContext:
    """The system's authorities (or those SSL_CERT_FILE and SSL_CERT_DIR name); where there are
    none, those that come with httpx."""
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    places = ssl.get_default_verify_paths()
    if not any(map(_has_content, (places.cafile, places.capath))):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _has_content(place: str | None) -> bool:
    """Whether it is a file, or a directory with something in it."""
    path = Path(place) if place else None
    return path is not None and (path.is_file() or (path.is_dir() and any(path.iterdir())))
