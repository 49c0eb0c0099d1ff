"""The guard itself: what is here is let through, everything else fails the test that tried."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from tests.servers.environment import ROOT

from .loopback import LeftTheMachine, is_here

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1", "localhost", "Heard.localhost.", b"localhost", ""],
)
def test_names_and_addresses_of_this_machine_are_here(host):
    assert is_here(host)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "::ffff:10.0.0.1",
        "fe80::1%lo",
        "example.org",
        "localhost.org",
    ],
)
def test_private_and_public_ones_are_not(host):
    assert not is_here(host)


def test_a_listener_on_loopback_can_be_reached():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as line,
    ):
        assert line.getpeername() == server.getsockname()


def test_a_unix_socket_can_be_reached(tmp_path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as line:
        server.bind(str(tmp_path / "line"))
        server.listen()
        line.connect(str(tmp_path / "line"))


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("10.0.0.1", 25)])
def test_no_other_address_can_be_reached(address, refused_addresses):
    with socket.socket() as line:
        line.settimeout(1)
        with pytest.raises(LeftTheMachine, match="tests stay on this machine"):
            line.connect(address)
        with pytest.raises(LeftTheMachine):
            line.connect_ex(address)
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams, pytest.raises(LeftTheMachine):
        datagrams.sendto(b"hello", address)
    assert len(refused_addresses) == 3


def test_asyncio_is_held_back_too(refused_addresses):
    async def reach():
        await asyncio.open_connection("192.0.2.1", 80)

    with pytest.raises(LeftTheMachine):
        asyncio.run(reach())


def test_a_public_name_is_not_even_asked_for(refused_addresses):
    with pytest.raises(httpx.ConnectError, match=r"about example\.org"):
        httpx.get("http://example.org/")
    assert refused_addresses == ["the name server, about example.org"]


def test_a_name_that_cannot_exist_is_unknown_without_asking():
    with pytest.raises(httpx.ConnectError, match="not known"):
        httpx.get("http://no-such-host.invalid/")


def test_a_test_that_hides_its_attempt_fails_all_the_same(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        """
        import contextlib, socket

        def test_reaches_out():
            with contextlib.suppress(OSError):
                socket.create_connection(("192.0.2.1", 80), timeout=1)

        def test_stays():
            pass
        """
    )
    # In a process of its own: the guard inside the guard would count for the outer test as well.
    outcome = pytester.runpytest_subprocess("-p", "tests.house.loopback")
    outcome.assert_outcomes(passed=2, errors=1)
    outcome.stdout.fnmatch_lines(["*a test tried to reach 192.0.2.1 port 80*"])
