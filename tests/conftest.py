"""Fixtures every test may use: one real server per session, emptied before each test that asks for it."""

from collections.abc import Iterator

import pytest
from embedded import DISTRIBUTION, DistributionServer, running_server
from redis import Redis

from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--redis-server",
        action="store_true",
        help="run against the redis-server of this machine instead of the embedded server",
    )


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """One for all tests: do not kill it; `embedded.running_server` gives one of your own."""
    distribution = bool(request.config.getoption("--redis-server"))
    assert DISTRIBUTION or not distribution, "--redis-server: none is installed"
    with running_server(kind=DistributionServer if distribution else EmbeddedServer) as server:
        yield server


@pytest.fixture
def redis_url(server: EmbeddedServer) -> str:
    """URL of the session's server, emptied."""
    with connect(LedgerSettings(redis_url=server.url)) as client:
        client.flushall()
    return server.url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client of the emptied server."""
    with connect(LedgerSettings(redis_url=redis_url)) as client:
        yield client


@pytest.fixture
def keys() -> Keys:
    return Keys()
