import threading

import pytest
from kept import keep, request, signal
from redis import Redis

from ledger import log
from ledger.connection import connect
from ledger.keys import Keys
from ledger.position import instant_of, lane_of
from ledger.settings import LedgerSettings
from routing.entry import Lane, decode_entry

EVERYTHING = dict.fromkeys(Lane, log.START)


def test_reading_goes_on_behind_the_cursor_in_each_lane(redis: Redis, keys: Keys) -> None:
    for lane in (Lane.BULK, Lane.BULK, Lane.URGENT):
        log.append(redis, keys, lane, signal())

    first = log.read(redis, keys, EVERYTHING, 1, 0)
    cursor = {lane: entries[-1][0] for lane, entries in first.items()}
    second = log.read(redis, keys, cursor, 10, 0)

    assert {lane: len(entries) for lane, entries in first.items()} == {Lane.URGENT: 1, Lane.BULK: 1}
    assert {lane: len(entries) for lane, entries in second.items()} == {Lane.BULK: 1}


def test_an_empty_log_reads_as_nothing(redis: Redis, keys: Keys) -> None:
    assert log.read(redis, keys, EVERYTHING, 10, 0) == {}
    assert log.read(redis, keys, EVERYTHING, 10, 20) == {}


def test_a_waiting_read_wakes_for_the_first_entry(redis: Redis, redis_url: str, keys: Keys) -> None:
    def later() -> None:
        with connect(LedgerSettings(redis_url=redis_url)) as other:
            log.append(other, keys, Lane.CONTROL, signal())

    appending = threading.Timer(0.05, later)
    appending.start()
    found = log.read(redis, keys, EVERYTHING, 10, 5_000)
    appending.join()

    assert list(found) == [Lane.CONTROL]


def test_a_replay_asked_for_twice_is_appended_once_and_found_by_its_own_id(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    [kept] = keep(redis_url, keys, [request("evt_1")])
    first = kept.accepted[0]
    replay = signal(replay_of=first)

    at = log.append_replay(redis, keys, Lane.BULK, replay, f"{first}.r1")
    again = log.append_replay(redis, keys, Lane.BULK, replay, f"{first}.r1")
    other = log.append_replay(redis, keys, Lane.BULK, replay, f"{first}.r2")

    assert at == again != other
    by_id, by_position = log.find(redis, keys, f"{first}.r1"), log.find(redis, keys, at)
    assert by_id == by_position
    assert by_id is not None
    assert by_id.id == f"{first}.r1"
    assert decode_entry(by_id.raw) == replay


def test_a_replay_can_carry_the_body_it_came_from(redis: Redis, redis_url: str, keys: Keys) -> None:
    [kept] = keep(redis_url, keys, [request("evt_1", body=b"body")])
    found = log.find(redis, keys, kept.accepted[0])
    assert found is not None

    log.append_replay(redis, keys, Lane.BULK, signal(), "x.r1", raw_id=found.raw_id)

    replayed = log.find(redis, keys, "x.r1")
    assert replayed is not None
    assert replayed.raw_id == found.raw_id


@pytest.mark.parametrize("nonsense", ["", "b", "b12", "x12-0", "b12-x", "nothing.r1", "b1-0", "u1-0; DEL"])
def test_what_is_not_in_the_log_is_not_found(nonsense: str, redis: Redis, keys: Keys) -> None:
    assert log.find(redis, keys, nonsense) is None
    assert log.raw_body(redis, keys, nonsense) is None


def test_a_position_tells_its_lane_and_its_instant() -> None:
    assert lane_of("u1732406400123-7") is Lane.URGENT
    assert lane_of("q1732406400123-7") is None
    assert instant_of("u1732406400123-7") == 1732406400123
