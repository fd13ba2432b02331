"""oras, kept within bounds: deadlines, few retries, memory for one chunk, secrets for one host.

oras-py 0.2.43 asks without any deadline, sleeps over two minutes between its retries, reads what it
uploads into memory, gives its token to whatever host an upload is sent on to, keeps an expired one,
and prints to stderr. All of that is in ``do_request``, ``put_upload`` and its logger, which are
replaced here.

Importing this takes 0.3 s: only the thread that pushes does.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oras.auth.token
import oras.container
import oras.logger
import oras.provider
import oras.utils
import requests
import requests.adapters

from banger_tui.engine.bundles.work import Work
from banger_tui.engine.errors import BangerError, RegistryFailure, RegistryNotFound
from banger_tui.engine.oci import challenge
from banger_tui.engine.oci.credential_files import Credential
from banger_tui.engine.oci.hosts import is_loopback
from banger_tui.engine.oci.manifest import OCI_MANIFEST, Descriptor
from banger_tui.engine.oci.reference import Reference
from banger_tui.engine.oci.refusals import denied, printable
from banger_tui.engine.oci.retries import Patience, pause_before, retry_after

_CHUNK = 1 << 16
_MOST_BYTES = 1 << 20  # of an answer's body: here they are all short
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unanswered(Exception):
    """No answer; ``reason`` is for people, as the middle of a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Adapter(requests.adapters.HTTPAdapter):
    """Gives every request a deadline, and reads a bounded body."""

    def __init__(self, work: Work, patience: Patience) -> None:
        super().__init__(max_retries=0)
        self._work = work
        self._patience = patience

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        self._work.advance()
        stall = self._patience.stall
        connect = self._patience.connect
        # The first of a pair is for each send too; what came in takes a registry time to store.
        deadlines = (stall, 4 * stall) if request.method == "PUT" else (connect, stall)
        response = super().send(request, True, deadlines, verify, cert, proxies)
        body = response.raw.read(_MOST_BYTES + 1, decode_content=True)
        response.raw.close()
        if len(body) > _MOST_BYTES:
            raise requests.ConnectionError("the answer does not end")
        response.raw = io.BytesIO(body)
        self._work.advance()
        return response


