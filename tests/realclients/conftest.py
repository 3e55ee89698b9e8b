"""What talks to us as its users' own programs do: to a whole Tocsin, or to a receiver with what decides behind it."""

from collections.abc import Iterator

import pytest
from front_doors import Doors, open_doors
from stage import ROOT, Stage, free_port, stage

from ledger.connection import connect
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings

MAILBOX = """
  machines:
    vendor: email
    secrets: ["${TOCSIN_ALERTS_TOKEN}"]
    team: platform
    service: machines
    settings: {opens: ["*DOWN*"], closes: ["*is back*"]}
"""
"""A source more, which takes mail."""


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    environ = {"TOCSIN_MAIL_PORT": str(free_port()), "TOCSIN_MAIL_DOMAIN": "in.tocsin.example"}
    sources = (ROOT / "config/sources.yaml").read_text().replace("sources:\n", f"sources:{MAILBOX}", 1)
    room = tmp_path_factory.mktemp("town")
    with stage(room, environ, {"sources.yaml": sources}) as running_town:
        yield running_town


@pytest.fixture(scope="module")
def doors(server: EmbeddedServer) -> Iterator[Doors]:
    with connect(LedgerSettings(redis_url=server.url)) as redis:
        redis.flushall()
        with open_doors(redis, server.url) as found:
            yield found
