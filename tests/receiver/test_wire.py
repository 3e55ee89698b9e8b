"""HTTP itself, byte by byte: what one server could read as one request and the next as two is refused."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from reception import Reception, running
from redis import Redis

from ledger.http_server import BoundedHeads

POST = b"POST /hooks/stripe HTTP/1.1\r\nHost: x\r\n"
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
"""What must not be answered."""
AMBIGUOUS = {
    "both lengths": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, the other way round": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n8\r\nSMUGGLED\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "a chunk without its end": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
    "a length with a sign": b"Content-Length: +2\r\n\r\n{}",
    "a blank before the colon": b"Content-Length : 2\r\n\r\n{}",
    "a coding with a blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded header": b"X: a\r\n Content-Length: 2\r\n\r\n{}",
    "a zero byte": b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
}


def connected(reception: Reception) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(reception.url).port or 0), timeout=5)


def said(reception: Reception, raw: bytes) -> bytes:
    """All that is answered until the connection is closed. Raises TimeoutError when it is not."""
    with connected(reception) as link:
        found = b""
        try:
            link.sendall(raw)
            while part := link.recv(65_536):
                found += part
        except ConnectionError:  # closed while we were still sending
            pass
        return found


@pytest.mark.parametrize("what", AMBIGUOUS)
def test_smuggling_a_request_that_can_be_read_in_two_ways_is_refused(reception: Reception, what: str) -> None:
    """CVE-2025-43859 and its kin: a proxy and a server disagree where a request ends."""
    answer = said(reception, POST + AMBIGUOUS[what] + HIDDEN)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert reception.entries() == []


@pytest.mark.parametrize(
    "head",
    [b"X: " + b"a" * 3_000_000, b"".join(b"X-%d: a\r\n" % number for number in range(200_000))],
    ids=["one without end", "many"],
)
def test_headers_without_end_are_cut_off(reception: Reception, head: bytes) -> None:
    answer = said(reception, POST + head)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 "), "closed before it is read, or told so"
    assert reception.get("/healthz").status_code == 200
    assert reception.post("/hooks/stripe", b"{}", {"x": "a" * 30_000}).status_code == 401, (
        "long is not endless"
    )


class Impatient(BoundedHeads):
    wait_s = 0.2


@pytest.fixture
def impatient(redis: Redis, redis_url: str) -> Iterator[Reception]:
    with running(redis, redis_url, http=Impatient) as found:
        yield found


def trickle(link: socket.socket) -> None:
    for _ in range(400):
        link.sendall(b"X")
        time.sleep(0.01)


def test_headers_that_take_for_ever_are_given_up(impatient: Reception) -> None:
    """Slowloris: a letter now and then, on every connection that there is."""
    assert said(impatient, b"") == b""
    assert said(impatient, POST + b"X: a") == b""
    with connected(impatient) as link:
        link.sendall(POST)
        with pytest.raises(ConnectionError):
            trickle(link)
    body = b"Content-Length: 2\r\n\r\n"
    with connected(impatient) as link:
        link.sendall(POST + body)
        time.sleep(0.5)
        link.sendall(b"{}")
        assert link.recv(65_536).startswith(b"HTTP/1.1 401 "), "a body has its own time"


def test_range_dos_a_range_is_not_looked_at(reception: Reception) -> None:
    """CVE-2025-62727: thousands of ranges, taken apart in quadratic time."""
    ranges = "bytes=" + ",".join(f"{number}-{number}" for number in range(5_000))
    answer = reception.http.get(reception.url + "/healthz", headers={"range": ranges})
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
