import asyncio
from pathlib import Path

import pytest
from embedded import kill, running_server
from kept import keep, request, signal
from redis import Redis
from redis.exceptions import ConnectionError as NotConnected

from ledger import log
from ledger.connection import connect, connect_async
from ledger.dead import refused
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.entry import Claimed, Lane, decode_entry


def test_an_event_is_appended_to_its_lane_with_the_body_it_came_in(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    [kept] = keep(redis_url, keys, [request("evt_1", lane=Lane.URGENT, body=b"\x00raw\xff", headers=b"{}")])

    [event_id] = kept.accepted
    assert event_id.startswith("u")
    found = log.find(redis, keys, event_id)
    assert found is not None
    assert (found.id, found.position, found.lane) == (event_id, event_id, Lane.URGENT)
    assert decode_entry(found.raw).at == 0
    assert log.raw_body(redis, keys, found.raw_id) == log.RawBody(b"\x00raw\xff", b"{}", "shop")


def test_a_vendors_repeat_is_answered_with_the_first_id_and_appended_once(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    [first] = keep(redis_url, keys, [request("evt_1")])
    [again, other] = keep(redis_url, keys, [request("evt_1"), request("evt_2")])

    assert again.accepted == first.accepted
    assert other.accepted != first.accepted
    assert redis.xlen(keys.log(Lane.BULK)) == 2


def test_repeats_inside_one_batch_and_one_request_are_one_event(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    kept = keep(redis_url, keys, [request("evt_1", "evt_1"), request("evt_1")])

    assert len({each for one in kept for each in one.accepted}) == 1
    assert redis.xlen(keys.log(Lane.BULK)) == 1


def test_the_same_id_from_another_source_is_another_event(redis: Redis, redis_url: str, keys: Keys) -> None:
    keep(redis_url, keys, [request("evt_1"), request("evt_1", source="other")])

    assert redis.xlen(keys.log(Lane.BULK)) == 2


def test_events_without_a_vendor_id_are_never_taken_for_repeats(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    keep(redis_url, keys, [request("", ""), request("")])

    assert redis.xlen(keys.log(Lane.BULK)) == 3


def test_the_body_is_kept_once_per_request_and_not_for_repeats(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    keep(redis_url, keys, [request("evt_1", "evt_2", "evt_3")])
    keep(redis_url, keys, [request("evt_1", "evt_3")])

    assert redis.xlen(keys.raw) == 1


def test_a_vendor_id_is_remembered_for_as_long_as_the_source_says(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    keep(redis_url, keys, [request("evt_1", dedup_ms=86_400_000)])

    assert 86_000_000 < redis.pttl(keys.seen("shop", "evt_1")) <= 86_400_000


def test_a_refused_element_is_one_dead_letter_however_often_it_comes(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    letter = refused("shop", "not an object", b"[]", at=7)
    [first] = keep(redis_url, keys, [request("evt_1", dead=[letter])])
    [again] = keep(redis_url, keys, [request(dead=[refused("shop", "not an object", b"[]", at=9)])])

    assert first.dead == again.dead == [letter.id]
    assert len(first.accepted) == 1
    assert redis.hlen(keys.dead) == redis.zcard(keys.dead_index) == redis.scard(keys.dead_waiting) == 1
    assert redis.hget(keys.dead_seen, letter.id) == b"2"


def test_the_script_is_sent_again_to_a_server_that_forgot_it(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    keep(redis_url, keys, [request("evt_1")])
    redis.script_flush()

    assert keep(redis_url, keys, [request("evt_2")])[0].accepted


def test_kill_9_right_after_the_answer_loses_nothing(tmp_path: Path, keys: Keys) -> None:
    with running_server(tmp_path) as server:
        kept = keep(server.url, keys, [request(f"evt_{number}") for number in range(200)])
        kill(server)
        server.start()
        with connect(LedgerSettings(redis_url=server.url)) as client:
            read = log.read(client, keys, {Lane.BULK: log.START}, 1000, 0)[Lane.BULK]
            again = keep(server.url, keys, [request("evt_7"), request("evt_new")])

    assert [at for at, _ in read] == [one.accepted[0] for one in kept]
    assert again[0].accepted == kept[7].accepted
    assert again[1].accepted[0] > kept[-1].accepted[0]


def test_a_broken_connection_is_an_error_and_the_next_append_goes_through(keys: Keys) -> None:
    async def through_a_restart() -> None:
        with running_server() as server:
            settings = LedgerSettings(redis_url=server.url)
            async with connect_async(settings) as client:
                await log.append_requests(client, keys, [request("evt_1")])
                kill(server)
                with pytest.raises(NotConnected):
                    await log.append_requests(client, keys, [request("evt_2")])
                server.start()
                [kept] = await log.append_requests(client, keys, [request("evt_2")])
                assert kept.accepted

    asyncio.run(through_a_restart())


def test_an_append_given_up_halfway_leaves_no_answer_behind_for_the_next(redis_url: str, keys: Keys) -> None:
    async def give_up_then_go_on() -> None:
        async with connect_async(LedgerSettings(redis_url=redis_url)) as client:
            for number in range(20):
                task = asyncio.create_task(
                    log.append_requests(client, keys, [request(f"gone_{number}", source="a")])
                )
                for _ in range(number):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                [kept] = await log.append_requests(client, keys, [request("x", "y", "z")])
                assert len(kept.accepted) == 3

    asyncio.run(give_up_then_go_on())


def test_several_entries_are_appended_together_in_order(redis: Redis, keys: Keys) -> None:
    entries = [(Lane.CONTROL, Claimed(at=n, effect="e", attempt=n, timeout_ms=1)) for n in (1, 2)]

    positions = log.append_many(redis, keys, [*entries, (Lane.BULK, signal())])

    assert [at[0] for at in positions] == ["c", "c", "b"]
    assert positions[0] < positions[1]
    found = log.read(redis, keys, {Lane.CONTROL: log.START}, 10, 0)[Lane.CONTROL]
    assert [decode_entry(raw) for _, raw in found] == [entry for _, entry in entries]


def test_one_entry_is_appended_and_its_position_returned(redis: Redis, keys: Keys) -> None:
    at = log.append(redis, keys, Lane.URGENT, signal())

    found = log.find(redis, keys, at)
    assert found is not None
    assert decode_entry(found.raw) == signal()
    assert found.raw_id == ""
