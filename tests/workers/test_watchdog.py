"""The watchdog finds what stands still, and reaches somebody with what is on local disk."""

from pathlib import Path

import kept
import pytest
import small_policy
from redis import Redis
from vendor import Asked, Reply, serving

from ledger import log, outbox, policies, probes
from ledger.catalogue import catalogue
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.probes import Seen
from ledger.settings import LedgerSettings
from routing.decision import Decision
from routing.entry import Lane
from routing.instant import MINUTE
from routing.load import load
from workers.last_resort import LastResort
from workers.watchdog import ANSWER_S, LOOK_S, UNCLAIMED_S, Judge

NOW = small_policy.START
CREDENTIALS = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_API_KEY": "SK" + "1" * 32,
    "TWILIO_API_SECRET": "s" * 32,
    "TWILIO_FROM_NUMBER": "+15005550006",
}


def test_events_that_wait_while_nobody_decides_are_a_stall(redis: Redis, keys: Keys) -> None:
    Lease(redis, keys, ttl_ms=MINUTE).acquire()
    judge = Judge(redis, keys, stall_ms=0)
    assert judge.look() == {}
    log.append(redis, keys, Lane.URGENT, small_policy.firing())
    judge.look()
    assert "dispatch" in (judge.look() or {})


def test_an_empty_log_is_no_stall_however_long_it_lasts(redis: Redis, keys: Keys) -> None:
    Lease(redis, keys, ttl_ms=MINUTE).acquire()
    judge = Judge(redis, keys, stall_ms=0)
    assert [judge.look(), judge.look(), judge.look()] == [{}, {}, {}]


def test_a_timer_long_overdue_is_found_at_the_second_look(redis: Redis, keys: Keys) -> None:
    redis.zadd(keys.timers, {"t": now_ms() - MINUTE})
    judge = Judge(redis, keys, stall_ms=60_000)
    assert judge.look() == {}
    assert "timers" in (judge.look() or {})


def test_an_effect_nobody_claims_is_found_until_somebody_does(redis: Redis, keys: Keys) -> None:
    judge = Judge(redis, keys, stall_ms=60_000, patience_s=lambda _: 0)
    kept.commit(redis, keys, Decision(effects=(kept.deliver(),)))
    assert "first INC-1-d1" in (judge.look() or {})["outbox"]
    assert outbox.claim(redis, keys, "INC-1-d1", 1, "worker", 900, now_ms())
    assert judge.look() == {}


def test_probes_that_nobody_carries_out_are_found_where_they_are_on(redis: Redis, keys: Keys) -> None:
    judge = Judge(redis, keys, stall_ms=0, looks=True)
    assert "probes" in (judge.look() or {})
    assert "probes" not in (Judge(redis, keys, stall_ms=0).look() or {})
    assert probes.mine(redis, keys, "prober.here.1", MINUTE)
    assert "probes" not in (judge.look() or {})
    probes.give_back(redis, keys, "prober.here.1")
    assert "probes" in (judge.look() or {})


def test_a_prober_that_lives_and_gets_to_no_look_is_found(redis: Redis, keys: Keys) -> None:
    judge, now = Judge(redis, keys, stall_ms=0, looks=True), now_ms()
    probes.mine(redis, keys, "prober.here.1", MINUTE)
    probes.show(redis, keys, "site", Seen(at=now, look="well", what="", due_by=now + MINUTE))
    assert "probes" not in (judge.look() or {})
    probes.show(redis, keys, "mail", Seen(at=now - MINUTE, look="well", what="", due_by=now - 1))
    assert "first mail" in (judge.look() or {})["probes"]


def test_a_prober_is_given_its_time(redis: Redis, keys: Keys) -> None:
    judge = Judge(redis, keys, stall_ms=60_000, looks=True)
    assert [judge.look(), judge.look()] == [{}, {}]


def test_an_effect_is_given_its_time_to_be_claimed(redis: Redis, keys: Keys) -> None:
    judge = Judge(redis, keys, stall_ms=60_000)
    kept.commit(redis, keys, Decision(effects=(kept.deliver(),)))
    assert [judge.look(), judge.look()] == [{}, {}]


def test_somebody_hears_of_an_unclaimed_effect_within_a_minute() -> None:
    """The promise counts from its commit: a look may just have missed it, and the next may be a slow one."""
    assert 2 * LOOK_S + ANSWER_S + UNCLAIMED_S < MINUTE / 1000


