"""Why somebody was paged, or was not: told for each of them, and never a guess."""

from pathlib import Path

import pytest
from desk import Desk, outage
from redis import Redis
from small_policy import POLICY

from console.explaining import Asked, Explanation, explain
from ledger.clock import now_ms
from ledger.views.store import Whole
from routing import oncall
from routing.entry import Command, SilenceSet, Verb
from routing.instant import HOUR
from routing.oncall.standing import Standing


@pytest.fixture
def desk(redis: Redis, redis_url: str, tmp_path: Path) -> Desk:
    assert redis.dbsize() == 0
    return Desk(redis_url, tmp_path, POLICY)


def whole(desk: Desk) -> Whole:
    found = desk.store.whole("INC-1")
    assert found
    return found


def told(desk: Desk, person: str) -> Explanation:
    standing = dict.fromkeys(POLICY.schedules, Standing((), ""))
    return explain(Asked(whole(desk), POLICY, standing, now_ms()), person)


def lines(found: Explanation) -> str:
    return "\n".join(each.what for each in found.because)


def paged(desk: Desk) -> str:
    """Who is, first."""
    return whole(desk).incident.paged[0]


def others(desk: Desk) -> list[str]:
    return [name for name in POLICY.contacts if name not in whole(desk).incident.paged]


def test_who_was_paged_sees_by_which_step_and_over_what(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    found = told(desk, paged(desk))
    assert found.verdict.startswith(f"{paged(desk)} was paged")
    assert "page by " in lines(found)
    assert "that is them." in lines(found)


def test_who_was_not_paged_sees_whom_each_step_means(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    for name in others(desk):
        found = told(desk, name)
        assert found.verdict == f"{name} was not paged."
        assert len([each for each in found.because if each.what.startswith("Step ")]) == len(
            whole(desk).incident.escalation.stages  # type: ignore[union-attr]  # it has one
        )
        assert "that is them." not in lines(found)


def test_a_step_that_an_acknowledgement_came_before_is_told_as_such(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    desk.append(Command(at=now_ms(), by="anna", incident="INC-1", verb=Verb.ACK))
    reasons = [lines(told(desk, name)) for name in others(desk)]
    assert any("that is them, but it was not reached: anna had it before." in each for each in reasons)
    assert not any("it is not reached yet" in each for each in reasons)


def test_a_silence_that_holds_the_page_back_is_the_reason(desk: Desk) -> None:
    now = now_ms()
    matchers = ['instance="web-1"']
    desk.append(
        SilenceSet(at=now, by="ben", id="s-1", matchers=matchers, until_at=now + HOUR, reason="known")
    )
    desk.receive(outage(), b"{}")
    name = next(iter(POLICY.contacts))
    found = told(desk, name)
    assert found.verdict == f"{name} was not paged."
    assert "silence s-1 holds the page back" in lines(found)


def test_the_calendar_of_then_counts_and_not_of_now(desk: Desk) -> None:
    desk.receive(outage(), b"{}")
    opened = whole(desk).incident.opened_at
    for name, schedule in POLICY.schedules.items():
        then = oncall.who(schedule, Standing((), ""), opened).contacts
        assert f"schedule {name} ({', '.join(then) or 'nobody'} then)" in lines(
            told(desk, others(desk)[0])
        ) or (f"schedule {name} " not in lines(told(desk, others(desk)[0])))
