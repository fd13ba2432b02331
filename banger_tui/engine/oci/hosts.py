"""Registry hosts: what they are called on the wire, and which are this very machine."""

from __future__ import annotations

import ipaddress

#: What a reference without a host means; the machine that answers has another name.
DOCKER_HUB = "docker.io"
_DOCKER_HUB_WIRE = "registry-1.docker.io"
#: Under which docker's configuration keeps Docker Hub's credentials.
DOCKER_HUB_KEY = "https://index.docker.io/v1/"


def wire_host(registry: str) -> str:
    """host[:port] to connect to for the registry of a reference."""
    return _DOCKER_HUB_WIRE if registry == DOCKER_HUB else registry


def host_of(registry: str) -> str:
    """The host of "host:port" or "[v6]:port", in lower case and without brackets."""
    if registry.startswith("["):
        return registry[1:].partition("]")[0].lower()
    return registry.partition(":")[0].lower()


def is_loopback(registry: str) -> bool:
    """Whether "host[:port]" is this machine by its looks: localhost, 127.0.0.0/8, ::1.

    No name is looked up: what resolves to loopback today may be another machine tomorrow.
    """
    host = host_of(registry)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
