"""tcp.connect against real sockets."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import tcp


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def look(port: int, *, private: bool = True, timeout_s: float = 5.0, **params: Any) -> dict[str, Any]:
    settings = {"allow_private": "true"} if private else {}
    step = Step(settings=settings, timeout_s=timeout_s, idempotency_key="", now=0)
    return tcp.connect(step, tcp.Connect(**{"host": "127.0.0.1", "port": port, **params}))


def test_a_port_that_takes_connections_is_well_and_tells_how_soon(listener: socket.socket) -> None:
    found = look(port_of(listener))
    assert (found["ok"], found["connected"], found["error"], found["address"]) == (
        True,
        True,
        "",
        "127.0.0.1",
    )
    assert 0 <= found["ms"] < 5_000


def test_a_closed_port_is_a_result_and_no_error(listener: socket.socket) -> None:
    port = port_of(listener)
    listener.close()
    found = look(port)
    assert (found["ok"], found["connected"], found["address"]) == (False, False, "")
    assert "refused" in found["error"].lower()


def test_a_name_that_leads_nowhere_is_ill() -> None:
    found = look(443, host="no-such-host.invalid")
    assert (found["ok"], found["connected"], bool(found["error"])) == (False, False, True)


@pytest.fixture
def full() -> Iterator[socket.socket]:
    """A queue with no room: the machine answers no further handshake until somebody takes from it."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        with socket.create_connection(server.getsockname()):
            yield server


def test_nobody_who_answers_is_ill_once_the_time_is_over(full: socket.socket) -> None:
    found = look(port_of(full), timeout_s=0.3)
    assert (found["ok"], found["connected"]) == (False, False)
    assert "timed out" in found["error"]
    assert found["ms"] >= 250


def test_one_that_takes_too_long_is_connected_and_ill(full: socket.socket) -> None:
    """Its first handshake is lost, and sent once more after a second."""

    def take() -> None:
        full.accept()[0].close()

    taking = threading.Timer(0.2, take)
    taking.start()
    found = look(port_of(full), max_ms=100)
    taking.join()
    assert (found["ok"], found["connected"]) == (False, True)
    assert found["error"] == f"took {found['ms']} ms, more than 100"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "169.254.169.254", "::1"])
def test_an_address_of_the_inside_is_refused_unless_allowed(listener: socket.socket, host: str) -> None:
    with pytest.raises(ActionError, match="allow_private") as refused:
        look(port_of(listener), private=False, host=host)
    assert refused.value.outcome is Outcome.REFUSED
    listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_the_clouds_metadata_is_refused_even_where_private_addresses_are_allowed() -> None:
    with pytest.raises(ActionError) as refused:
        look(80, host="169.254.169.254")
    assert refused.value.outcome is Outcome.REFUSED


@pytest.mark.parametrize("host", ["a b", "$(id)", "x\ny", "", "user@host", "host/path"])
def test_a_host_is_nothing_but_a_host(host: str) -> None:
    with pytest.raises(ValueError, match="host"):
        tcp.Connect(host=host, port=443)


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_is_one_that_exists(port: int) -> None:
    with pytest.raises(ValueError, match="port"):
        tcp.Connect(host="example.com", port=port)


def test_a_dry_run_says_where_it_would_connect() -> None:
    plan = tcp.ACTIONS["connect"].plan
    assert plan
    step = Step(settings={}, timeout_s=2.0, idempotency_key="", now=0)
    assert plan(step, tcp.Connect(host="db.example.com", port=5432))["would"] == {
        "connect": "db.example.com:5432"
    }
