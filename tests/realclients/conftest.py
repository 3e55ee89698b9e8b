"""What talks to us as its users' own programs do: to a whole Tocsin, or to a receiver with what decides behind it."""

from collections.abc import Iterator

import pytest
from front_doors import Doors, open_doors
from stage import Stage, stage

from ledger.connection import connect
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("town")) as running_town:
        yield running_town


@pytest.fixture(scope="module")
def doors(server: EmbeddedServer) -> Iterator[Doors]:
    with connect(LedgerSettings(redis_url=server.url)) as redis:
        redis.flushall()
        with open_doors(redis, server.url) as found:
            yield found
