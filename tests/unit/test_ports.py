"""Loopback ports: held against everybody but the VMM that is to have them."""

from __future__ import annotations

import socket

import pytest

from banger_tui.engine.errors import PortTaken
from banger_tui.engine.network.ports import hold, hold_free
from tests.engine_fixtures.engines import a_single_port, listener


def test_a_held_port_is_nobody_elses_until_released() -> None:
    port = a_single_port()[0]
    held = hold(port)
    assert held is not None
    assert hold(port) is None, "two hold one port"
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    held.release()
    again = hold(port)
    assert again is not None
    again.release()


def test_the_vmm_can_listen_on_a_held_port() -> None:
    port = a_single_port()[0]
    held = hold(port)
    assert held is not None
    with socket.socket() as vmm:
        vmm.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        vmm.bind(("127.0.0.1", port))
        vmm.listen()
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            vmm.accept()[0].close()
            assert client.recv(1) == b""
        held.release()
        assert hold(port) is None
        assert hold(port, ours=True) is None, "somebody listens there"


def test_a_listening_program_keeps_its_port() -> None:
    with listener() as other:
        port = other.getsockname()[1]
        assert hold(port) is None
        assert hold(port, ours=True) is None


def test_ones_own_port_is_free_in_spite_of_old_connections() -> None:
    with listener() as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted = server.accept()[0]
            accepted.close()  # the side that closes first lingers in TIME_WAIT
            client.recv(1)
    held = hold(port, ours=True)
    assert held is not None
    held.release()


def test_free_ports_avoid_what_is_taken_and_run_out_clearly() -> None:
    first, last = a_single_port()
    with pytest.raises(PortTaken) as caught:
        hold_free((first, last), {first})
    assert str(first) in caught.value.detail
    assert caught.value.hint
    held = hold_free((first, last), set())
    assert held.port == first
    with pytest.raises(PortTaken):
        hold_free((first, last), set())
    held.release()
