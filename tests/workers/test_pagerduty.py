"""Forwarding to PagerDuty: one incident of ours is one of theirs, through to its end; and what each refusal means."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pagerduty_standin import KEY, PagerDutyStandin
from pydantic import ValidationError
from refusing import every_refusal
from vendor_server import Misbehaviour

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Incident, Phase
from routing.instant import parse_iso
from routing.ports import Sent
from routing.severity import Severity
from workers.channels import pagerduty

AT = parse_iso("2026-11-28T01:30:00Z")
OPEN = Incident(
    id="INC-1", number=1, title="Site is down", severity=Severity.SEV0, phase=Phase.TRIGGERED, group="site",
    opened_at=AT, changed_at=AT, team="platform", service="site",
)  # fmt: skip
TAKEN = msgspec.structs.replace(OPEN, phase=Phase.ACKNOWLEDGED, acknowledged_by="anna")
OVER = msgspec.structs.replace(OPEN, phase=Phase.RESOLVED, resolved_at=AT + 60_000)
THREAD = "tocsin/INC-1"


@pytest.fixture
def duty() -> Iterator[PagerDutyStandin]:
    with PagerDutyStandin() as server:
        yield server


def send(
    duty: PagerDutyStandin, timeout_s: float = 2.0, settings: dict[str, Any] | None = None, **changes: Any
) -> Sent:
    made = pagerduty.Settings(**duty.channel(**settings or {}))
    return pagerduty.send(notice(**{"to": "duty", "standing": OPEN, **changes}), made, timeout_s)


def failure(duty: PagerDutyStandin, timeout_s: float = 2.0, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        send(duty, timeout_s, **more)
    assert KEY not in str(failed.value)
    return failed.value


def test_it_is_opened_acknowledged_and_resolved_with_ours(duty: PagerDutyStandin) -> None:
    sent = send(duty)
    assert (sent.provider_id, sent.answer) == (THREAD, "202 trigger")
    assert duty.alerts == {THREAD: "triggered"}
    send(duty, delivery="INC-1-d2", purpose=Purpose.UPDATE, standing=TAKEN, thread=THREAD)
    assert duty.alerts == {THREAD: "acknowledged"}
    send(duty, delivery="INC-1-d3", purpose=Purpose.UPDATE, standing=OVER, thread=THREAD)
    assert duty.alerts == {THREAD: "resolved"}


def test_what_it_shows_is_what_broke_and_how_bad(duty: PagerDutyStandin) -> None:
    send(duty)
    event = duty.payloads[THREAD]
    assert event["payload"]["summary"] == "Site is down"
    assert (event["payload"]["severity"], event["payload"]["component"]) == ("critical", "site")
    assert "Tried: rollback" in event["payload"]["custom_details"]["text"]
    assert event["links"][0]["href"] == "https://tocsin.example/a/token"


@pytest.mark.parametrize(
    ("severity", "theirs"),
    [
        (Severity.SEV0, "critical"),
        (Severity.SEV1, "error"),
        (Severity.SEV2, "warning"),
        (Severity.SEV4, "info"),
    ],
)
def test_each_severity_has_theirs(duty: PagerDutyStandin, severity: Severity, theirs: str) -> None:
    send(duty, severity=severity)
    assert duty.payloads[THREAD]["payload"]["severity"] == theirs


def test_what_is_acknowledged_already_is_opened_there_first(duty: PagerDutyStandin) -> None:
    send(duty, purpose=Purpose.UPDATE, standing=TAKEN)
    assert duty.alerts == {THREAD: "triggered"}


def test_a_page_for_what_somebody_has_asks_again(duty: PagerDutyStandin) -> None:
    assert send(duty, standing=TAKEN, thread=THREAD).answer == "202 trigger"


def test_sent_twice_it_is_one_incident(duty: PagerDutyStandin) -> None:
    send(duty)
    send(duty, attempt=2, repeat=True)
    assert len(duty.alerts) == 1


def test_two_installations_with_one_key_are_told_apart(duty: PagerDutyStandin) -> None:
    send(duty)
    send(duty, settings={"source": "tocsin-eu"})
    assert list(duty.alerts) == ["tocsin/INC-1", "tocsin-eu/INC-1"]


def test_trouble_of_tocsin_itself_is_one_that_ends(duty: PagerDutyStandin) -> None:
    own: dict[str, Any] = {"incident": "", "standing": None, "ack_url": ""}
    send(duty, delivery="watchdog-1", **own)
    assert duty.alerts == {"tocsin/tocsin": "triggered"}
    send(duty, delivery="watchdog-2", purpose=Purpose.UPDATE, **own)
    assert duty.alerts == {"tocsin/tocsin": "resolved"}


def test_a_test_is_resolved_as_soon_as_it_is_opened(duty: PagerDutyStandin) -> None:
    send(duty, incident="", standing=None, delivery="test-1", purpose=Purpose.TEST)
    assert duty.alerts == {"tocsin/test-1": "resolved"}
    assert duty.payloads["tocsin/test-1"]["payload"]["severity"] == "info"


def test_two_integrations_are_paced_apart_and_the_key_is_not_told(duty: PagerDutyStandin) -> None:
    one, other = (pagerduty.Settings(**duty.channel(routing_key=key * 32)) for key in "AB")
    paces = [pagerduty.limits(notice(), settings)[0] for settings in (one, one, other)]
    assert paces[0] == paces[1] != paces[2]
    assert "AAAA" not in paces[0].key


@pytest.mark.parametrize("changes", [{"purpose": Purpose.NOTICE}, {"together": True}])
def test_what_is_no_incident_is_not_made_one(duty: PagerDutyStandin, changes: dict[str, Any]) -> None:
    assert failure(duty, incident="", standing=None, **changes).outcome is Outcome.PERMANENT
    assert duty.calls == []


@every_refusal()
def test_every_refusal_has_its_class(duty: PagerDutyStandin, how: Misbehaviour, outcome: Outcome) -> None:
    duty.misbehave(how)
    assert failure(duty, 0.3).outcome is outcome


def test_too_many_events_says_how_long_to_wait(duty: PagerDutyStandin) -> None:
    duty.misbehave(Misbehaviour(status=429, retry_after="7"))
    assert failure(duty).retry_after_ms == 7_000


def test_a_wrong_key_is_permanent_and_says_what_to_check(duty: PagerDutyStandin) -> None:
    failed = failure(duty, settings={"routing_key": "X" * 32})
    assert failed.outcome is Outcome.PERMANENT
    assert "Invalid routing key" in str(failed)
    assert "Events API v2" in str(failed)


def test_nobody_listening_is_temporary() -> None:
    with PagerDutyStandin() as gone:
        pass
    assert failure(gone).outcome is Outcome.TEMPORARY


@given(title=st.text(max_size=2000), body=st.text(max_size=3000))
@examples(20)
def test_any_text_is_taken(title: str, body: str) -> None:
    with PagerDutyStandin() as duty:
        standing = msgspec.structs.replace(OPEN, title=title)
        send(duty, standing=standing, message=Message(title=title, body=body))
        send(duty, standing=None, message=Message(title=title, body=body))


def test_what_a_payload_wrote_stays_text(duty: PagerDutyStandin) -> None:
    send(
        duty,
        message=Message(title=HOSTILE, body=HOSTILE),
        standing=msgspec.structs.replace(OPEN, title=HOSTILE),
    )
    shown = duty.payloads[THREAD]["payload"]
    assert not {"\x00", "\x1b", "\u202e", "\n"} & set(shown["summary"])
    assert "ünï 日本 🔥" in shown["custom_details"]["text"]


@pytest.mark.parametrize(
    "changes", [{"routing_key": None}, {"source": "a b"}, {"base_url": "x"}, {"typo": "x"}]
)
def test_settings_that_cannot_work_are_refused(duty: PagerDutyStandin, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        pagerduty.Settings(**duty.channel(**changes))


def test_the_preview_does_not_show_the_key(duty: PagerDutyStandin) -> None:
    made = pagerduty.Settings(**duty.channel())
    shown = pagerduty.preview(notice(standing=OPEN), made)
    assert shown["event_action"] == "trigger"
    assert KEY not in str(shown) + repr(made)
