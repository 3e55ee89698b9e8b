from collections.abc import Callable
from functools import partial

import msgspec
from desk import outage
from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from kept import alert, commit, delivery, incident, run, timer
from redis import Redis

from ledger.keys import Keys
from ledger.state import cursor, load_state
from ledger.tables import OWNED, RECORDS
from routing.alerts.hints import Hint
from routing.decision import Change, Decision, Drop, Put, Retire, Table
from routing.delivery import Ration
from routing.entry import Lane, OverrideSet, SilenceSet, SwitchSet
from routing.incident import Deploy, Window
from routing.public import Health, Public, Said, Word
from routing.record import Record
from routing.run import TargetRecord
from routing.state import Fact, State
from routing.trial import Trial

Contents = tuple[dict[Table, dict[str, Record]], dict[str, str], dict[str, dict[Table, set[str]]]]


def contents(state: State) -> Contents:
    """What two states are compared by; empty sets of keys say nothing."""
    owned = {
        owner: {table: set(keys) for table, keys in tables.items() if keys}
        for owner, tables in state.owned.items()
    }
    return state.tables, state.open_groups, {owner: tables for owner, tables in owned.items() if tables}


SHARED: dict[Table, Callable[[str, int], Record]] = {
    Table.WINDOW: lambda key, n: Window(key=key, times=[n], tally={n: n}, others={n: 1}, came_at=n),
    Table.NOTICE: lambda key, n: msgspec.structs.replace(delivery("INC-1", key), incident="", created_at=n),
    Table.RATION: lambda key, n: Ration(key=key, times=[n], held=n),
    Table.DEPLOY: lambda key, n: Deploy(id=key, project="p", at=n),
    Table.TARGET: lambda key, n: TargetRecord(key=key, started=[n], failures=n),
    Table.SILENCE: lambda key, n: SilenceSet(at=n, id=key, matchers=["a=b"], until_at=n, by="ana"),
    Table.OVERRIDE: lambda key, n: OverrideSet(
        at=n, id=key, schedule="s", contact="ana", from_at=n, until_at=n + 1
    ),
    Table.SWITCH: lambda key, n: SwitchSet(at=n, name=key, on=bool(n % 2)),
    Table.FACT: lambda _key, n: Fact(value=str(n)),
    Table.HINT: lambda _key, n: Hint(event=outage(vendor_id=str(n)), at=n),
    Table.TRIAL: lambda key, n: Trial(
        id=key, contact="anna", channel="sms", address="+48", code="123456", until_at=n, guesses=n % 5
    ),
    Table.PUBLIC: lambda key, n: Public(
        id=key,
        title="t",
        began_at=n,
        names={"site": "Website"},
        health=Health.MAJOR,
        words=[Word(at=n, said=Said.INVESTIGATING, text="t")],
    ),
}
"""Tables without owners, and how to make their records."""


def test_every_table_has_its_kind_of_record() -> None:
    assert set(RECORDS) == set(Table)
    assert set(OWNED) | set(SHARED) | {Table.INCIDENT, Table.TIMER} == set(Table)


def test_nothing_stored_loads_as_an_empty_state(redis: Redis, keys: Keys) -> None:
    assert contents(load_state(redis, keys)) == contents(State())
    assert cursor(redis, keys).positions == dict.fromkeys(Lane, "0-0")


def test_a_table_larger_than_one_page_loads_whole(redis: Redis, keys: Keys) -> None:
    puts = (Put(Table.ALERT, f"fp{n}", alert(f"fp{n}"), "INC-1") for n in range(4_500))
    timers = (Put(Table.TIMER, timer(f"INC-{n}").id, timer(f"INC-{n}")) for n in range(4_500))
    commit(redis, keys, Decision((Put(Table.INCIDENT, "INC-1", incident()), *puts, *timers)))

    state = load_state(redis, keys)

    assert len(state.tables[Table.ALERT]) == len(state.timers()) == 4_500
    assert len(state.keys_of("INC-1", Table.ALERT)) == 4_500


def test_many_incidents_load_with_what_they_own(redis: Redis, keys: Keys) -> None:
    changes: list[Change] = []
    for number in range(1, 1_200):
        owner = f"INC-{number}"
        changes.append(Put(Table.INCIDENT, owner, incident(number)))
        changes.append(Put(Table.DELIVERY, f"{owner}-d1", delivery(f"{owner}-d1", owner), owner))
    commit(redis, keys, Decision(tuple(changes)))

    state = load_state(redis, keys)

    assert len(state.tables[Table.INCIDENT]) == len(state.tables[Table.DELIVERY]) == 1_199
    assert state.keys_of("INC-700", Table.DELIVERY) == {"INC-700-d1"}


