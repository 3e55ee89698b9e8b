"""`tocsin sources gaps`: how vendors are asked for what we missed."""

import pytest
from desk import Ask, Desk, Run

from ledger import gaps
from ledger.clock import now_ms
from ledger.gaps import Gap
from routing.instant import MINUTE


@pytest.fixture(autouse=True)
def asked(desk: Desk) -> None:
    """Stripe was asked, Vercel has no key."""
    now = now_ms()
    well = Gap(looked_at=now - MINUTE, since_at=now - 3 * MINUTE, next_at=now + 4 * MINUTE, found=3, found_at=now - MINUTE,
               troubles={"missed": "Stripe did not bring 3 events"})  # fmt: skip
    gaps.keep(desk.client, desk.keys, "stripe", well)
    gaps.keep(desk.client, desk.keys, "vercel", Gap(off="VERCEL_TOKEN not set"))


def test_it_says_what_was_found_and_what_is_off(ask: Ask) -> None:
    stripe, vercel = ask("sources", "gaps")
    assert (stripe["name"], stripe["on"], stripe["found"], stripe["error"]) == ("stripe", True, 3, None)
    assert stripe["troubles"] == ["Stripe did not bring 3 events"]
    assert (vercel["on"], vercel["off"], vercel["asked_at"]) == (False, "VERCEL_TOKEN not set", None)


def test_people_read_it_too(run: Run) -> None:
    told = run("sources", "gaps").output
    assert "stripe: Stripe did not bring 3 events" in told
    assert "off: VERCEL_TOKEN not set" in told


def test_what_fails_says_why(desk: Desk, run: Run, ask: Ask) -> None:
    failing = Gap(
        looked_at=1,
        failing_since=now_ms() - MINUTE,
        failures=2,
        reason="Stripe: answered 401; check STRIPE_API_KEY",
    )
    gaps.keep(desk.client, desk.keys, "stripe", failing)
    assert ask("sources", "gaps")[0]["error"].endswith("check STRIPE_API_KEY")
    assert "failing: Stripe: answered 401" in run("sources", "gaps").output


def test_one_is_asked_at_once_when_somebody_wants_it(desk: Desk, run: Run) -> None:
    assert run("sources", "gaps", "--now", "stripe").exit_code == 0
    assert gaps.wanted(desk.client, desk.keys) == {"stripe"}


def test_who_cannot_be_asked_is_named_with_those_who_can(run: Run) -> None:
    assert "stripe, vercel" in run("sources", "gaps", "--now", "alertmanager", code=2).output
