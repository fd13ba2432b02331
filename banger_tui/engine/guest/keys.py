"""Ed25519 keys: the client's (ours, for every guest) and a VM's host key (in dropbear's format).

Making a key takes microseconds; reading and writing files is the caller's, in a thread.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

_TYPE = b"ssh-ed25519"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """``private`` is secret (files 0600); ``public`` is one line of authorized_keys, no newline."""

    private: bytes
    public: str

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r})"


def client_key(comment: str = "banger-tui") -> KeyPair:
    """A new client key, its private half in OpenSSH's format."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return KeyPair(private, _public_line(key, comment))


def client_key_public(private: bytes, comment: str = "banger-tui") -> str:
    """The public line of a client key in OpenSSH's format.

    Raises:
        ValueError: not such a key.
    """
    key = load_ssh_private_key(private, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an ed25519 key")
    return _public_line(key, comment)


def host_key() -> KeyPair:
    """A new host key, its private half as dropbear reads it: key type, then seed and public key."""
    key = Ed25519PrivateKey.generate()
    seed = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return KeyPair(_string(_TYPE) + _string(seed + _public_raw(key)), _public_line(key, ""))


def host_key_public(private: bytes) -> str:
    """The public line of a host key in dropbear's format.

    Raises:
        ValueError: not such a key.
    """
    head = _string(_TYPE) + struct.pack(">I", 64)
    if len(private) != len(head) + 64 or not private.startswith(head):
        raise ValueError("not an ed25519 key in dropbear's format")
    key = Ed25519PrivateKey.from_private_bytes(private[len(head) : len(head) + 32])
    if _public_raw(key) != private[len(head) + 32 :]:
        raise ValueError("a damaged ed25519 key: its halves don't match")
    return _public_line(key, "")


def _public_raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _public_line(key: Ed25519PrivateKey, comment: str) -> str:
    blob = base64.b64encode(_string(_TYPE) + _string(_public_raw(key))).decode()
    return f"{_TYPE.decode()} {blob} {comment}".rstrip()


def _string(data: bytes) -> bytes:
    """An SSH string (RFC 4251): length, bytes."""
    return struct.pack(">I", len(data)) + data
