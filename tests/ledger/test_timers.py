import pytest
from kept import commit, timer
from racing import race
from redis import Redis

from ledger import log, timers
from ledger.connection import connect
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.decision import Decision, Put, Table
from routing.entry import Lane, TimerDue, decode_entry, encode_entry
from routing.timer import Timer, Wake

NOW = 1_732_406_400_123


def set_timers(redis: Redis, keys: Keys, *those: Timer) -> None:
    commit(redis, keys, Decision(tuple(Put(Table.TIMER, each.id, each) for each in those)))


def fired(redis: Redis, keys: Keys) -> list[bytes]:
    found = log.read(redis, keys, {Lane.CONTROL: log.START}, 10_000, 0)
    return [raw for _, raw in found.get(Lane.CONTROL, [])]


def test_what_is_due_becomes_an_entry_and_what_is_not_waits(redis: Redis, keys: Keys) -> None:
    due, later = timer("INC-1", NOW), timer("INC-2", NOW + 1)
    set_timers(redis, keys, due, later)

    assert timers.next_due(redis, keys) == NOW
    assert timers.fire_due(redis, keys, NOW) == 1
    assert fired(redis, keys) == [encode_entry(TimerDue(at=NOW, timer=due.id, due_at=NOW))]
    assert timers.next_due(redis, keys) == NOW + 1


def test_nothing_is_due_when_nothing_is_set(redis: Redis, keys: Keys) -> None:
    assert timers.next_due(redis, keys) is None
    assert timers.fire_due(redis, keys, NOW) == 0


def test_each_timer_fires_once_though_many_fire_them(redis: Redis, redis_url: str, keys: Keys) -> None:
    count = 1_000
    set_timers(redis, keys, *(timer(f"INC-{number}", NOW - number) for number in range(count)))

    def fire(_number: int) -> int:
        with connect(LedgerSettings(redis_url=redis_url)) as client:
            return sum(iter(lambda: timers.fire_due(client, keys, NOW, at_most=7), 0))

    assert sum(race(fire, 4)) == count
    entries = [decode_entry(raw) for raw in fired(redis, keys)]
    assert len({each.timer for each in entries if isinstance(each, TimerDue)}) == len(entries) == count


def test_one_call_fires_no_more_than_it_is_told_the_earliest_first(redis: Redis, keys: Keys) -> None:
    set_timers(redis, keys, *(timer(f"INC-{number}", NOW - number) for number in range(5)))

    assert timers.fire_due(redis, keys, NOW, at_most=2) == 2
    assert timers.next_due(redis, keys) == NOW - 2


@pytest.mark.parametrize("subject", ['quo"te', "back\\slash", "sla/sh", "tab\t", "größe", "del\x7f", ""])
def test_any_subject_comes_through_as_it_is(subject: str, redis: Redis, keys: Keys) -> None:
    set_timers(redis, keys, timer(subject, NOW))
    timers.fire_due(redis, keys, NOW)

    [raw] = fired(redis, keys)
    assert decode_entry(raw) == TimerDue(at=NOW, timer=timer(subject).id, due_at=NOW)


def test_timers_that_went_missing_are_set_again_and_others_left_alone(redis: Redis, keys: Keys) -> None:
    known, lost = timer("INC-1", NOW), timer("INC-2", NOW + 5)
    set_timers(redis, keys, known, lost)
    redis.zrem(keys.timers, lost.id)

    assert timers.mend(redis, keys, [timer("INC-1", NOW + 99), lost]) == 1
    assert timers.mend(redis, keys, []) == 0
    assert redis.zrange(keys.timers, 0, -1, withscores=True) == [
        (known.id.encode(), NOW),
        (lost.id.encode(), NOW + 5),
    ]


def test_what_has_a_timer_of_a_kind_is_found_among_all(redis: Redis, keys: Keys) -> None:
    many = [timer(f"INC-{number}", NOW + number) for number in range(3_000)]
    runs = [
        Timer(id=f"run_deadline:INC-{number}-r1", wake=Wake.RUN_DEADLINE, subject=f"INC-{number}-r1", at=NOW)
        for number in range(5)
    ]
    set_timers(redis, keys, *many, *runs)
    assert sorted(timers.subjects(redis, keys, Wake.RUN_DEADLINE)) == [each.subject for each in runs]
    assert list(timers.subjects(redis, keys, Wake.UNDO)) == []
