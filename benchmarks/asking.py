"""The console's API with 10,000 incidents and 100,000 dead letters: what a read takes, one after another."""

import time
from collections.abc import Iterator
from pathlib import Path

import crowd
import httpx2
from api_world import V1
from desk import Desk
from embedded import running_server
from rows import Row, at_most
from seeing import console, site
from small_policy import POLICY

from console.trust.acts import Role, Scope

INCIDENTS, OPEN, LETTERS = 10_000, 300, 100_000
ROUNDS = 100
READS = (
    "/incidents", "/incidents?all=true&limit=100", "/incidents?all=true&text=nothing", "/incidents/INC-9900",
    "/incidents/INC-9900/timeline", "/dead?limit=100", "/dead?source=vercel", "/dead?text=nothing",
    "/dead/dl-00000000000003e8", "/status", "/oncall", "/sources", "/runbooks", "/contacts", "/why/INC-9900",
)  # fmt: skip


def rows(room: Path) -> Iterator[Row]:
    with running_server(room) as server:
        desk = Desk(server.url, room, POLICY)
        desk.publish()
        crowd.incidents(desk, INCIDENTS, OPEN)
        crowd.letters(desk, LETTERS)
        with console(site(server.url, room)) as seen:
            token = seen.token("bench", Role.ADMIN, *Scope, per_minute=1_000_000)
            with httpx2.Client(trust_env=False, headers={"authorization": f"Bearer {token}"}) as client:
                took = {read: _took(client, f"{seen.url}{V1}{read}") for read in READS}
    worst = max(took, key=lambda read: _p95(took[read]))
    each = ", ".join(f"{read.partition('?')[0]} {_p95(found):.0f}" for read, found in took.items())
    what = f"the API's slowest read with {INCIDENTS:,} incidents and {LETTERS:,} dead letters, p95"
    yield at_most(what, _p95(took[worst]), " ms", 100, 30, f"{worst}; of all in ms: {each}")


def _took(client: httpx2.Client, url: str) -> list[float]:
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = client.get(url)
        found.append((time.perf_counter() - began) * 1_000)
        assert answer.status_code == 200, answer.text
    return sorted(found)


def _p95(found: list[float]) -> float:
    return found[int(len(found) * 0.95)]
