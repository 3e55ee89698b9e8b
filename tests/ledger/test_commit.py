import pytest
import redis as library
from embedded import kill, running_server
from kept import alert, commit, deliver, delivery, incident, timer
from racing import race
from redis import Redis
from redis.client import Pipeline

from ledger import commit as ledger_commit
from ledger import dead, outbox
from ledger.commit import FenceLost, Writer
from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.settings import LedgerSettings
from ledger.state import cursor
from routing.decision import Bury, Decision, Drop, Note, Put, Retire, Table, Withdraw
from routing.effect import AnyEffect
from routing.entry import Lane, SwitchSet
from routing.incident import Moment, Verdict

PUT = Put(Table.ALERT, "fp", alert(), "INC-1")


def stored(redis: Redis) -> set[bytes | str]:
    return set(redis.keys("*"))


def test_everything_a_decision_says_is_written(redis: Redis, keys: Keys) -> None:
    verdict = Verdict(at=1, did="opened", incident="INC-1")
    due = timer()
    commit(
        redis,
        keys,
        Decision(
            changes=(
                Put(Table.INCIDENT, "INC-1", incident()),
                PUT,
                Put(Table.DELIVERY, "INC-1-d1", delivery(), "INC-1"),
                Put(Table.TIMER, due.id, due, "INC-1"),
                Note("INC-1", Moment(at=1, what="opened")),
                Note("INC-1", Moment(at=2, what="paged")),
            ),
            effects=(deliver(),),
            verdict=verdict,
        ),
        now=77,
    )

    assert redis.hlen(keys.state("incident")) == 1
    assert redis.hlen(keys.owned("INC-1", "alert")) == redis.hlen(keys.owned("INC-1", "delivery")) == 1
    assert redis.zscore(keys.timers, due.id) == due.at
    assert redis.lrange(keys.timeline("INC-1"), 0, -1) == [
        b'{"at":1,"what":"opened"}',
        b'{"at":2,"what":"paged"}',
    ]
    assert [each.effect for each in outbox.pending(redis, keys)] == [deliver()]
    assert redis.hkeys(keys.verdicts("bulk", 0)) == [b"b1-0"]
    now = cursor(redis, keys)
    assert (now.positions[Lane.BULK], now.decided, now.decided_at) == ("b1-0", 1, 77)


def test_of_several_changes_of_one_record_the_last_is_written(redis: Redis, keys: Keys) -> None:
    early, late = timer(at=100), timer(at=200)
    commit(
        redis,
        keys,
        Decision((PUT, Put(Table.TIMER, early.id, early), Put(Table.TIMER, "gone", timer("gone")))),
        Decision((Put(Table.ALERT, "fp", alert(count=9), "INC-1"), Drop(Table.TIMER, "gone"))),
        Decision((Drop(Table.TIMER, early.id), Put(Table.TIMER, late.id, late))),
    )

    assert b'"count":9' in redis.hgetall(keys.owned("INC-1", "alert"))[b"fp"]
    assert redis.zrange(keys.timers, 0, -1, withscores=True) == [(late.id.encode(), 200.0)]
    assert redis.hkeys(keys.state("timer")) == [late.id.encode()]


def test_a_dropped_record_is_gone(redis: Redis, keys: Keys) -> None:
    commit(redis, keys, Decision((PUT, Put(Table.TIMER, "t", timer()))))
    commit(redis, keys, Decision((Drop(Table.ALERT, "fp", "INC-1"), Drop(Table.TIMER, "t"))), first=2)

    assert not redis.exists(keys.owned("INC-1", "alert"), keys.state("timer"), keys.timers)


def test_an_owned_record_without_an_owner_is_refused_as_a_whole(redis: Redis, keys: Keys) -> None:
    with pytest.raises(ValueError, match="alert names no incident"):
        commit(redis, keys, Decision((Put(Table.TIMER, "t", timer()), Put(Table.ALERT, "fp", alert()))))

    assert stored(redis) == set()


def test_a_withdrawn_effect_leaves_the_outbox_with_its_claim(redis: Redis, keys: Keys) -> None:
    commit(redis, keys, Decision(effects=(deliver(),)))
    assert outbox.claim(redis, keys, "INC-1-d1", 1, "w", 10, 5)

    commit(redis, keys, Decision((Withdraw("INC-1-d1"),)), first=2)

    assert not redis.exists(keys.outbox, keys.claims)


def test_an_effect_wanted_again_after_its_withdrawal_stays_and_can_be_claimed(
    redis: Redis, keys: Keys
) -> None:
    commit(redis, keys, Decision(effects=(deliver(),)))
    outbox.claim(redis, keys, "INC-1-d1", 1, "w", 10, 5)

    commit(redis, keys, Decision((Withdraw("INC-1-d1"),), (deliver(attempt=2),)), first=2)

    assert [each.effect.attempt for each in outbox.pending(redis, keys)] == [2]
    assert outbox.claim(redis, keys, "INC-1-d1", 2, "w", 10, 5)


