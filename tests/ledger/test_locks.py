import time

from racing import race
from redis import Redis

from ledger import locks
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.locks import Busy, Taken
from ledger.settings import LedgerSettings

LONG_MS = 60_000


def test_one_run_at_a_time_may_change_a_target(redis_url: str, keys: Keys) -> None:
    def take(number: int) -> Taken | Busy:
        with connect(LedgerSettings(redis_url=redis_url)) as client:
            return locks.take(client, keys, "prj_1", f"INC-{number}-r1", LONG_MS, 99)

    results = race(take, 6)

    assert len([each for each in results if isinstance(each, Taken)]) == 1


def test_who_is_refused_is_told_by_whom(redis: Redis, keys: Keys) -> None:
    locks.take(redis, keys, "prj_1", "INC-1-r1", LONG_MS, 9)

    assert locks.take(redis, keys, "prj_1", "INC-2-r1", LONG_MS, 9) == Busy("prj_1 is locked by run INC-1-r1")


def test_the_same_run_takes_it_again_with_the_same_token(redis: Redis, keys: Keys) -> None:
    first = locks.take(redis, keys, "prj_1", "INC-1-r1", 500, 9)
    again = locks.take(redis, keys, "prj_1", "INC-1-r1", LONG_MS, 9)

    assert first == again
    assert redis.pttl(keys.lock("prj_1")) > 500


def test_a_later_holder_has_a_greater_token_and_the_earlier_one_knows(redis: Redis, keys: Keys) -> None:
    first = locks.take(redis, keys, "prj_1", "INC-1-r1", 1, 9)
    assert isinstance(first, Taken)
    until = time.monotonic() + 5
    while not isinstance(second := locks.take(redis, keys, "prj_1", "INC-2-r1", LONG_MS, 9), Taken):
        assert time.monotonic() < until

    assert second.token > first.token
    assert locks.may_change(redis, keys, "prj_1", second.token)
    assert not locks.may_change(redis, keys, "prj_1", first.token)
    assert not locks.give_back(redis, keys, "prj_1", "INC-1-r1", first.token)
    assert locks.may_change(redis, keys, "prj_1", second.token)


def test_only_so_many_runs_change_something_at_the_same_time(redis: Redis, keys: Keys) -> None:
    one = locks.take(redis, keys, "a", "r1", LONG_MS, 2)
    assert isinstance(one, Taken)
    assert isinstance(locks.take(redis, keys, "b", "r2", LONG_MS, 2), Taken)

    assert locks.take(redis, keys, "c", "r3", LONG_MS, 2) == Busy(
        "2 runs are changing something already, and at most 2 may"
    )
    assert isinstance(locks.take(redis, keys, "a", "r1", LONG_MS, 2), Taken)
    assert locks.give_back(redis, keys, "a", "r1", one.token)
    assert isinstance(locks.take(redis, keys, "c", "r3", LONG_MS, 2), Taken)


def test_a_run_that_died_makes_room_when_its_lock_runs_out(redis: Redis, keys: Keys) -> None:
    locks.take(redis, keys, "a", "r1", 1, 1)

    until = time.monotonic() + 5
    while not isinstance(locks.take(redis, keys, "b", "r2", LONG_MS, 1), Taken):
        assert time.monotonic() < until


def test_nothing_is_mine_that_was_never_taken(redis: Redis, keys: Keys) -> None:
    assert not locks.may_change(redis, keys, "prj_1", 1)
    assert not locks.give_back(redis, keys, "prj_1", "r1", 1)


def test_who_looked_before_another_had_the_target_must_look_again(redis: Redis, keys: Keys) -> None:
    before = now_ms() - 10
    one = locks.take(redis, keys, "prj_1", "INC-1-r1", LONG_MS, 9, before)
    assert isinstance(one, Taken), "nobody had it before"
    assert locks.give_back(redis, keys, "prj_1", "INC-1-r1", one.token)

    stale = locks.take(redis, keys, "prj_1", "INC-2-r1", LONG_MS, 9, before)
    assert stale == Busy("run INC-1-r1 had prj_1 since this one looked at it", stale=True)
    assert isinstance(locks.take(redis, keys, "prj_1", "INC-1-r1", LONG_MS, 9, before), Taken), (
        "its own change"
    )


def test_who_looks_afterwards_or_need_not_look_takes_it(redis: Redis, keys: Keys) -> None:
    for run, looked_at in (("INC-1-r1", 0), ("INC-2-r1", 0), ("INC-3-r1", 1_000)):
        found = locks.take(redis, keys, "prj_1", run, LONG_MS, 9, looked_at and now_ms() + looked_at)
        assert isinstance(found, Taken)
        assert locks.give_back(redis, keys, "prj_1", run, found.token)


def test_a_lock_that_ran_out_may_have_changed_the_target_until_then(redis: Redis, keys: Keys) -> None:
    looked_at = now_ms()
    locks.take(redis, keys, "prj_1", "INC-1-r1", 50, 9)
    until = time.monotonic() + 5
    stale = Busy("run INC-1-r1 had prj_1 since this one looked at it", stale=True)
    while locks.take(redis, keys, "prj_1", "INC-2-r1", LONG_MS, 9, looked_at + 20) != stale:
        assert time.monotonic() < until


def test_the_kill_switch_holds_for_whoever_has_the_lock(redis: Redis, keys: Keys) -> None:
    taken = locks.take(redis, keys, "prj_1", "INC-1-r1", LONG_MS, 9)
    assert isinstance(taken, Taken)
    assert locks.may_change(redis, keys, "prj_1", taken.token)
    redis.set(keys.kill, b"on")
    assert not locks.may_change(redis, keys, "prj_1", taken.token)
