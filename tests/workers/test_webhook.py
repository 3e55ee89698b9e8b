"""Signed webhooks: what is said, who can verify it, where they may lead, and what each refusal means."""

import json
from collections.abc import Iterator
from typing import Any

import pages
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pydantic import ValidationError
from vendor_server import Misbehaviour
from webhook_standin import OLD_SECRET, SECRET, WebhookStandin

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.incident import Incident, Phase
from routing.instant import parse_iso
from routing.ports import Sent
from routing.severity import Severity
from workers.channels import webhook

OPENED_AT = parse_iso("2026-11-28T01:30:00Z")
STANDING = Incident(
    id="INC-1", number=1, title="Site is down", severity=Severity.SEV0, phase=Phase.TRIGGERED, group="site",
    opened_at=OPENED_AT, changed_at=OPENED_AT, team="platform", service="site",
)  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[WebhookStandin]:
    with WebhookStandin() as server:
        yield server


def send(
    receiver: WebhookStandin, timeout_s: float = 2.0, settings: dict[str, Any] | None = None, **changes: Any
) -> Sent:
    made = webhook.Settings(**receiver.channel(**settings or {}))
    return webhook.send(notice(**{"to": "ops-bot", "standing": STANDING, **changes}), made, timeout_s)


def failure(receiver: WebhookStandin, timeout_s: float = 2.0, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        send(receiver, timeout_s, **more)
    assert "MfKQ9r8" not in str(failed.value)
    assert "/tocsin" not in str(failed.value), "the path may hold a secret"
    return failed.value


def test_what_people_are_told_is_told_to_a_program(receiver: WebhookStandin) -> None:
    sent = send(receiver)
    (told,) = receiver.taken.values()
    assert (sent.provider_id, sent.answer) == ("INC-1-d1", "200")
    assert told["type"] == "tocsin.page"
    assert told["data"]["title"] == "[INC-1] SEV-0 Site is down"
    assert told["data"]["incident"]["status"] == "triggered"


def test_the_documented_body_is_the_one_that_is_sent() -> None:
    (block,) = [each for each in pages.blocks("json") if '"tocsin.page"' in each.text]
    shown = json.loads(block.text)
    notification = notice(to="ops-bot", standing=STANDING, ack_url="https://tocsin.example/a/INC-1-d1.x.y")
    assert webhook.body(notification, parse_iso(shown["timestamp"])) == shown


def test_the_id_stays_the_same_over_all_attempts_so_that_it_is_taken_in_once(
    receiver: WebhookStandin,
) -> None:
    send(receiver)
    send(receiver, attempt=2, repeat=True)
    assert list(receiver.taken) == ["INC-1-d1"]
    assert [json.loads(call.body)["data"]["repeat"] for call in receiver.calls] == [False, True]


def test_while_a_secret_is_rolled_both_sign() -> None:
    both = {"secret": SECRET, "old_secret": OLD_SECRET}
    for secret in (SECRET, OLD_SECRET):
        with WebhookStandin(secret) as receiver:
            send(receiver, settings=both)
            assert len(receiver.taken) == 1


def test_a_receiver_with_another_secret_is_permanent_and_says_what_to_check() -> None:
    with WebhookStandin(OLD_SECRET) as receiver:
        failed = failure(receiver)
    assert failed.outcome is Outcome.PERMANENT
    assert "the same secret" in str(failed)


def test_what_belongs_to_no_incident_is_told_too(receiver: WebhookStandin) -> None:
    send(
        receiver,
        incident="",
        standing=None,
        delivery="watchdog-1764000000000",
        purpose=Purpose.UPDATE,
        ack_url="",
    )
    assert receiver.taken["watchdog-1764000000000"]["data"]["incident"] is None


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=400), Outcome.PERMANENT),
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=403), Outcome.PERMANENT),
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(status=409), Outcome.PERMANENT),
        (Misbehaviour(status=410), Outcome.PERMANENT),
        (Misbehaviour(status=422), Outcome.PERMANENT),
        (Misbehaviour(status=301), Outcome.PERMANENT),
        (Misbehaviour(status=408), Outcome.TEMPORARY),
        (Misbehaviour(status=429), Outcome.TEMPORARY),
        (Misbehaviour(status=500), Outcome.TEMPORARY),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(status=502), Outcome.UNKNOWN),
        (Misbehaviour(status=504), Outcome.UNKNOWN),
        (Misbehaviour(hang_up=True), Outcome.UNKNOWN),
        (Misbehaviour(delay_s=30), Outcome.UNKNOWN),
    ],
    ids=lambda value: str(value) if isinstance(value, Outcome) else repr(value).split("path")[0],
)
def test_every_refusal_has_its_class(receiver: WebhookStandin, how: Misbehaviour, outcome: Outcome) -> None:
    receiver.misbehave(how)
    assert failure(receiver, 0.3).outcome is outcome


@pytest.mark.parametrize(
    "how", [Misbehaviour(garbage=True), Misbehaviour(not_ok=True), Misbehaviour(twice=True)]
)
def test_a_2xx_is_a_2xx_whatever_else_it_says(receiver: WebhookStandin, how: Misbehaviour) -> None:
    receiver.misbehave(how)
    send(receiver)
    send(receiver, delivery="INC-1-d2")
    assert list(receiver.taken) == ["INC-1-d1", "INC-1-d2"]


def test_too_many_requests_says_how_long_to_wait(receiver: WebhookStandin) -> None:
    receiver.misbehave(Misbehaviour(status=429, retry_after="7"))
    assert failure(receiver).retry_after_ms == 7_000


def test_a_private_address_gets_nothing_unless_that_is_wanted(receiver: WebhookStandin) -> None:
    url = receiver.url.replace("http://127.0.0.1", "https://localhost")
    failed = failure(receiver, settings={"url": url, "allow_private": False})
    assert failed.outcome is Outcome.PERMANENT
    assert "allow_private: true" in str(failed)
    assert receiver.calls == []


def test_nobody_listening_is_temporary() -> None:
    with WebhookStandin() as gone:
        pass
    assert failure(gone).outcome is Outcome.TEMPORARY


@given(title=st.text(max_size=300), body=st.text(max_size=2000))
@settings(max_examples=50)
def test_any_text_makes_a_body(title: str, body: str) -> None:
    made = webhook.body(notice(message=Message(title=title, body=body), standing=STANDING), OPENED_AT)
    assert len(made["data"]["text"]) <= 20_000
    json.loads(
        webhook.preview(notice(message=Message(title=title, body=body)), webhook.Settings(**GOOD))["Body"]
    )


def test_what_a_payload_wrote_stays_text(receiver: WebhookStandin) -> None:
    send(receiver, message=Message(title=HOSTILE + "\r\nX: y", body=HOSTILE))
    told = receiver.taken["INC-1-d1"]["data"]
    assert "ünï 日本 🔥" in told["text"]
    assert not {"\x00", "\x1b", "\u202e"} & set(told["title"] + told["text"])


GOOD = {"url": "https://hooks.example.com/x", "secret": SECRET}


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "hooks.example.com"}, {"url": "http://hooks.example.com"}, {"url": "https:///x"}, {"secret": ""},
        {"secret": "whsec_short"}, {"secret": "not base64!"}, {"old_secret": "whsec_x"}, {"typo": "x"},
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        webhook.Settings(**{**GOOD, **changes})


def test_settings_and_preview_do_not_show_the_secret() -> None:
    made = webhook.Settings(**GOOD)
    assert "MfKQ9r8" not in repr(made) + str(webhook.preview(notice(), made))