def test_an_effect_withdrawn_later_in_the_batch_is_neither_kept_nor_enqueued(
    redis: Redis, keys: Keys
) -> None:
    enqueued: list[AnyEffect] = []
    batch = [
        (Lane.BULK, "b1-0", Decision(effects=(deliver("a"), deliver("b")))),
        (Lane.BULK, "b2-0", Decision((Withdraw("a"),))),
    ]

    ledger_commit.commit(
        redis, keys, 0, batch, {Lane.BULK: "b2-0"}, lambda _pipe, effects: enqueued.extend(effects), 5
    )

    assert [effect.id for effect in enqueued] == ["b"]
    assert redis.hkeys(keys.outbox) == [b"b"]


def test_jobs_are_queued_in_the_same_transaction(redis: Redis, keys: Keys) -> None:
    def enqueue(pipe: Pipeline, effects: list[AnyEffect]) -> None:
        pipe.rpush("jobs", *[effect.id for effect in effects])
        assert not redis.exists("jobs")

    batch = [(Lane.BULK, "b1-0", Decision(effects=(deliver(),)))]
    ledger_commit.commit(redis, keys, 0, batch, {}, enqueue, 5)

    assert redis.lrange("jobs", 0, -1) == [b"INC-1-d1"]


def test_work_given_up_becomes_a_dead_letter(redis: Redis, keys: Keys) -> None:
    error = "Traceback\n  line 1\nValueError: no such number"
    commit(redis, keys, Decision((Bury("undelivered", "INC-1-d1", "INC-1", error, b"raw"),)), now=9)

    [letter] = dead.listing(redis, keys).letters
    assert (letter.kind, letter.subject, letter.incident) == ("undelivered", "INC-1-d1", "INC-1")
    assert (letter.why, letter.traceback, letter.raw, letter.at) == (
        "ValueError: no such number", error, b"raw", 9,
    )  # fmt: skip


def test_a_retired_incident_waits_for_the_archive(redis: Redis, keys: Keys) -> None:
    commit(redis, keys, Decision((Put(Table.INCIDENT, "INC-1", incident()), Retire("INC-1"))), now=9)

    assert redis.zrange(keys.retired, 0, -1, withscores=True) == [(b"INC-1", 9.0)]


def test_the_kill_switch_is_mirrored_where_workers_ask_for_it(redis: Redis, keys: Keys) -> None:
    on = SwitchSet(at=1, name="kill", on=True, by="ana")
    commit(redis, keys, Decision((Put(Table.SWITCH, "kill", on),)))
    assert redis.exists(keys.kill)

    commit(redis, keys, Decision((Put(Table.SWITCH, "pause:shop", SwitchSet(at=1, name="p", on=False)),)))
    assert redis.exists(keys.kill)

    commit(redis, keys, Decision((Put(Table.SWITCH, "kill", SwitchSet(at=2, name="kill", on=False)),)))
    assert not redis.exists(keys.kill)


@pytest.mark.parametrize("end", [Drop(Table.SWITCH, "kill")])
def test_a_dropped_kill_switch_is_off(end: Drop, redis: Redis, keys: Keys) -> None:
    commit(redis, keys, Decision((Put(Table.SWITCH, "kill", SwitchSet(at=1, name="kill", on=True)),)))
    commit(redis, keys, Decision((end,)))

    assert not redis.exists(keys.kill)


def test_nothing_is_written_under_an_old_fence(redis: Redis, keys: Keys) -> None:
    old = Lease(redis, keys)
    fence = old.acquire()
    assert fence is not None
    old.release()
    Lease(redis, keys).acquire()
    before = stored(redis)

    with pytest.raises(FenceLost, match="another dispatcher"):
        commit(redis, keys, Decision((PUT,)), fence=fence)

    assert stored(redis) == before


