"""HTTP to the outside: what each failure means, and where a URL may not lead."""

import gzip
import socket
import threading
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from vendor_server import Asked, Misbehaviour, Reply, VendorServer

from routing.entry import Outcome
from workers import http
from workers.addresses import Guard
from workers.answer import Answer, Call, HttpError, classify, retry_after_ms
from workers.journal import journal


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with VendorServer(lambda _: Reply(200, {"fine": True})) as server:
        yield server


def call(url: str, *, mutates: bool = True, timeout_s: float = 2.0, **more: Any) -> Answer:
    method = "POST" if mutates else "GET"
    return http.call(Call(method=method, url=url, mutates=mutates, timeout_s=timeout_s, **more))


def outcome_of(url: str, *, mutates: bool, timeout_s: float = 0.3, **more: Any) -> Outcome:
    with pytest.raises(HttpError) as failed:
        call(url, mutates=mutates, timeout_s=timeout_s, **more).object()
    return failed.value.outcome


@pytest.mark.parametrize(
    ("status", "reading", "changing"),
    [
        (200, Outcome.OK, Outcome.OK),
        (201, Outcome.OK, Outcome.OK),
        (301, Outcome.PERMANENT, Outcome.PERMANENT),
        (400, Outcome.PERMANENT, Outcome.PERMANENT),
        (401, Outcome.PERMANENT, Outcome.PERMANENT),
        (403, Outcome.PERMANENT, Outcome.PERMANENT),
        (404, Outcome.PERMANENT, Outcome.PERMANENT),
        (408, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (409, Outcome.PERMANENT, Outcome.PERMANENT),
        (422, Outcome.PERMANENT, Outcome.PERMANENT),
        (425, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (429, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (500, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (502, Outcome.TEMPORARY, Outcome.UNKNOWN),
        (503, Outcome.TEMPORARY, Outcome.TEMPORARY),
        (504, Outcome.TEMPORARY, Outcome.UNKNOWN),
        (599, Outcome.TEMPORARY, Outcome.TEMPORARY),
    ],
)
def test_each_status_says_whether_repeating_can_help(
    vendor: VendorServer, status: int, reading: Outcome, changing: Outcome
) -> None:
    for mutates, expected in ((False, reading), (True, changing)):
        vendor.misbehave(*([Misbehaviour(status=status)] if status >= 300 else []))
        assert call(vendor.url, mutates=mutates).outcome is (expected if status >= 300 else Outcome.OK)
        assert classify(status, mutates=mutates) is expected


@pytest.mark.parametrize(
    "how",
    [
        Misbehaviour(delay_s=30),
        Misbehaviour(hang_up=True),
        Misbehaviour(garbage=True),
    ],
    ids=["30 s", "hangs up", "garbage"],
)
def test_without_a_usable_answer_a_change_may_have_happened_and_a_look_may_be_repeated(
    vendor: VendorServer, how: Misbehaviour
) -> None:
    vendor.misbehave(how, how)
    assert outcome_of(vendor.url, mutates=True) is Outcome.UNKNOWN
    assert outcome_of(vendor.url, mutates=False) is Outcome.TEMPORARY


def test_nobody_listening_means_it_did_not_happen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert outcome_of(f"http://127.0.0.1:{port}/", mutates=True) is Outcome.TEMPORARY


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "nonsense", "http://[::1", "http://a\x00b/"])
def test_a_url_that_cannot_be_asked_is_permanent(url: str) -> None:
    assert outcome_of(url, mutates=True) is Outcome.PERMANENT


def test_an_answer_given_twice_is_never_taken_for_the_next_calls(vendor: VendorServer) -> None:
    vendor.answer = lambda asked: Reply(200, {"number": len(vendor.calls)})  # type: ignore[method-assign]  # noqa: ARG005
    vendor.misbehave(*[Misbehaviour(twice=True)] * 3)
    assert [call(vendor.url).object()["number"] for _ in range(4)] == [0, 1, 2, 3]


def test_redirects_are_not_followed() -> None:
    moved = Reply(302, {}, {"Location": "http://127.0.0.1:1/elsewhere"})
    with VendorServer(lambda _: moved) as vendor:
        assert call(vendor.url).status == 302
        assert len(vendor.calls) == 1


def test_proxies_of_the_environment_are_ignored(
    vendor: VendorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert call(vendor.url, mutates=False).ok
    assert call(vendor.url, mutates=False, guard=Guard(allow_private=True)).ok


def test_a_body_is_read_up_to_the_limit_and_no_further() -> None:
    with VendorServer(lambda _: Reply(200, b"x" * 100_000)) as vendor:
        assert len(call(vendor.url, max_bytes=1_000).body) == 1_000


def test_a_compressed_body_is_unpacked_up_to_the_limit_and_no_further() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with VendorServer(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip"})) as vendor:
        assert call(vendor.url, max_bytes=1_000).body == b"0" * 1_000


def test_a_body_that_drips_in_is_given_up_at_the_deadline() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server, stop))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            assert outcome_of(url, mutates=True, timeout_s=0.4) is Outcome.UNKNOWN
        finally:
            stop.set()
            thread.join()


def _drip(server: socket.socket, stop: threading.Event) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.02):
            try:
                connection.sendall(b" ")
            except OSError:
                return


DATE = "Tue, 24 Nov 2026 02:30:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected_ms"),
    [
        ({}, 0),
        ({"retry-after": "7"}, 7_000),
        ({"retry-after": " 7 "}, 7_000),
        ({"retry-after": "99999999999999999999"}, 3_600_000),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, 0),
        ({"retry-after": "Tue, 24 Nov 2026 02:30:09 GMT", "date": DATE}, 9_000),
        ({"retry-after": "Tue, 24 Nov 2026 02:29:00 GMT", "date": DATE}, 0),
        ({"x-ratelimit-reset": "1795487430", "date": DATE}, 30_000),
        ({"x-ratelimit-reset": "1795487430", "x-ratelimit-remaining": "0", "date": DATE}, 30_000),
        ({"x-ratelimit-reset": "1795487430", "x-ratelimit-remaining": "7", "date": DATE}, 0),
        ({"x-ratelimit-reset": "54"}, 54_000),
        ({"x-ratelimit-reset": "54", "x-ratelimit-remaining": "118"}, 0),
        ({"x-ratelimit-reset": "54", "retry-after": "3"}, 3_000),
        ({"x-ratelimit-reset": "999999999"}, 3_600_000),
    ],
)
def test_how_long_to_wait_is_read_from_the_answer(headers: dict[str, str], expected_ms: int) -> None:
    assert retry_after_ms(headers) == expected_ms