class _Auth(oras.auth.token.TokenAuth):  # type: ignore[misc]
    """Basic, or bearer tokens; a new one for each refusal, as each deed has a scope of its own."""

    def __init__(
        self, reference: Reference, credential: Credential | None, remark: str, insecure: bool
    ) -> None:
        super().__init__()
        self._reference = reference
        self._credential = credential
        self._remark = remark
        self._insecure = insecure
        if credential is not None and credential.username:
            self.set_basic_auth(credential.username, credential.password)

    def authenticate_request(
        self, original: Any, headers: dict[str, str], refresh: bool = False
    ) -> tuple[dict[str, str], bool]:
        self.token = None
        offered = challenge.parse([original.headers.get("www-authenticate", "")])
        for one in offered:
            realm = one.parameters.get("realm", "")
            if one.scheme == "bearer" and self._trusted(realm):
                self.token = self._token(one.parameters)
                return {**headers, "Authorization": f"Bearer {self.token}"}, True
            if one.scheme == "basic" and hasattr(self, "_basic_auth"):
                return {**headers, "Authorization": f"Basic {self._basic_auth}"}, True
        said = message(original) or "It asks for a name and a password."
        raise self._denied(said)

    def _trusted(self, realm: str) -> bool:
        """A password goes nowhere in plain text, but on loopback."""
        parts = urlsplit(realm)
        return parts.scheme == "https" or (
            parts.scheme == "http" and (self._insecure or is_loopback(parts.netloc))
        )

    def _token(self, parameters: Mapping[str, str]) -> str:
        realm = parameters["realm"]
        fields = {key: parameters[key] for key in ("service", "scope") if key in parameters}
        if self._credential is not None and self._credential.identity_token:
            form = {
                **fields,
                "grant_type": "refresh_token",
                "client_id": "banger-tui",
                "refresh_token": self._credential.identity_token,
            }
            answer = self.session.post(realm, data=form, verify=self._tls_verify)
        else:
            known = hasattr(self, "_basic_auth")
            headers = {"Authorization": f"Basic {self._basic_auth}"} if known else {}
            answer = self.session.get(
                realm, params=fields, headers=headers, verify=self._tls_verify
            )
        try:
            info = answer.json()
            token = info.get("token") or info.get("access_token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        # what goes into a header must not be able to end it
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise self._denied(f"{urlsplit(realm).netloc} gives no token: {answer.status_code}.")
        return token

    def _denied(self, why: str) -> BangerError:
        return denied(self._reference.familiar, self._reference.registry, why, self._remark)


class _Body:
    """What is to be sent, from its start each time it is asked for."""

    def __init__(self, source: Path | bytes, size: int, work: Work) -> None:
        self._source = source
        self._size = size
        self._work = work

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        source, sent = self._source, 0
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
                sent += len(chunk)
                self._work.at(sent)


class Client(oras.provider.Registry):  # type: ignore[misc]
    """A registry to push one reference to. Blocking; ``work`` counts bytes of the upload.

    Every method raises BangerError, ``Unanswered`` or ``Stopped``.
    """

    def __init__(
        self,
        reference: Reference,
        scheme: str,
        credential: Credential | None,
        *,
        work: Work,
        patience: Patience,
        insecure: bool,
        remark: str = "",
    ) -> None:
        verify = False if insecure else authorities()
        super().__init__(reference.host, insecure=scheme == "http", tls_verify=verify)
        _quiet()
        self._reference = reference
        self._work = work
        self._patience = patience
        self._origin = (scheme, reference.host)
        base = f"{scheme}://{reference.host}"
        # of the environment the proxies alone: not ~/.netrc, which requests would believe before us
        if not is_loopback(reference.host):
            self.session.proxies.update(requests.utils.get_environ_proxies(base))
        self.session.trust_env = False
        self.session.mount("http://", _Adapter(work, patience))
        self.session.mount("https://", _Adapter(work, patience))
        self.session.headers["User-Agent"] = "banger-tui"
        self.auth = _Auth(reference, credential, remark, insecure)
        self.auth.session = self.session
        self.auth.prefix = scheme
        self.auth._tls_verify = verify
        self._container = oras.container.Container("x", registry=reference.host)
        self._container.registry = reference.host
        self._container.namespace, _, self._container.repository = reference.repository.rpartition(
            "/"
        )
        self._container.tag, self._container.digest = reference.tag, None

    def speaks(self) -> bool:
        """Whether a registry answers under this scheme."""
        answer = self.plain("GET", f"{self.prefix}://{self._reference.host}/v2/")
        if self.prefix == "https" or answer.status_code != 400:
            return True
        # what servers say to http on a port for https
        return not any(word in answer.text.lower() for word in ("https", "ssl", "tls"))

    def push_blob(self, source: Path | bytes, blob: Descriptor) -> None:
        """Have a blob in the repository; it is not sent when it is there."""
        layer = {"digest": blob.digest, "size": blob.size}
        if not self.blob_exists(layer, self._container):
            self._expect(self.put_upload(source, self._container, layer), "upload")

    def push_manifest(self, data: bytes) -> str:
        """Put the manifest under the tag; returns the digest that the registry has of it."""
        answer = self.do_request(
            f"{self.prefix}://{self._container.manifest_url()}",
            "PUT",
            data=data,
            headers={"Content-Type": OCI_MANIFEST},
        )
        self._expect(answer, "manifest")
        return str(answer.headers.get("docker-content-digest", ""))

    def put_upload(self, blob: Path | bytes, container: Any, layer: dict[str, Any]) -> Any:
        """Streams; a broken upload is begun anew."""

        def once() -> Any:
            begun = self._try("POST", f"{self.prefix}://{container.upload_blob_url()}")
            place = self._get_location(begun, container)
            if begun.status_code != 202 or not place:
                return begun
            return self._try(
                "PUT",
                oras.utils.append_url_params(place, {"digest": layer["digest"]}),
                data=_Body(blob, layer["size"], self._work),
                headers={"Content-Type": "application/octet-stream"},
            )

        return self._again(once)

    def do_request(
        self,
        url: str,
        method: str = "GET",
        data: Any = None,
        headers: Any = None,
        json: Any = None,
        stream: bool = False,
    ) -> Any:
        return self._again(lambda: self._try(method, url, data=data, headers=headers))

    def plain(self, method: str, url: str, **options: Any) -> Any:
        """One try, and no authorization."""
        try:
            return self.session.request(method, url, verify=self._tls_verify, **options)
        except (requests.RequestException, OSError) as error:
            raise Unanswered(_reason(error, self._patience)) from error

    def _try(self, method: str, url: str, **options: Any) -> Any:
        """One try, logged in at the registry itself and nowhere else."""
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) != self._origin:
            return self.plain(method, url, **options)
        try:
            # what oras makes of it without its decorator, which retries
            return oras.provider.Registry.do_request.__wrapped__(self, url, method, **options)
        except (requests.RequestException, OSError, ValueError) as error:
            raise Unanswered(_reason(error, self._patience)) from error

    def _again(self, attempt: Any) -> Any:
        """Try as often as ``patience`` has it."""
        for number in range(1, self._patience.few + 1):
            wait: float | None = None
            last = number == self._patience.few
            try:
                answer = attempt()
            except Unanswered:
                if last:
                    raise
            else:
                if last or answer.status_code not in _PASSING:
                    return answer
                wait = retry_after(answer.headers.get("retry-after", ""))
            self._work.pause(pause_before(number, wait, self._patience))
        raise AssertionError

    def _expect(self, answer: Any, what: str) -> None:
        """Raise what an answer means that is no success."""
        status, host, name = answer.status_code, self._reference.registry, self._reference.familiar
        if status in (200, 201, 202):
            return
        said = message(answer)
        told = f"It answers {status} to the {what}" + (f": {said}" if said else "") + "."
        if status in (401, 403):
            raise denied(name, host, told)
        kind = RegistryNotFound if status == 404 else RegistryFailure
        raise kind(f"{host} does not take {name}", told)


def message(answer: Any) -> str:
    """What a registry says about an error (distribution specification, error codes)."""
    try:
        first = answer.json()["errors"][0]
        return printable(str(first.get("message") or first.get("code") or ""))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""


def authorities() -> str | bool:
    """The system's, or those that SSL_CERT_FILE and SSL_CERT_DIR name; True: those of requests."""
    places = ssl.get_default_verify_paths()
    if places.cafile:
        return places.cafile
    directory = Path(places.capath) if places.capath else None
    return str(directory) if directory and any(directory.iterdir()) else True


def _reason(error: Exception, patience: Patience) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate can't be verified ({cause.verify_message[:100]})"
        if isinstance(cause, requests.Timeout):
            return f"no answer within {patience.stall:g} s"
        if isinstance(cause, OSError) and cause.errno and cause.strerror:
            return cause.strerror.lower()
        inner = next((one for one in cause.args if isinstance(one, BaseException)), None)
        cause = getattr(cause, "reason", None) or inner or cause.__cause__ or cause.__context__
        if not isinstance(cause, BaseException):
            break
    return printable(str(error), 100)


def _quiet() -> None:
    """Its logger writes to stderr, where the app is."""
    oras.logger.setup_logger(quiet=True)
    oras.logger.logger.set_level(100)
