"""Ending idle sessions and long queries on a real server: those, at most so many, and nobody else's."""

from typing import Any

import pytest
from acting import act, failure
from frozen_wire import FrozenWire
from postgres_server import OWNER, PASSWORD
from shop import BLIND, TOCSIN, WEB, Shop, alive
from working import until

from routing.entry import Outcome
from workers.journal import journal

OLD = {"older_than_s": 1}
APP = {"app_roles": f'["{WEB}"]'}


def aged(shop: Shop, count: int, of: str = "endable") -> None:
    """Until so many are old enough."""
    limits = {"idle_older_than_s": 1, "active_longer_than_s": 1}
    until(lambda: act("connections", shop.step(), **limits)[of] >= count)


def test_more_than_eighty_idle_sessions_are_ended_and_who_works_and_who_looks_are_not(shop: Shop) -> None:
    idle, busy = shop.open(85), shop.busy(3)
    aged(shop, 85)
    before = act("connections", shop.step())
    found = act("end_idle", shop.step(timeout_s=30), **OLD, most=100)
    assert (found["found"], found["ended"], found["left"], found["affects"]) == (85, 85, 0, 85)
    assert alive(idle) == []
    assert [each.pgconn.is_busy() for each in busy] == [1, 1, 1]
    after = act("connections", shop.step())
    assert (before["percent"] >= 80, after["percent"] < 70) == (True, True)
    assert after["by_state"]["active"] == 3
    shop.owner.execute("SELECT 1")


def test_no_more_than_so_many_are_ended_and_the_longest_idle_ones_first(shop: Shop) -> None:
    first, later = shop.open(3), []
    aged(shop, 3)
    later += shop.open(3)
    aged(shop, 6)
    found = act("end_idle", shop.step(), **OLD, most=3)
    assert (found["found"], found["most"], found["ended"]) == (6, 3, 3)
    assert (alive(first), alive(later)) == ([], later)
    assert {each["role"] for each in found["sessions"]} == {WEB}


def test_no_more_are_ended_than_it_takes_and_done_again_none(shop: Shop) -> None:
    idle = shop.open(30)
    aged(shop, 30)
    total = act("connections", shop.step())["total"]
    found = act("end_idle", shop.step(), **OLD, below_percent=20)
    assert (found["found"], found["ended"]) == (30, total - 19)
    assert act("connections", shop.step())["percent"] == 19
    again = act("end_idle", shop.step(), **OLD, below_percent=20)
    assert (again["found"], again["most"], again["affects"]) == (30 - found["ended"], 0, 0)
    assert len(alive(idle)) == 30 - found["ended"]


def test_below_a_share_the_cap_holds_all_the_same(shop: Shop) -> None:
    shop.open(30)
    aged(shop, 30)
    assert act("end_idle", shop.step(), **OLD, below_percent=1, most=4)["ended"] == 4


def test_who_was_idle_for_less_is_left_alone(shop: Shop) -> None:
    idle = shop.open(2)
    assert act("end_idle", shop.step())["found"] == 0
    assert alive(idle) == idle


@pytest.mark.parametrize(
    ("how", "settings"),
    [
        ({"application": "pg_dump"}, {"spared_applications": '["pg_dump"]'}),
        ({"user": BLIND}, {"spared_roles": f'["{BLIND}"]'}),
        ({"application": "tocsin"}, {}),
        ({"user": OWNER}, {}),
        ({"database": "postgres"}, {}),
    ],
    ids=["an application", "a role", "ourselves", "a superuser", "another database"],
)
def test_who_is_spared_is_not_ended(shop: Shop, how: dict[str, Any], settings: dict[str, str]) -> None:
    spared, other = shop.open(1, **how), shop.open(1, application="other")
    aged(shop, 1)
    assert act("end_idle", shop.step(settings=settings), **OLD)["ended"] == 1
    assert (alive(spared), alive(other)) == (spared, [])


def test_who_holds_an_advisory_lock_waits_on_purpose(shop: Shop) -> None:
    (leader,) = shop.open(1)
    leader.execute("SELECT pg_advisory_lock(7)")
    shop.open(1)
    aged(shop, 1)
    assert act("end_idle", shop.step(), **OLD)["ended"] == 1
    assert alive([leader]) == [leader]


def test_an_open_transaction_is_ended_only_when_asked_for(shop: Shop) -> None:
    (forgotten,) = shop.open(1)
    forgotten.execute("BEGIN")
    until(lambda: act("connections", shop.step(), idle_older_than_s=1)["by_state"].get("idle in transaction"))
    assert act("end_idle", shop.step(), **OLD)["found"] == 0
    until(lambda: act("end_idle", shop.step(), **OLD, in_transaction=True)["ended"] == 1)
    assert alive([forgotten]) == []


def test_every_session_that_was_ended_is_in_the_audit(shop: Shop) -> None:
    shop.open(2)
    aged(shop, 2)
    with journal() as lines:
        found = act("end_idle", shop.step(), **OLD)
    assert [line for line in lines if not line.startswith("SELECT ")] == [
        f"pg_terminate_backend({each['pid']}) of web answered true" for each in found["sessions"]
    ]


def test_permission_is_asked_for_before_each_session(shop: Shop) -> None:
    idle = shop.open(5)
    aged(shop, 5)
    answers = iter([True, True, False])
    found = act("end_idle", shop.step(allowed=lambda: next(answers)), **OLD)
    assert (found["ended"], "kill switch" in found["stopped"]) == (2, True)
    assert len(alive(idle)) == 3