def test_a_date_to_wait_for_is_measured_by_the_servers_own_clock() -> None:
    headers = {"retry-after": formatdate(86_400 + 5, usegmt=True), "date": formatdate(86_400, usegmt=True)}
    assert retry_after_ms(headers) == 5_000


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "10.0.0.1",
        "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]",
        "[fd00::1]", "[ff02::1]",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_in_every_disguise(host: str) -> None:
    refused = {Outcome.REFUSED, Outcome.PERMANENT}  # the latter where no client takes it for an address
    assert outcome_of(f"http://{host}:9/", mutates=False, guard=Guard()) in refused


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "[64:ff9b::a9fe:a9fe]"])
def test_even_where_private_addresses_are_allowed_the_clouds_metadata_is_not(host: str) -> None:
    guard = Guard(allow_private=True)
    assert outcome_of(f"http://{host}:9/", mutates=False, guard=guard) is Outcome.REFUSED


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert Guard().allows(address)


def test_a_guarded_call_keeps_the_hosts_name(vendor: VendorServer) -> None:
    asked: list[Asked] = []
    vendor.answer = lambda one: asked.append(one) or Reply()  # type: ignore[method-assign, func-returns-value, assignment]
    port = vendor.url.rpartition(":")[2]
    assert call(f"http://localhost:{port}/x?y=1", mutates=False, guard=Guard(allow_private=True)).ok
    assert asked[0].headers["host"] == f"localhost:{port}"
    assert (asked[0].path, asked[0].query) == ("/x", {"y": ["1"]})


def test_the_journal_tells_every_call_without_query_or_secret(vendor: VendorServer) -> None:
    with journal() as lines:
        call(f"{vendor.url}/v1/thing?token=hunter2", headers={"authorization": "Bearer hunter2"})
        vendor.misbehave(Misbehaviour(hang_up=True))
        outcome_of(f"{vendor.url}/v1/thing?token=hunter2", mutates=True)
    assert lines[0] == "POST /v1/thing answered 200"
    assert lines[1].startswith("POST /v1/thing: ")
    assert "hunter2" not in str(lines)