def test_an_alert_that_moved_on_is_the_newer_incidents(redis: Redis, keys: Keys) -> None:
    commit(
        redis,
        keys,
        Decision((Put(Table.INCIDENT, "INC-9", incident(9)), Put(Table.INCIDENT, "INC-10", incident(10)))),
        Decision((Put(Table.ALERT, "fp", alert("fp", "INC-9"), "INC-9"),)),
        Decision((Put(Table.ALERT, "fp", alert("fp", "INC-10"), "INC-10"),)),
    )

    state = load_state(redis, keys)

    assert state.get(Table.ALERT, "fp") == alert("fp", "INC-10")
    assert state.keys_of("INC-9", Table.ALERT) == set()


NUMBERS = st.integers(1, 3)
VALUES = st.integers(0, 9)


class Author:
    """Makes changes as a fold may: a retired incident stays away, alerts move to newer incidents only."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.live: set[int] = set()
        self.retired: set[int] = set()
        self.alert_owner: dict[str, int] = {}

    def decision(self) -> Decision:
        return Decision(tuple(change for _ in range(self.draw(st.integers(0, 4))) for change in self.some()))

    def some(self) -> list[Change]:
        number = self.draw(st.integers(1, 5).filter(lambda each: each not in self.retired))
        if number not in self.live:
            return self.put_incident(number)
        kinds = [self.put_incident, self.put_alert, self.put_delivery, self.drop_delivery, self.put_run]
        kinds += [self.put_timer, self.drop_timer, self.shared]
        if number == min(self.live) and len(self.retired) < 3:
            kinds.append(self.retire)
        return self.draw(st.sampled_from(kinds))(number)

    def put_incident(self, number: int) -> list[Change]:
        self.live.add(number)
        group = self.draw(st.sampled_from(["", f"group-{number}"]))
        record = incident(number, events=self.draw(VALUES), group=group)
        return [Put(Table.INCIDENT, record.id, record)]

    def retire(self, number: int) -> list[Change]:
        self.live.discard(number)
        self.retired.add(number)
        self.alert_owner = {fp: owner for fp, owner in self.alert_owner.items() if owner != number}
        return [Retire(f"INC-{number}")]

    def put_alert(self, number: int) -> list[Change]:
        fingerprint = f"fp{self.draw(NUMBERS)}"
        number = self.alert_owner[fingerprint] = max(number, self.alert_owner.get(fingerprint, 0))
        owner = f"INC-{number}"
        return [Put(Table.ALERT, fingerprint, alert(fingerprint, owner, count=self.draw(VALUES)), owner)]

    def put_delivery(self, number: int) -> list[Change]:
        owner = f"INC-{number}"
        name = f"{owner}-d{self.draw(NUMBERS)}"
        return [Put(Table.DELIVERY, name, delivery(name, owner, attempt=self.draw(VALUES)), owner)]

    def drop_delivery(self, number: int) -> list[Change]:
        return [Drop(Table.DELIVERY, f"INC-{number}-d{self.draw(NUMBERS)}", f"INC-{number}")]

    def put_run(self, number: int) -> list[Change]:
        owner = f"INC-{number}"
        name = f"{owner}-r{self.draw(NUMBERS)}"
        return [Put(Table.RUN, name, run(name, owner, verified=self.draw(VALUES)), owner)]

    def put_timer(self, number: int) -> list[Change]:
        due = timer(f"INC-{number}", self.draw(VALUES), owner=f"INC-{number}")
        return [Put(Table.TIMER, due.id, due, due.incident)]

    def drop_timer(self, number: int) -> list[Change]:
        return [Drop(Table.TIMER, timer(f"INC-{number}").id, f"INC-{number}")]

    def shared(self, number: int) -> list[Change]:
        table = self.draw(st.sampled_from(sorted(SHARED)))
        key = f"key{max(number, self.draw(NUMBERS))}"
        if self.draw(st.booleans()):
            return [Put(table, key, SHARED[table](key, self.draw(VALUES)))]
        return [Drop(table, key)]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Decision]]:
    """Batches of decisions."""
    author = Author(draw)
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    return [[author.decision() for _ in range(size)] for size in sizes]


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=histories())
def test_what_is_committed_and_loaded_is_what_was_applied_in_memory(
    history: list[list[Decision]], redis: Redis, keys: Keys
) -> None:
    redis.flushall()
    applied = State()
    for batch in history:
        for decision in batch:
            applied.apply(decision)
        commit(redis, keys, *batch)

    loaded = load_state(redis, keys)

    assert contents(loaded) == contents(applied)
    for each in applied.timers().values():
        assert redis.zscore(keys.timers, each.id) == each.at


def test_loading_is_the_same_however_the_batches_were_cut(redis: Redis, keys: Keys) -> None:
    decisions = [
        Decision((Put(Table.INCIDENT, "INC-1", incident(events=n)), Put(Table.ALERT, "fp", alert(count=n), "INC-1")))
        for n in range(6)
    ]  # fmt: skip
    loaded = []
    for size in (1, 2, 6):
        redis.flushall()
        write = partial(commit, redis, keys)
        for start in range(0, 6, size):
            write(*decisions[start : start + size])
        loaded.append(contents(load_state(redis, keys)))

    assert loaded[0] == loaded[1] == loaded[2]
