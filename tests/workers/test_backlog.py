"""tocsin.backlog on a real server: what waits is counted, and a probe of it fires and ends."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from small_policy import HERE
from workshop import Bench, bench, page, rollback

from ledger import log, wire
from ledger.clock import now_ms
from routing.entry import Lane, Opened, Outcome
from routing.policy import Probe
from routing.probing import Look
from workers import looking, remediate
from workers.looking import Sight
from workers.queues import Queues

PROBE = Probe(
    name="backlog", action="tocsin.backlog", params={}, every_ms=1000, timeout_ms=1000,
    ok="undecided.all < `3` && outbox < `3`", fails=1, of=1, recovers=1, kind="BacklogGrowing", title="much waits",
    origin=HERE,
)  # fmt: skip


@pytest.fixture
def at(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A worker whose own database this is."""
    monkeypatch.setenv("TOCSIN_REDIS_URL", redis_url)
    return bench(redis)


def append(at: Bench, lane: Lane, count: int) -> list[str]:
    entry = Opened(at=now_ms(), by="anna", title="t", severity=1)
    return [log.append(at.client, at.keys, lane, entry) for _ in range(count)]


def decided(at: Bench, lane: Lane, until: str) -> None:
    at.client.hset(at.keys.cursor, lane.value, until)


def look(at: Bench, probe: Probe = PROBE) -> Sight:
    return looking.look(at, at.policy(), probe)


def test_what_waits_is_counted_by_lane_outbox_and_queue(at: Bench) -> None:
    first, *_ = append(at, Lane.URGENT, 3)
    append(at, Lane.CONTROL, 1)
    append(at, Lane.BULK, 2)
    decided(at, Lane.URGENT, first)
    effects = [at.put(page(urgent=True)), at.put(rollback())]
    with at.client.pipeline() as pipe:
        Queues(at.client).enqueue(pipe, effects)
        pipe.execute()
    at.client.zadd(at.keys.timers, {"late": now_ms() - 5_000, "early": now_ms() + 60_000})
    done = _carried_out(at)
    assert done["undecided"] == {"control": 1, "urgent": 2, "bulk": 2, "all": 5}
    assert done["jobs"] == {"dispatch": 0, "urgent": 1, "deliver": 0, "remediate": 1, "evidence": 0}
    assert (done["outbox"], done["timers_overdue"], done["dead_letters"]) == (3, 1, 0)
    assert 0 <= done["oldest_s"] < 60


def _carried_out(at: Bench) -> dict[str, Any]:
    """By a runbook's step, which is in the outbox itself, and whose claim waits in the control lane."""
    effect = at.put(
        rollback(id="INC-1-r1/look", step="look", action="tocsin.backlog", params={}, mutates=False)
    )
    remediate.carry_out(at, effect.id, effect.attempt)
    done = at.done()
    assert done.outcome is Outcome.OK
    assert isinstance(done.output, dict)
    found = done.output
    found["undecided"]["control"] -= 1
    found["undecided"]["all"] -= 1
    return found


def test_a_probe_sees_it_grow_and_be_worked_off(at: Bench) -> None:
    assert look(at).look is Look.WELL
    *_, last = append(at, Lane.BULK, 3)
    assert look(at).look is Look.ILL
    decided(at, Lane.BULK, last)
    assert look(at).look is Look.WELL


def test_how_long_the_oldest_waits_is_told(at: Bench) -> None:
    wire.call(at.client, "XADD", at.keys.log(Lane.BULK), f"{now_ms() - 90_000}-0", "e", "{}")
    old = replace(PROBE, ok="oldest_s < `60`")
    assert look(at, old).look is Look.ILL
    append(at, Lane.URGENT, 1)
    assert look(at, old).look is Look.ILL, "a younger one in another lane does not hide it"


def test_a_server_that_does_not_answer_makes_it_blind_and_not_ill(
    at: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_URL", f"unix://{tmp_path}/nobody")
    found = look(at)
    assert found.look is Look.BLIND
    assert "our own database" in found.what


def test_more_than_a_thousand_are_a_thousand(at: Bench) -> None:
    pipe = at.client.pipeline()
    for number in range(1_005):
        wire.queue(pipe, "XADD", at.keys.log(Lane.BULK), f"1-{number}", "e", "{}")
    pipe.execute()
    assert "1000" in look(at).what
