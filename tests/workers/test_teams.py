"""Microsoft Teams: cards that lead to the page where people answer, cut to what Teams takes, and what refusals mean."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pydantic import ValidationError
from small_policy import POLICY, START
from teams_standin import SECRET, TeamsStandin, is_card, texts
from vendor_server import Misbehaviour

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Incident, Phase
from routing.instant import MINUTE
from routing.ports import Notification, Sent
from routing.severity import Severity
from workers.channels import teams

OPEN = Incident(
    id="INC-1", number=1, title="Site is down", severity=Severity.SEV0, phase=Phase.TRIGGERED, group="g",
    opened_at=START, changed_at=START, respond_by=START + 5 * MINUTE,
)  # fmt: skip


@pytest.fixture
def standin() -> Iterator[TeamsStandin]:
    with TeamsStandin() as server:
        yield server


def page(**changes: Any) -> Notification:
    return notice(**{"to": "ops", "standing": OPEN, "person": POLICY.contacts["anna"], **changes})


def tell(standin: TeamsStandin, notification: Notification, timeout_s: float = 2.0, **changes: Any) -> Sent:
    return teams.send(notification, teams.Settings(**standin.settings(**changes)), timeout_s)


def refused(standin: TeamsStandin, notification: Notification | None = None, **changes: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        tell(standin, notification or page(), **changes)
    assert SECRET not in str(failed.value) + failed.value.answer
    return failed.value


def test_a_card_says_what_happened_and_leads_to_where_it_is_answered(standin: TeamsStandin) -> None:
    sent = tell(standin, page())
    (card,) = standin.cards
    assert sent == Sent("08580000000001", "202")
    assert texts(card) == [
        "[INC-1] SEV-0 Site is down",
        "Nobody has it. Respond by Mon 24 Nov 17:05 CET.",
        "All checks fail.\nTried: rollback, site still down.",
        "tocsin incidents show INC-1",
    ]
    assert card["actions"] == [
        {"type": "Action.OpenUrl", "title": "Acknowledge", "url": "https://tocsin.example/a/token"}
    ]


def test_an_approval_leads_to_its_page(standin: TeamsStandin) -> None:
    tell(standin, page(purpose=Purpose.APPROVAL, run="INC-1-r1"))
    assert standin.cards[0]["actions"][0]["title"] == "Approve or deny"


@pytest.mark.parametrize(
    "changes",
    [
        {"ack_url": ""},
        {"standing": msgspec.structs.replace(OPEN, phase=Phase.RESOLVED, resolved_at=START + MINUTE)},
    ],
)
def test_what_cannot_be_answered_leads_nowhere(standin: TeamsStandin, changes: dict[str, Any]) -> None:
    tell(standin, page(**changes))
    assert standin.cards[0]["actions"] == []


def test_a_repeat_says_so(standin: TeamsStandin) -> None:
    tell(standin, page(repeat=True))
    assert "This may be a repeat of an earlier message." in texts(standin.cards[0])


def test_what_an_alert_wrote_is_no_markup_and_mentions_nobody(standin: TeamsStandin) -> None:
    evil = f"<at>everyone</at> [click](https://evil.example) **bold** {HOSTILE}"
    tell(standin, page(message=Message(title=evil, body=f"{evil}\n{evil}")))
    (card,) = standin.cards
    assert "entities" not in card.get("msteams", {})
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert not {"\x00", "\x1b", "\u202e"} & set("".join(texts(card)))


def test_a_long_text_gives_way_and_the_way_to_answer_stays(standin: TeamsStandin) -> None:
    tell(standin, page(message=Message(title="t" * 900, body="first\n" + "日本語 word " * 20_000)))
    (card,) = standin.cards
    assert texts(card)[2].endswith("…")
    assert len(texts(card)[2]) > 5_000
    assert card["actions"][0]["title"] == "Acknowledge"


@given(title=st.text(max_size=2000), body=st.text(max_size=3000), times=st.integers(1, 20))
def test_any_text_gives_a_card_teams_takes(title: str, body: str, times: int) -> None:
    made = teams.message(page(message=Message(title=title, body=body * times)))
    assert len(json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()) <= teams.MOST_BYTES
    assert is_card(made["attachments"][0]["content"])


@pytest.mark.parametrize(
    ("how", "outcome", "says"),
    [
        (Misbehaviour(status=400), Outcome.PERMANENT, "template"),
        (Misbehaviour(status=401), Outcome.PERMANENT, "copy the workflow's URL anew"),
        (Misbehaviour(status=403), Outcome.PERMANENT, "suspended"),
        (Misbehaviour(status=404), Outcome.PERMANENT, "make it anew"),
        (Misbehaviour(status=409), Outcome.PERMANENT, "409 ScriptedFault"),
        (Misbehaviour(status=410), Outcome.PERMANENT, "make it anew"),
        (Misbehaviour(status=413), Outcome.PERMANENT, "report it"),
        (Misbehaviour(status=422), Outcome.PERMANENT, "422"),
        (Misbehaviour(status=302), Outcome.PERMANENT, "302"),
        (Misbehaviour(status=204), Outcome.UNKNOWN, "204"),
        (Misbehaviour(status=408), Outcome.TEMPORARY, "408"),
        (Misbehaviour(status=500), Outcome.TEMPORARY, "500"),
        (Misbehaviour(status=503), Outcome.TEMPORARY, "503"),
        (Misbehaviour(status=502), Outcome.UNKNOWN, "502"),
        (Misbehaviour(status=504), Outcome.UNKNOWN, "504"),
        (Misbehaviour(hang_up=True), Outcome.UNKNOWN, "connection broke"),
    ],
    ids=lambda given: str(getattr(given, "status", "")),
)
def test_each_refusal_has_its_class_and_advice(
    standin: TeamsStandin, how: Misbehaviour, outcome: Outcome, says: str
) -> None:
    standin.misbehave(how)
    error = refused(standin)
    assert (error.outcome, says in str(error)) == (outcome, True)


def test_asked_too_often_waits_as_long_as_it_says(standin: TeamsStandin) -> None:
    standin.misbehave(Misbehaviour(status=429, retry_after="7"))
    error = refused(standin)
    assert (error.outcome, error.retry_after_ms, standin.cards) == (Outcome.TEMPORARY, 7_000, [])


def test_silence_is_not_known_to_be_a_refusal(standin: TeamsStandin) -> None:
    standin.misbehave(Misbehaviour(delay_s=2))
    assert refused(standin, timeout_s=0.2).outcome is Outcome.UNKNOWN


def test_an_answer_that_is_no_json_is_taken_all_the_same(standin: TeamsStandin) -> None:
    standin.misbehave(Misbehaviour(garbage=True))
    assert tell(standin, page()).provider_id == "INC-1-d1.a1"


def test_a_url_that_is_spent_and_an_address_that_is_none_are_said(standin: TeamsStandin) -> None:
    spent = {"ops": standin.workflow.replace(SECRET, "old")}
    assert "DirectApiAuthorizationRequired" in str(refused(standin, workflows=spent))
    error = refused(standin, page(to="dev"))
    assert "write one of ops" in str(error)
    assert error.outcome is Outcome.PERMANENT


@pytest.mark.parametrize("workflows", [{}, {"ops": "ftp://x"}, {"ops": "http://example.com"}])
def test_settings_that_cannot_work_are_refused(workflows: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="workflows"):
        teams.Settings(workflows=workflows)


def test_a_preview_shows_the_card_and_no_url() -> None:
    settings = teams.Settings(workflows={"ops": "https://example.com/?sig=secret"})
    shown = teams.preview(page(), settings)
    assert "[INC-1] SEV-0 Site is down" in shown["Message"]
    assert "sig=secret" not in shown["Message"]
