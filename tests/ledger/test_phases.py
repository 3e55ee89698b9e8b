"""Who is open is kept beside the records, and is right whatever a release before this one wrote."""

from pathlib import Path

import pytest
from desk import Desk, outage
from kept import commit, incident
from redis import Redis
from small_policy import POLICY

from ledger import phases
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.views import Wanted, page
from routing.decision import Decision, Put, Table
from routing.entry import Command, Opened, Verb
from routing.event import Status
from routing.incident import Incident, Phase
from routing.record import encode
from routing.severity import Severity


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    return Desk(redis_url, tmp_path, POLICY)


def one(number: int, phase: Phase) -> Incident:
    return Incident(
        id=f"INC-{number}", number=number, title="x", severity=Severity.SEV2, phase=phase, group="",
        opened_at=number, changed_at=number,
    )  # fmt: skip


def open_ones(desk: Desk) -> list[str]:
    return [each.id for each in desk.store.open_incidents()]


def test_an_incident_is_found_by_its_phase_from_its_opening_to_its_end(desk: Desk) -> None:
    for number in range(3):
        desk.append(Opened(at=now_ms(), by="anna", title=f"{number}", severity=1))
    assert open_ones(desk) == ["INC-3", "INC-2", "INC-1"]
    desk.append(Command(at=now_ms(), by="anna", incident="INC-2", verb=Verb.ACK))
    assert [each.id for each in desk.store.open_incidents({Phase.TRIGGERED})] == ["INC-3", "INC-1"]
    assert [each.id for each in desk.store.open_incidents({Phase.ACKNOWLEDGED})] == ["INC-2"]
    desk.append(Command(at=now_ms(), by="anna", incident="INC-3", verb=Verb.RESOLVE))
    assert open_ones(desk) == ["INC-2", "INC-1"]
    assert phases.counts(desk.client, desk.keys) == {Phase.TRIGGERED: 1, Phase.ACKNOWLEDGED: 1}


def test_one_that_fires_again_is_open_again(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    desk.receive(outage(status=Status.RESOLVED), b"{}")
    assert open_ones(desk) == []
    desk.receive(outage(), b"{}")
    assert open_ones(desk) == ["INC-1"]


def test_who_takes_over_writes_it_anew(redis: Redis, keys: Keys) -> None:
    commit(redis, keys, Decision((Put(Table.INCIDENT, "INC-1", incident()),)))
    redis.delete(*(keys.in_phase(phase) for phase in phases.OPEN))
    redis.zadd(keys.in_phase(Phase.TRIGGERED), {"INC-77": 77})
    redis.set(keys.fence, 3)
    state = [one(1, Phase.TRIGGERED), one(2, Phase.RESOLVED), one(3, Phase.ACKNOWLEDGED)]

    phases.mend(redis, keys, 2, state)
    assert phases.newest(redis, keys, phases.OPEN, 0, 9) == [(77, "INC-77")]

    phases.mend(redis, keys, 3, state)
    assert phases.newest(redis, keys, phases.OPEN, 0, 9) == [(3, "INC-3"), (1, "INC-1")]


def test_pages_of_what_is_open_leave_none_out(desk: Desk) -> None:
    for number in range(1, 451):
        desk.client.hset(
            desk.keys.state(Table.INCIDENT), f"INC-{number}", encode(one(number, Phase.TRIGGERED))
        )
        desk.client.zadd(desk.keys.in_phase(Phase.TRIGGERED), {f"INC-{number}": number})
    wanted, after = Wanted(frozenset(phases.OPEN)), ""
    seen: list[str] = []
    while True:
        found = page(desk.store, wanted, 70, after)
        seen += [row["id"] for row in found.rows]
        after = found.after
        if not after:
            break
    assert seen == [f"INC-{number}" for number in reversed(range(1, 451))]


def test_where_few_match_only_so_many_are_read_for_a_page(desk: Desk) -> None:
    for number in range(1, 31):
        desk.append(Opened(at=now_ms(), by="anna", title="rare" if number == 1 else "usual", severity=3))
    pages = [page(desk.store, Wanted(text="rare"), 10, most=20)]
    pages.append(page(desk.store, Wanted(text="rare"), 10, pages[0].after, most=20))
    assert [len(each.rows) for each in pages] == [0, 1]
    assert [each.after for each in pages] == ["INC-11", ""]
