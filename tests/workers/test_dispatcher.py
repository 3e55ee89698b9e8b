"""The dispatcher against a real server, with small decisions of our own making."""

import threading
import time
from collections.abc import Callable

import pytest
from kept import deliver
from redis import Redis
from redis.client import Pipeline

from ledger import dead
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.commit import commit
from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.settings import LedgerSettings
from ledger.state import cursor
from routing.decision import Decision, Put, Table
from routing.effect import AnyEffect
from routing.entry import AnyEntry, Command, Lane, PolicySet, TimerDue, Verb
from routing.policy import Policy
from routing.record import decode, encode
from routing.state import Fact, State
from routing.timer import Timer, Wake
from workers.dispatcher import Dispatcher, Ports
from workers.fold import BATCH
from workers.renewal import renewed


class FakePolicy:
    """Only its version matters here."""

    def __init__(self, version: str) -> None:
        self.version = version


class Shelf:
    def by_version(self, version: str) -> Policy:
        return FakePolicy(version)  # type: ignore[return-value]

    def current(self) -> Policy:
        return self.by_version("published")


def count(policy: Policy, state: State, entry: AnyEntry, _entry_id: str, _now: int) -> Decision:
    """Each entry adds itself and the deciding policy to a list kept in the state."""
    known = state.get(Table.FACT, "seen")
    seen = known.value if isinstance(known, Fact) else ""
    changes = [Put(Table.FACT, "seen", Fact(value=f"{seen}{_text(entry)}@{policy.version} "))]
    if isinstance(entry, PolicySet):
        changes.append(Put(Table.FACT, "policy", Fact(value=entry.version)))
    return Decision(tuple(changes))


def _text(entry: AnyEntry) -> str:
    match entry:
        case Command(text=text):
            return text
        case TimerDue(timer=timer):
            return f"timer:{timer}"
    return entry.__class__.__name__


def nothing(_pipe: Pipeline, _effects: list[AnyEffect]) -> None:
    return None


def note(text: str) -> Command:
    return Command(at=1, incident="INC-1", verb=Verb.NOTE, text=text)


def seen(client: Redis, keys: Keys) -> str:
    raw = client.hget(keys.state("fact"), "seen")
    return decode(Fact, raw).value if isinstance(raw, bytes) else ""


@pytest.fixture
def other(redis_url: str) -> Redis:
    """A second connection, as another process has it."""
    return connect(LedgerSettings(redis_url=redis_url))


def dispatcher(client: Redis, keys: Keys, decide: object = count, **ports: object) -> Dispatcher:
    given = {"decide": decide, "policies": Shelf(), "enqueue": nothing, **ports}
    return Dispatcher(client, keys, Ports(**given))  # type: ignore[arg-type]


def serve(each: Dispatcher, until: Callable[[], bool], deadline_s: float = 5.0) -> None:
    """Dispatch until the condition holds; fail at the deadline."""
    ends = time.monotonic() + deadline_s
    each.serve(lambda: until() or time.monotonic() > ends, deadline_s)
    assert until(), "the dispatcher did not get there in time"


def settled(client: Redis, keys: Keys, entries: int) -> Callable[[], bool]:
    return lambda: cursor(client, keys).decided >= entries


def test_entries_are_decided_once_and_in_order(redis: Redis, keys: Keys) -> None:
    for text in "abc":
        ledger_log.append(redis, keys, Lane.BULK, note(text))
    serve(dispatcher(redis, keys), settled(redis, keys, 3))
    ledger_log.append(redis, keys, Lane.BULK, note("d"))
    serve(dispatcher(redis, keys), settled(redis, keys, 4))
    assert seen(redis, keys) == "a@published b@published c@published d@published "


def test_control_goes_before_urgent_before_bulk(redis: Redis, keys: Keys) -> None:
    ledger_log.append(redis, keys, Lane.BULK, note("bulk"))
    ledger_log.append(redis, keys, Lane.URGENT, note("urgent"))
    ledger_log.append(redis, keys, Lane.CONTROL, note("control"))
    serve(dispatcher(redis, keys), settled(redis, keys, 3))
    assert [word.split("@")[0] for word in seen(redis, keys).split()] == ["control", "urgent", "bulk"]


def test_an_urgent_entry_waits_for_one_batch_of_a_storm_at_most(
    redis: Redis, keys: Keys, other: Redis
) -> None:
    pipe = redis.pipeline()
    for _ in range(2_000):
        pipe.xadd(
            keys.log(Lane.BULK), {"e": b'{"type":"command","at":1,"incident":"I","verb":"note","text":"b"}'}
        )
    pipe.execute()
    order: list[str] = []

    def watch(_policy: Policy, _state: State, _entry: AnyEntry, entry_id: str, _now: int) -> Decision:
        if not order:
            ledger_log.append(other, keys, Lane.URGENT, note("u"))
        order.append(entry_id[0])
        return Decision()

    serve(dispatcher(redis, keys, watch), settled(redis, keys, 2_001))
    assert order.index("u") <= 400


