"""`/metrics` and `/readyz` are for this machine and for whoever has the token; `/healthz` tells everybody nothing."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from reception import Reception, running
from redis import Redis

from ledger.settings import LedgerSettings
from receiver.inside import from_here
from receiver.settings import ReceiverSettings, from_env

TOKEN = "let-me-look"
PATHS = ("/metrics", "/readyz")


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    given = {"TOCSIN_REDIS_URL": redis_url, "TOCSIN_METRICS_TOKEN": f"rolled-away,{TOKEN}"}
    with running(redis, redis_url, settings=from_env(given)) as found:
        yield found


@pytest.fixture
def tokenless(redis: Redis, redis_url: str) -> Iterator[Reception]:
    settings = ReceiverSettings(ledger=LedgerSettings(redis_url=redis_url))
    with running(redis, redis_url, settings=settings) as found:
        yield found


def ask(reception: Reception, path: str, **headers: str) -> Any:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return reception.http.get(reception.url + path, headers=lines)


OUTSIDE: list[dict[str, str]] = [
    {"x_forwarded_for": "203.0.113.7"},
    {"x_forwarded_proto": "https"},
    {"forwarded": "for=203.0.113.7"},
    {"x_real_ip": "203.0.113.7"},
    {"via": "1.1 proxy"},
    {"host": "tocsin.example"},
    {"host": "tocsin.example:8080"},
    {"host": "127.0.0.1.example"},
    {"host": "[::1"},
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", OUTSIDE, ids=str)
def test_the_internet_learns_nothing_without_the_token(
    reception: Reception, path: str, headers: dict[str, str]
) -> None:
    for more in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic !"}, {"authorization": ""}):
        answer = ask(reception, path, **headers, **more)
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "hint"}
        assert "TOCSIN_METRICS_TOKEN" in answer.json()["hint"]
        assert TOKEN not in answer.text + str(answer.headers)
    assert reception.site.counts.refused["", "outsider"] == 4


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "given", [f"Bearer {TOKEN}", "Bearer rolled-away", f"Basic {b64encode(f'any:{TOKEN}'.encode()).decode()}"]
)
def test_the_token_opens_them_from_anywhere(reception: Reception, path: str, given: str) -> None:
    assert ask(reception, path, x_forwarded_for="203.0.113.7", authorization=given).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_set_no_token_opens_them(tokenless: Reception, path: str) -> None:
    for given in ("Bearer", "Bearer x", "Basic Og=="):
        assert ask(tokenless, path, host="tocsin.example", authorization=given).status_code == 401
    assert ask(tokenless, path).status_code == 200


@pytest.mark.parametrize("headers", OUTSIDE, ids=str)
def test_everybody_may_know_that_it_is_alive_and_no_more(
    tokenless: Reception, headers: dict[str, str]
) -> None:
    answer = ask(tokenless, "/healthz", **headers)
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


# (who asks, whom, under which name, whether that is this machine)
CONNECTIONS = [
    ("127.0.0.1", "127.0.0.1", "127.0.0.1:8080", True),
    ("127.0.0.1", "127.0.0.1", "localhost:8080", True),
    ("::1", "::1", "[::1]:8080", True),
    ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "localhost", True),
    ("10.0.0.5", "10.0.0.5", "10.0.0.5:8080", True),
    ("10.0.0.5", "10.0.0.5", "tocsin.internal:8080", True),
    ("10.0.0.6", "10.0.0.5", "10.0.0.5:8080", False),
    ("10.0.0.6", "10.0.0.5", "localhost", False),
    ("203.0.113.7", "10.0.0.5", "127.0.0.1", False),
    ("127.0.0.1", "127.0.0.1", "rebound.example:8080", False),
]


@pytest.mark.parametrize(("client", "server", "name", "here"), CONNECTIONS)
def test_this_machine_is_known_by_both_ends_and_the_name_asked_for(
    client: str, server: str, name: str, here: bool
) -> None:
    scope = {"client": (client, 40_000), "server": (server, 8080)}
    assert from_here(scope, {"host": name}, "tocsin.internal") is here


def test_a_connection_without_addresses_is_nobody_known() -> None:
    assert not from_here({"client": None, "server": None}, {"host": "localhost"}, "127.0.0.1")