def test_a_server_that_is_gone_is_found(tmp_path: Path, keys: Keys) -> None:
    judge = Judge(connect(LedgerSettings(redis_url=f"unix://{tmp_path}/nobody")), keys, stall_ms=0)
    assert "redis" in (judge.look() or {})


def test_a_trouble_is_said_once_then_again_after_a_while_and_its_end_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last_resort = LastResort(tmp_path, {}, again_ms=MINUTE)
    for at in (NOW, NOW + 1, NOW + MINUTE):
        last_resort.tell({"redis": "gone"}, at)
    LastResort(tmp_path, {}, again_ms=MINUTE).tell({"redis": "gone"}, NOW + MINUTE + 1)
    for _ in range(2):
        last_resort.tell({}, NOW + 2 * MINUTE)
    lines = (tmp_path / "last-resort.log").read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "Tocsin itself is in trouble: gone",
        "Tocsin itself is in trouble: gone",
        "Tocsin is well again: over: redis",
    ]
    assert capsys.readouterr().err.count("LAST RESORT") == 3


def test_it_knows_whom_to_reach_without_redis_and_keeps_no_secret(tmp_path: Path) -> None:
    LastResort(tmp_path, {}, again_ms=MINUTE).learn(small_policy.POLICY)
    again = LastResort(tmp_path, {}, again_ms=MINUTE)
    assert again.memory.contact == "cto"
    assert [way.channel for way in again.memory.ways] == ["voice", "sms"]
    assert (tmp_path / "watchdog.json").stat().st_mode & 0o777 == 0o600


def test_a_server_silent_for_a_moment_is_neither_well_nor_trouble(tmp_path: Path, keys: Keys) -> None:
    judge = Judge(connect(LedgerSettings(redis_url=f"unix://{tmp_path}/nobody")), keys, stall_ms=60_000)
    assert judge.look() is None


def test_with_redis_gone_the_phone_rings_from_what_is_on_disk(tmp_path: Path) -> None:
    """A watchdog started after the death of everything else still knows whom to call, and how."""
    files = policies.read_files(Path(__file__).parents[2] / "config")
    LastResort(tmp_path, {}, again_ms=MINUTE).learn(load(files, catalogue()))
    with serving(_twilio) as vendor:
        credentials = {**CREDENTIALS, "TWILIO_BASE_URL": vendor.url}
        LastResort(tmp_path, credentials, again_ms=MINUTE).tell({"redis": "Redis does not answer"}, NOW)
        asked = [(each.path.rsplit("/", 1)[-1], each.form["To"]) for each in vendor.log]
        assert asked == [("Calls.json", "+48500000004"), ("Messages.json", "+48500000004")]
        assert "Redis does not answer" in vendor.log[0].form["Twiml"]
        LastResort(tmp_path, credentials, again_ms=MINUTE).tell({}, NOW + 1)
        assert [each.path.rsplit("/", 1)[-1] for each in vendor.log[2:]] == ["Messages.json"]
    told = (tmp_path / "last-resort.log").read_text()
    assert "told cto over voice" in told
    assert credentials["TWILIO_API_SECRET"] not in told + (tmp_path / "watchdog.json").read_text()


def test_when_no_way_works_it_is_tried_again_after_a_minute(tmp_path: Path) -> None:
    files = policies.read_files(Path(__file__).parents[2] / "config")
    with serving(lambda _: Reply(503)) as vendor:
        variables = {**CREDENTIALS, "TWILIO_BASE_URL": vendor.url}
        LastResort(tmp_path, variables, again_ms=MINUTE).learn(load(files, catalogue()))
        again = LastResort(tmp_path, variables, again_ms=MINUTE)
        for at in (NOW, NOW + MINUTE // 2, NOW + MINUTE):
            again.tell({"redis": "gone"}, at)
        assert len(vendor.log) == 4


def _twilio(asked: Asked) -> Reply:
    """Refuses what has no place to go or no credentials."""
    if asked.user != f"SK{'1' * 32}:{'s' * 32}" or not asked.form.get("To") or not asked.form.get("From"):
        return Reply(400, {"code": 21201, "message": "missing"})
    return Reply(201, {"sid": "CA" + "2" * 32, "status": "queued"})
