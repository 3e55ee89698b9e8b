"""What became of the mail that Resend was given: counted, bounded, and without anybody's address."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from resend_standin import ResendStandin
from vendor_server import Misbehaviour

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import MINUTE, SECOND
from routing.ports import Step
from workers.actions import resend
from workers.credentials import NoCredentialsError

NOW = 1_795_860_000_000


@pytest.fixture
def standin() -> Iterator[ResendStandin]:
    with ResendStandin() as server:
        yield server


def emails(
    standin: ResendStandin, timeout_s: float = 5.0, settings: dict[str, str] | None = None, **params: Any
) -> Any:
    at = Step(
        settings=standin.settings() if settings is None else settings,
        timeout_s=timeout_s,
        idempotency_key="",
        now=NOW,
    )
    return resend.emails(at, resend.Emails(**params))


def test_mails_of_the_time_are_counted_by_what_became_of_them_over_all_pages(standin: ResendStandin) -> None:
    for number in range(230):
        standin.mail("bounced" if number % 10 == 0 else "delivered", NOW - number * SECOND)
    standin.mail("complained", NOW - 61 * MINUTE)
    found = emails(standin)
    assert (found["count"], found["more"], found["events"]) == (230, False, {"bounced": 23, "delivered": 207})
    assert (found["ill"], found["ill_percent"]) == (23, 10.0)
    assert found["latest_ill"][0] == {"id": "mail-1", "at": "2026-11-28T10:00:00.000Z", "event": "bounced"}
    assert len(found["latest_ill"]) == 20
    assert len(standin.calls) == 3
    assert not any(word in json.dumps(found) for word in ("ola@", "Your booking"))


def test_no_more_are_looked_at_than_may_be(standin: ResendStandin) -> None:
    for number in range(30):
        standin.mail("sent", NOW - number)
    assert (emails(standin, most=10)["count"], emails(standin, most=10)["more"]) == (10, True)
    assert emails(standin, minutes=1, most=30)["more"] is False


def test_without_mail_nothing_is_ill(standin: ResendStandin) -> None:
    assert emails(standin)["ill_percent"] == 0.0


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=403), Outcome.PERMANENT),
        (Misbehaviour(status=422), Outcome.PERMANENT),
        (Misbehaviour(status=429, retry_after="30"), Outcome.TEMPORARY),
        (Misbehaviour(status=500), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY),
        (Misbehaviour(garbage=True), Outcome.TEMPORARY),
        (Misbehaviour(delay_s=30), Outcome.TEMPORARY),
    ],
    ids=["403", "422", "429", "500", "hangs up", "garbage", "30 s"],
)
def test_every_refusal_has_its_class(standin: ResendStandin, how: Misbehaviour, outcome: Outcome) -> None:
    standin.misbehave(how)
    with pytest.raises(ActionError) as failed:
        emails(standin, 0.6 if how.delay_s else 5.0)
    assert failed.value.outcome is outcome
    assert failed.value.retry_after_ms == (30_000 if how.retry_after else 0)


def test_an_instant_that_is_none_is_said(standin: ResendStandin) -> None:
    standin.mail("sent", NOW)["created_at"] = "yesterday"
    with pytest.raises(ActionError, match="dates a mail 'yesterday'"):
        emails(standin)


def test_without_a_key_or_with_a_wrong_one_it_says_what_to_set(standin: ResendStandin) -> None:
    with pytest.raises(NoCredentialsError, match="RESEND_API_KEY"):
        emails(standin, settings={"base_url": standin.url})
    with pytest.raises(ActionError, match="check RESEND_API_KEY") as failed:
        emails(standin, settings=standin.settings(token="re_wrong"))
    assert "re_wrong" not in str(failed.value)