def test_an_entry_that_cannot_be_decoded_is_buried_alone(redis: Redis, keys: Keys) -> None:
    ledger_log.append(redis, keys, Lane.BULK, note("a"))
    redis.xadd(keys.log(Lane.BULK), {"e": b"nonsense"})
    ledger_log.append(redis, keys, Lane.BULK, note("b"))
    serve(dispatcher(redis, keys), settled(redis, keys, 3))
    (letter,) = dead.listing(redis, keys).letters
    assert (letter.kind, letter.raw) == ("undecidable", b"nonsense")
    assert "JSON is malformed" in letter.why
    assert seen(redis, keys) == "a@published b@published "


def test_an_entry_whose_fold_raises_is_buried_with_its_traceback(redis: Redis, keys: Keys) -> None:
    def fragile(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
        if _text(entry) == "bad":
            raise ValueError("cannot fold this")
        return count(policy, state, entry, entry_id, now)

    for text in ("a", "bad", "b"):
        ledger_log.append(redis, keys, Lane.BULK, note(text))
    serve(dispatcher(redis, keys, fragile), settled(redis, keys, 3))
    (letter,) = dead.listing(redis, keys).letters
    assert letter.why == "ValueError: cannot fold this"
    assert "fragile" in letter.traceback
    assert seen(redis, keys) == "a@published b@published "


def test_an_entry_whose_decision_cannot_be_written_is_found_and_buried(redis: Redis, keys: Keys) -> None:
    def unwritable(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
        if _text(entry) == "bad":
            return Decision((Put(Table.FACT, "bad", Fact(value=object())),))  # type: ignore[arg-type]
        return count(policy, state, entry, entry_id, now)

    for text in ("a", "bad", "b"):
        ledger_log.append(redis, keys, Lane.BULK, note(text))
    serve(dispatcher(redis, keys, unwritable), settled(redis, keys, 3))
    (letter,) = dead.listing(redis, keys).letters
    assert "cannot be committed" in letter.why
    assert seen(redis, keys) == "a@published b@published "


def test_an_endless_fold_is_interrupted_and_buried(redis: Redis, keys: Keys) -> None:

    def endless(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
        while _text(entry) == "bad":
            pass
        return count(policy, state, entry, entry_id, now)

    for text in ("a", "bad", "b"):
        ledger_log.append(redis, keys, Lane.BULK, note(text))
    serve(dispatcher(redis, keys, endless, entry_s=0.2), settled(redis, keys, 3))
    (letter,) = dead.listing(redis, keys).letters
    assert "did not end within" in letter.why
    assert seen(redis, keys) == "a@published b@published "


def test_a_policy_entry_switches_the_policy_for_itself_and_what_follows(redis: Redis, keys: Keys) -> None:
    ledger_log.append(redis, keys, Lane.CONTROL, note("a"))
    ledger_log.append(redis, keys, Lane.CONTROL, PolicySet(at=1, version="v2"))
    ledger_log.append(redis, keys, Lane.CONTROL, note("b"))
    serve(dispatcher(redis, keys), settled(redis, keys, 3))
    assert seen(redis, keys) == "a@published PolicySet@v2 b@v2 "
    ledger_log.append(redis, keys, Lane.CONTROL, note("c"))
    serve(dispatcher(redis, keys), settled(redis, keys, 4))
    assert seen(redis, keys).endswith("c@v2 ")


def test_a_due_timer_is_fired_within_20_ms_when_idle(redis: Redis, keys: Keys) -> None:
    late: list[int] = []

    def wake(_policy: Policy, _state: State, entry: AnyEntry, _entry_id: str, _now: int) -> Decision:
        if isinstance(entry, TimerDue):
            late.append(now_ms() - entry.due_at)
            return Decision()
        timer = Timer(id="escalate:X", wake=Wake.ESCALATE, subject="X", at=now_ms() + 400)
        return Decision((Put(Table.TIMER, timer.id, timer),))

    ledger_log.append(redis, keys, Lane.BULK, note("set"))
    serve(dispatcher(redis, keys, wake), lambda: bool(late))
    assert 0 <= late[0] <= 20


def test_only_one_of_two_dispatchers_decides(redis: Redis, keys: Keys, other: Redis) -> None:
    holder = dispatcher(redis, keys)
    ledger_log.append(redis, keys, Lane.BULK, note("a"))
    holder.serve(lambda: False, 0.3)
    standby = dispatcher(other, keys)
    ledger_log.append(redis, keys, Lane.BULK, note("b"))
    standby.serve(lambda: False, 0.6)
    assert seen(redis, keys) == "a@published "
    holder.serve(lambda: False, 0.2)
    assert seen(redis, keys) == "a@published b@published "


def test_a_standby_takes_over_when_the_holder_falls_silent(redis: Redis, keys: Keys, other: Redis) -> None:
    dispatcher(redis, keys).serve(lambda: False, 0.2)
    ledger_log.append(redis, keys, Lane.BULK, note("a"))
    began = time.monotonic()
    serve(dispatcher(other, keys), settled(other, keys, 1))
    assert time.monotonic() - began < 10


def test_a_holder_that_stops_gives_the_lease_back_at_once(redis: Redis, keys: Keys, other: Redis) -> None:
    ledger_log.append(redis, keys, Lane.BULK, note("a"))
    serve(dispatcher(redis, keys), settled(redis, keys, 1))
    ledger_log.append(redis, keys, Lane.BULK, note("b"))
    began = time.monotonic()
    serve(dispatcher(other, keys), settled(other, keys, 2))
    assert time.monotonic() - began < 1.8  # without waiting for the lease to run out


def test_what_was_cached_before_a_takeover_is_not_committed(redis: Redis, keys: Keys, other: Redis) -> None:
    """A holder that slept past its lease meets a moved fence, and starts over from what is stored."""
    slept: list[str] = []

    def sleepy(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
        if not slept:
            slept.append(entry_id)
            redis.delete(keys.lease)
            usurper = Lease(other, keys)
            fence = usurper.acquire()
            assert fence is not None
            decided = count(policy, State(), note("theirs"), entry_id, now)
            commit(other, keys, fence, [(Lane.BULK, entry_id, decided)], {Lane.BULK: entry_id}, nothing, now)
            usurper.release()
        return count(policy, state, entry, entry_id, now)

    ledger_log.append(redis, keys, Lane.BULK, note("a"))
    ledger_log.append(redis, keys, Lane.BULK, note("b"))
    serve(dispatcher(redis, keys, sleepy), settled(redis, keys, 2))
    assert seen(redis, keys) == "theirs@published b@published "


def test_a_takeover_while_a_batch_is_being_written_and_the_next_decided_neither_loses_nor_doubles(
    redis: Redis, keys: Keys, other: Redis
) -> None:
    met: list[str] = []

    def taken_over(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
        met.append(entry_id)
        if len(met) == BATCH + 1:
            redis.delete(keys.lease)
            usurper = Lease(other, keys)
            assert usurper.acquire() is not None
            usurper.release()
        return count(policy, state, entry, entry_id, now)

    numbers = [str(number) for number in range(2 * BATCH + 1)]
    ledger_log.append_many(redis, keys, [(Lane.BULK, note(number)) for number in numbers])
    serve(dispatcher(redis, keys, taken_over), settled(redis, keys, len(numbers)))
    assert [word.split("@")[0] for word in seen(redis, keys).split()] == numbers
    assert len(met) > len(numbers), "what had been decided in vain was decided again"
    assert cursor(redis, keys).decided == len(numbers)


def test_a_commit_that_the_server_refuses_is_tried_again_later_and_later(redis: Redis, keys: Keys) -> None:
    """Also where the refusal is heard of only as the next batch was decided."""
    tried: list[float] = []

    def broken(pipe: Pipeline, _effects: list[AnyEffect]) -> None:
        tried.append(time.monotonic())
        if time.monotonic() - tried[0] < 1.5:
            pipe.execute_command("NONSENSE")  # type: ignore[no-untyped-call]

    def paging(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
        return Decision(count(policy, state, entry, entry_id, now).changes, (deliver(entry_id),))

    ledger_log.append_many(redis, keys, [(Lane.BULK, note("n"))] * (BATCH + 1))
    serve(dispatcher(redis, keys, paging, enqueue=broken), settled(redis, keys, BATCH + 1), 10)
    assert len(tried) < 10
    assert len(seen(redis, keys).split()) == cursor(redis, keys).decided == BATCH + 1


def test_chores_run_only_while_the_lease_is_held(redis: Redis, keys: Keys, other: Redis) -> None:
    held: list[State] = []
    stood_by: list[bool] = []
    holder = dispatcher(redis, keys, chores=(held.append,))
    standby = dispatcher(other, keys, chores=(held.append,), on_standby=lambda: stood_by.append(True))
    holder.serve(lambda: False, 0.1)
    before = len(held)
    standby.serve(lambda: False, 0.5)
    assert before
    assert len(held) == before
    assert stood_by


def test_the_lease_is_kept_while_a_large_state_loads(redis: Redis, keys: Keys, other: Redis) -> None:
    lease = Lease(redis, keys, ttl_ms=600)
    assert lease.acquire() is not None
    before = threading.active_count()
    with renewed(lease):
        time.sleep(1.2)
        assert Lease(other, keys).acquire() is None
    threads = threading.active_count()
    time.sleep(0.7)
    assert Lease(other, keys).acquire() is not None
    assert threads <= before


def test_a_timer_that_is_set_in_the_state_alone_is_due_again_after_a_load(redis: Redis, keys: Keys) -> None:
    """It came due, its entry was set aside, and nothing would ever fire it again."""
    ledger_log.append(redis, keys, Lane.BULK, note("a"))
    serve(dispatcher(redis, keys), settled(redis, keys, 1))
    forgotten = Timer(id="escalate:INC-9", wake=Wake.ESCALATE, subject="INC-9", at=now_ms() + 3_600_000)
    redis.hset(keys.state("timer"), forgotten.id, encode(forgotten))
    assert redis.zscore(keys.timers, forgotten.id) is None
    dispatcher(redis, keys).serve(lambda: False, 0.2)
    assert redis.zscore(keys.timers, forgotten.id) == forgotten.at
