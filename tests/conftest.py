"""Fixtures every test may use: one real server per session, emptied before each test that asks for it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from embedded import DISTRIBUTION, DistributionServer, running_server
from redis import Redis

from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings

if TYPE_CHECKING:
    from postgres_server import PostgresServer
    from shop import Shop


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


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """One for all tests of this process, with room for 100 sessions; `shop` is what to use of it."""
    from postgres_server import running_postgres  # few tests need it, and its driver is large
    from shop import make_roles

    with running_postgres(max_connections=100, reserved_connections=3) as server:
        make_roles(server)
        yield server


@pytest.fixture
def shop(postgres: "PostgresServer") -> Iterator["Shop"]:
    """The shop's database, emptied."""
    from shop import opened_shop

    with opened_shop(postgres) as found:
        yield found


@pytest.fixture
def keys() -> Keys:
    return Keys()