def test_who_began_to_work_between_count_and_signal_is_left_alone(shop: Shop) -> None:
    one, other = shop.open(2)
    aged(shop, 2)

    def works() -> bool:
        """One of them is asked for something right before the first signal; the server has it by then."""
        if not one.pgconn.is_busy():
            shop.work(one)
        return True

    found = act("end_idle", shop.step(allowed=works), **OLD)
    assert (found["found"], found["ended"]) == (2, 1)
    assert (one.pgconn.is_busy(), alive([other])) == (1, [])


def test_stopped_before_the_first_it_is_refused(shop: Shop) -> None:
    idle = shop.open(2)
    aged(shop, 2)
    assert failure("end_idle", shop.step(allowed=lambda: False), **OLD).outcome is Outcome.REFUSED
    assert alive(idle) == idle


def test_silence_after_some_were_ended_is_unknown(shop: Shop) -> None:
    idle = shop.open(6)
    aged(shop, 6)
    with FrozenWire(shop.server.socket, b"pg_terminate_backend", times=4) as wire:
        url = f"postgresql://{TOCSIN}:{PASSWORD}@127.0.0.1:{wire.port}/shop"
        failed = failure("end_idle", shop.step(timeout_s=1.0, settings={"url": url}), **OLD)
    assert failed.outcome is Outcome.UNKNOWN
    assert "no answer within 1 s" in str(failed)
    assert len(alive(idle)) == 3


def test_silence_before_anything_was_done_may_be_tried_again(shop: Shop) -> None:
    with FrozenWire(shop.server.socket, b"pg_stat_activity") as wire:
        url = f"postgresql://{TOCSIN}:{PASSWORD}@127.0.0.1:{wire.port}/shop"
        failed = failure("connections", shop.step(timeout_s=1.0, settings={"url": url}))
    assert failed.outcome is Outcome.TEMPORARY


def test_a_refusal_after_some_were_ended_is_unknown(shop: Shop) -> None:
    idle = shop.open(4)
    aged(shop, 4)
    asked = iter(range(9))

    def allowed() -> bool:
        if next(asked) == 2:
            shop.owner.execute(f"REVOKE pg_signal_backend FROM {TOCSIN}")
        return True

    try:
        failed = failure("end_idle", shop.step(allowed=allowed), **OLD)
    finally:
        shop.owner.execute(f"GRANT pg_signal_backend TO {TOCSIN}")
    assert failed.outcome is Outcome.UNKNOWN
    assert len(alive(idle)) == 2


def test_without_the_right_to_signal_it_is_permanent(shop: Shop) -> None:
    shop.open(1)
    aged(shop, 1)
    shop.owner.execute(f"REVOKE pg_signal_backend FROM {TOCSIN}")
    try:
        failed = failure("end_idle", shop.step(), **OLD)
    finally:
        shop.owner.execute(f"GRANT pg_signal_backend TO {TOCSIN}")
    assert failed.outcome is Outcome.PERMANENT
    assert "docs/actions.md" in str(failed)


def test_a_long_query_is_cancelled_and_its_session_lives(shop: Shop) -> None:
    (long,) = shop.busy(1)
    aged(shop, 1, "active_long")
    found = act("cancel_long", shop.step(settings=APP), **OLD)
    assert (found["found"], found["ended"], found["left"]) == (1, 1, 0)
    result = long.pgconn.get_result()
    assert result is not None
    assert b"user request" in result.error_message
    assert long.pgconn.get_result() is None
    assert alive([long]) == [long]


def test_a_query_that_ends_between_count_and_signal_costs_nobody_the_session(shop: Shop) -> None:
    (long,) = shop.busy(1)
    aged(shop, 1, "active_long")

    def ends() -> bool:
        long.cancel_safe()
        while long.pgconn.get_result() is not None:
            pass
        return True

    found = act("cancel_long", shop.step(allowed=ends, settings=APP), **OLD, terminate=True)
    assert (found["found"], found["affects"]) == (1, 0)
    assert long.pgconn.get_result() is None
    assert alive([long]) == [long]


def test_a_long_query_ends_with_its_session_when_asked_for(shop: Shop) -> None:
    (long,) = shop.busy(1)
    aged(shop, 1, "active_long")
    assert act("cancel_long", shop.step(settings=APP), **OLD, terminate=True)["ended"] == 1
    result = long.pgconn.get_result()
    assert result is not None
    assert b"administrator command" in result.error_message


def test_only_the_applications_queries_are_cancelled(shop: Shop) -> None:
    shop.busy(1, user=BLIND)
    shop.busy(1)
    aged(shop, 2, "active_long")
    found = act("cancel_long", shop.step(settings=APP), **OLD)
    assert [each["role"] for each in found["sessions"]] == [WEB]


@pytest.mark.parametrize("roles", ["", "[]", '"web"', '{"web": 1}'])
def test_without_the_applications_roles_nothing_is_cancelled(shop: Shop, roles: str) -> None:
    shop.busy(1)
    aged(shop, 1, "active_long")
    failed = failure("cancel_long", shop.step(settings={"app_roles": roles}), **OLD)
    assert failed.outcome is Outcome.PERMANENT
    assert "config/actions.yaml" in str(failed)
