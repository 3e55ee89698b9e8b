"""Fixtures every test may use: one real server per session, emptied before each test that asks for it."""

from collections.abc import Iterator

import pytest
from embedded import running_server
from redis import Redis

from ledger.connection import connect
from ledger.keys import Keys
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The embedded server, shared: do not kill it; `embedded.running_server` gives one of your own."""
    with running_server() as server:
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
