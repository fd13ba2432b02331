"""A token server as docker-registry believes: JSON Web Tokens signed by a certificate it trusts."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.host.registry.certificate import Certificate
from tests.host.registry.http import Connection, HttpServer, Request

SERVICE = "registry of a test"
ISSUER = "issuer of a test"
USER, PASSWORD = "banger", "open-sesame"
IDENTITY = "identity-token-of-a-test"


def sign(certificate: Certificate, access: list[dict[str, Any]], seconds: int = 300) -> str:
    """A bearer token (https://distribution.github.io/distribution/spec/auth/jwt/)."""
    header = {
        "typ": "JWT",
        "alg": "ES256",
        "x5c": [base64.b64encode(certificate.der).decode()],
    }
    now = int(time.time())
    claims = {
        "iss": ISSUER, "sub": USER, "aud": SERVICE, "exp": now + seconds, "nbf": now - 10,
        "iat": now - 10, "jti": secrets.token_hex(8), "access": access,
    }  # fmt: skip
    signed = f"{_encode(json.dumps(header).encode())}.{_encode(json.dumps(claims).encode())}"
    r, s = decode_dss_signature(
        certificate.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    )
    return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer(HttpServer):
    """Gives pull tokens to everybody, or with ``private`` only to USER and to IDENTITY.

    ``expires_in`` is what it says of its tokens, in seconds; it answers while ``gate`` is open.
    """

    def __init__(
        self, certificate: Certificate, *, private: bool = False, expires_in: int = 300
    ) -> None:
        super().__init__()
        self._certificate = certificate
        self.private = private
        self.expires_in = expires_in
        self.given: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def realm(self) -> str:
        return f"{self.url}/token"

    async def answer(self, request: Request, connection: Connection) -> bool:
        await self.gate.wait()
        if request.method == "POST":
            form = parse_qs(request.body.decode())
            allowed = form.get("refresh_token") == [IDENTITY]
        else:
            form = parse_qs(urlsplit(request.target).query)
            basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            allowed = request.headers.get("authorization") == f"Basic {basic}"
        if self.private and not allowed:
            await connection.reply_json(
                401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you?"}]}
            )
            return True
        access = []
        for scope in form.get("scope", []):
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        token = sign(self._certificate, access)
        self.given.append(token)
        await connection.reply_json(200, {"token": token, "expires_in": self.expires_in})
        return True
