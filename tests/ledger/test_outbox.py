from kept import commit, deliver
from racing import race
from redis import Redis

from ledger import log, outbox
from ledger.connection import connect
from ledger.keys import Keys
from ledger.outbox import Pending
from ledger.settings import LedgerSettings
from routing.decision import Decision, Withdraw
from routing.effect import AnyEffect, Step
from routing.entry import Claimed, Lane, decode_entry

STEP = Step(
    id="INC-1-r1/rollback", attempt=1, incident="INC-1", run="INC-1-r1", step="rollback",
    action="vercel.rollback", params={"n": 12345678901234567, "deep": [[{"x": 1.5}]]}, timeout_ms=5,
)  # fmt: skip


def want(redis: Redis, keys: Keys, *effects: AnyEffect) -> None:
    commit(redis, keys, Decision(effects=effects))


def told(redis: Redis, keys: Keys) -> list[object]:
    found = log.read(redis, keys, {Lane.CONTROL: log.START}, 100, 0)
    return [decode_entry(raw) for _, raw in found.get(Lane.CONTROL, [])]


def test_a_claim_gives_the_effect_and_tells_the_log_at_once(redis: Redis, keys: Keys) -> None:
    want(redis, keys, STEP, deliver())

    assert outbox.claim(redis, keys, STEP.id, 1, "worker 7", 900, 5) == STEP
    assert told(redis, keys) == [Claimed(at=5, by="worker 7", effect=STEP.id, attempt=1, timeout_ms=900)]
    assert outbox.find(redis, keys, STEP.id) == Pending(STEP, "worker 7", 5)
    assert outbox.find(redis, keys, "INC-1-d1") == Pending(deliver())


def test_of_many_workers_one_gets_the_effect(redis: Redis, redis_url: str, keys: Keys) -> None:
    want(redis, keys, deliver())

    def claim(number: int) -> AnyEffect | None:
        with connect(LedgerSettings(redis_url=redis_url)) as client:
            return outbox.claim(client, keys, "INC-1-d1", 1, f"w{number}", 900, 5)

    results = race(claim, 8)

    assert len([each for each in results if each is not None]) == 1
    assert len(told(redis, keys)) == 1


def test_a_second_claim_of_the_same_attempt_gets_nothing(redis: Redis, keys: Keys) -> None:
    want(redis, keys, deliver())
    assert outbox.claim(redis, keys, "INC-1-d1", 1, "w", 900, 5)

    want(redis, keys, deliver())

    assert outbox.claim(redis, keys, "INC-1-d1", 1, "w", 900, 5) is None


def test_the_next_attempt_can_be_claimed_and_the_last_one_not_any_more(redis: Redis, keys: Keys) -> None:
    want(redis, keys, deliver())
    assert outbox.claim(redis, keys, "INC-1-d1", 1, "w", 900, 5)
    want(redis, keys, deliver(attempt=2, repeat=True))

    assert outbox.find(redis, keys, "INC-1-d1") == Pending(deliver(attempt=2, repeat=True))
    assert outbox.claim(redis, keys, "INC-1-d1", 1, "late", 900, 5) is None
    assert outbox.claim(redis, keys, "INC-1-d1", 2, "w", 900, 6) == deliver(attempt=2, repeat=True)


def test_only_the_attempt_in_the_outbox_can_be_claimed(redis: Redis, keys: Keys) -> None:
    want(redis, keys, deliver(attempt=2))

    assert outbox.claim(redis, keys, "INC-1-d1", 1, "superseded", 900, 5) is None
    assert outbox.claim(redis, keys, "INC-1-d1", 3, "not yet", 900, 5) is None
    assert outbox.claim(redis, keys, "INC-1-d1", 2, "w", 900, 5)


def test_what_is_withdrawn_or_unknown_cannot_be_claimed(redis: Redis, keys: Keys) -> None:
    want(redis, keys, deliver())
    commit(redis, keys, Decision((Withdraw("INC-1-d1"),)))

    assert outbox.claim(redis, keys, "INC-1-d1", 1, "w", 900, 5) is None
    assert outbox.claim(redis, keys, "nothing", 1, "w", 900, 5) is None
    assert outbox.pending(redis, keys) == []
    assert told(redis, keys) == []