def test_nothing_is_written_when_the_fence_moves_during_the_commit(redis: Redis, keys: Keys) -> None:
    def takeover(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
        redis.incr(keys.fence)

    batch = [(Lane.BULK, "b1-0", Decision((PUT,), (deliver(),)))]
    with pytest.raises(FenceLost):
        ledger_commit.commit(redis, keys, 0, batch, {Lane.BULK: "b1-0"}, takeover, 5)

    assert stored(redis) == {keys.fence.encode()}


def test_renewing_the_lease_does_not_abort_a_commit(redis: Redis, keys: Keys) -> None:
    lease = Lease(redis, keys)
    fence = lease.acquire()
    assert fence is not None

    def renew(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
        assert lease.renew()

    batch = [(Lane.BULK, "b1-0", Decision(effects=(deliver(),)))]
    ledger_commit.commit(redis, keys, fence, batch, {}, renew, 5)

    assert redis.hlen(keys.outbox) == 1


def test_a_server_that_dies_during_a_commit_is_an_unknown_outcome_not_a_lost_fence(keys: Keys) -> None:
    with running_server() as server, connect(LedgerSettings(redis_url=server.url)) as client:

        def die(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
            kill(server)

        def die_and_return(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
            kill(server)
            server.start()

        batch = [(Lane.BULK, "b1-0", Decision(effects=(deliver(),)))]
        for enqueue in (die, die_and_return):
            with pytest.raises(library.ConnectionError):
                ledger_commit.commit(client, keys, 0, batch, {}, enqueue, 5)
            server.start()
            assert not client.exists(keys.outbox)
        commit(client, keys, Decision((PUT,)))
        assert client.exists(keys.owned("INC-1", "alert"))


def test_a_batch_is_sent_at_once_and_true_once_it_is_settled(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    with connect(LedgerSettings(redis_url=redis_url)) as other:
        writer = Writer(redis, keys, 0, lambda _pipe, _effects: None)
        other.client_pause(60_000, all=False)
        writer.begin([(Lane.BULK, "b1-0", Decision((PUT,)))], {Lane.BULK: "b1-0"}, 5)
        under_way = stored(other)
        other.client_unpause()
        writer.settle()
        assert under_way == set()
        assert cursor(other, keys).positions[Lane.BULK] == "b1-0"


def test_a_command_that_the_server_refuses_is_told_before_the_next_batch_is_sent(
    redis: Redis, keys: Keys
) -> None:
    redis.set(keys.timeline("INC-1"), "no list")
    noted = Decision((Note("INC-1", Moment(at=1, what="opened")),))
    writer = Writer(redis, keys, 0, lambda _pipe, _effects: None)
    writer.begin([(Lane.BULK, "b1-0", noted)], {Lane.BULK: "b1-0"}, 5)
    with pytest.raises(library.ResponseError, match="WRONGTYPE"):
        writer.begin([(Lane.BULK, "b2-0", Decision((PUT,)))], {Lane.BULK: "b2-0"}, 6)
    assert not redis.exists(keys.owned("INC-1", "alert"))

    commit(redis, keys, Decision((PUT,)))
    assert redis.exists(keys.owned("INC-1", "alert"))


def test_a_transaction_that_the_server_refuses_says_why(redis: Redis, keys: Keys) -> None:
    def misspell(pipe: Pipeline, _effects: list[AnyEffect]) -> None:
        pipe.execute_command("NONSENSE")  # type: ignore[no-untyped-call]

    batch = [(Lane.BULK, "b1-0", Decision((PUT,), (deliver(),)))]
    with pytest.raises(library.ResponseError, match="unknown command"):
        ledger_commit.commit(redis, keys, 0, batch, {}, misspell, 5)

    assert stored(redis) == set()


def test_nobody_waits_for_a_batch_that_was_given_up(redis: Redis, keys: Keys) -> None:
    writer = Writer(redis, keys, 0, lambda _pipe, _effects: None)
    writer.begin([(Lane.BULK, "b1-0", Decision((PUT,)))], {Lane.BULK: "b1-0"}, 5)
    writer.close()

    commit(redis, keys, Decision(), first=2)
    assert cursor(redis, keys).positions[Lane.BULK] == "b2-0"


class Alarm(BaseException):
    """As a job timeout's exception: lands anywhere."""


def test_an_exception_from_outside_leaves_a_usable_connection(redis: Redis, keys: Keys) -> None:
    def alarm(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
        raise Alarm

    batch = [(Lane.BULK, "b1-0", Decision((PUT,), (deliver(),)))]
    with pytest.raises(Alarm):
        ledger_commit.commit(redis, keys, 0, batch, {}, alarm, 5)

    assert stored(redis) == set()
    commit(redis, keys, Decision((PUT,)))
    assert redis.exists(keys.owned("INC-1", "alert"))


def test_of_many_writers_with_one_fence_each_commit_is_whole(
    redis: Redis, redis_url: str, keys: Keys
) -> None:
    """Two processes that both believe in the same fence cannot happen; that they do not tear is cheap."""

    def write(number: int) -> None:
        with connect(LedgerSettings(redis_url=redis_url)) as client:
            for count in range(20):
                at = timer("t", at=number * 100 + count)
                commit(client, keys, Decision((Put(Table.TIMER, at.id, at),)))

    race(write, 4)

    score = redis.zscore(keys.timers, timer("t").id)
    assert score is not None
    assert f'"at":{int(score)}'.encode() in redis.hgetall(keys.state("timer"))[timer("t").id.encode()]
