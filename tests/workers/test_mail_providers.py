"""Mail over Resend and SendGrid: the same letter, what each refusal means, and no second mail where a key prevents it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notices import HOSTILE, notice
from pydantic import ValidationError
from refusing import every_refusal
from resend_standin import ResendStandin
from sendgrid_standin import SendGridStandin
from vendor_server import Misbehaviour

from routing.delivery import Message, Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Sent
from workers.channels import resend, sendgrid

Standin = ResendStandin | SendGridStandin
MODULES: dict[type, Any] = {ResendStandin: resend, SendGridStandin: sendgrid}
KEYS = ("re_standin", "SG.standin")


@pytest.fixture(params=[ResendStandin, SendGridStandin], ids=["resend", "sendgrid"])
def provider(request: pytest.FixtureRequest) -> Iterator[Standin]:
    with request.param() as server:
        yield server


@pytest.fixture
def at_resend() -> Iterator[ResendStandin]:
    with ResendStandin() as server:
        yield server


def send(
    provider: Standin, timeout_s: float = 2.0, settings: dict[str, Any] | None = None, **changes: Any
) -> Sent:
    module = MODULES[type(provider)]
    notification = notice(**{"to": "anna@example.com", **changes})
    sent = module.send(notification, module.Settings(**provider.channel(**settings or {})), timeout_s)
    assert isinstance(sent, Sent)
    return sent


def failure(provider: Standin, timeout_s: float = 2.0, **more: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        send(provider, timeout_s, **more)
    assert not [key for key in KEYS if key in str(failed.value)]
    return failed.value


def headers(provider: Standin) -> dict[str, str]:
    found: dict[str, str] = provider.sent[-1]["headers"]
    return found


def texts(provider: Standin) -> tuple[str, str]:
    mail = provider.sent[-1]
    if "content" in mail:
        return mail["content"][0]["value"], mail["content"][1]["value"]
    return mail["text"], mail["html"]


def test_the_same_letter_goes_out(provider: Standin) -> None:
    sent = send(provider)
    (mail,) = provider.sent
    assert mail["id"] in (sent.provider_id, sent.answer.partition("X-Message-Id ")[2])
    assert mail["subject"] == "[INC-1] SEV-0 Site is down"
    for text in texts(provider):
        assert "Tried: rollback, site still down." in text
        assert "https://tocsin.example/a/token" in text


def test_all_mails_of_an_incident_are_one_thread(provider: Standin) -> None:
    send(provider)
    first = headers(provider)
    send(provider, delivery="INC-1-d2", purpose=Purpose.UPDATE)
    assert first["References"] == headers(provider)["References"] == "<INC-1@example.com>"
    assert (first["Importance"], headers(provider).get("Importance")) == ("high", None)


def test_the_delivery_comes_back_with_what_is_reported_later(
    at_resend: ResendStandin,
) -> None:
    send(at_resend)
    assert {"name": "delivery", "value": "INC-1-d1"} in at_resend.sent[0]["tags"]
    with SendGridStandin() as at_sendgrid:
        sent = send(at_sendgrid)
        args = at_sendgrid.sent[0]["personalizations"][0]["custom_args"]
    assert (args["tocsin-delivery"], args["tocsin-mail"]) == ("INC-1-d1", sent.provider_id)


def test_the_link_is_not_rewritten_to_be_counted() -> None:
    with SendGridStandin() as at_sendgrid:
        send(at_sendgrid)
        tracking = at_sendgrid.sent[0]["tracking_settings"]
    assert not any(setting["enable"] for setting in tracking.values())


def test_a_mail_that_belongs_to_no_incident_goes_out_too(provider: Standin) -> None:
    send(provider, incident="", delivery="watchdog-1764000000000")
    assert "References" not in headers(provider)


@every_refusal(garbage=None)
def test_every_refusal_has_its_class(provider: Standin, how: Misbehaviour, outcome: Outcome) -> None:
    provider.misbehave(how, how)  # where it may have been done, Resend is asked twice
    assert failure(provider, 0.4).outcome is outcome


def test_an_answer_that_is_no_json_may_have_been_a_mail(at_resend: ResendStandin) -> None:
    at_resend.misbehave(Misbehaviour(garbage=True), Misbehaviour(garbage=True))
    assert failure(at_resend).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "how",
    [
        Misbehaviour(hang_up=True),
        Misbehaviour(garbage=True),
        Misbehaviour(status=502),
        Misbehaviour(delay_s=30),
    ],
    ids=["hangs up", "garbage", "502", "silent"],
)
def test_resend_is_asked_again_under_the_same_key_and_sends_one_mail(
    at_resend: ResendStandin, how: Misbehaviour
) -> None:
    at_resend.misbehave(how)
    sent = send(at_resend, 1.0)
    assert [mail["id"] for mail in at_resend.sent] == [sent.provider_id]
    keys = [call.headers["idempotency-key"] for call in at_resend.calls]
    assert (len(keys), len(set(keys))) == (2, 1)


def test_another_attempt_has_another_key_as_it_says_other_words(at_resend: ResendStandin) -> None:
    send(at_resend)
    send(at_resend, attempt=2, repeat=True)
    assert [mail["subject"].startswith("(repeat?)") for mail in at_resend.sent] == [False, True]


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("rate_limit_exceeded", Outcome.TEMPORARY),
        ("daily_quota_exceeded", Outcome.PERMANENT),
        ("monthly_quota_exceeded", Outcome.PERMANENT),
        ("concurrent_idempotent_requests", Outcome.UNKNOWN),
        ("security_error", Outcome.PERMANENT),
    ],
)
def test_what_resend_means_counts_more_than_its_status(
    at_resend: ResendStandin, name: str, outcome: Outcome
) -> None:
    at_resend.refuses = name
    failed = failure(at_resend)
    assert failed.outcome is outcome
    assert name in str(failed)


@pytest.mark.parametrize(("asked", "wait_ms"), [("7", 7_000), ("date", 7_000)])
def test_too_many_requests_says_how_long_to_wait(provider: Standin, asked: str, wait_ms: int) -> None:
    provider.misbehave(Misbehaviour(status=429, retry_after=asked))
    assert abs(failure(provider).retry_after_ms - wait_ms) <= 1_000


def test_a_wrong_key_is_permanent_and_says_what_to_check(provider: Standin) -> None:
    failed = failure(provider, settings={"api_key": "wrong-key"})
    assert failed.outcome is Outcome.PERMANENT
    assert "api_key in config/channels.yaml" in str(failed)
    assert "wrong-key" not in str(failed)


def test_a_domain_nobody_verified_is_permanent_and_says_so(provider: Standin) -> None:
    failed = failure(provider, settings={"from_address": "tocsin@unverified.example.org"})
    assert failed.outcome is Outcome.PERMANENT
    assert "verified" in str(failed)


def test_an_answer_that_comes_twice_is_one_mail_and_the_next_one_is_unharmed(provider: Standin) -> None:
    provider.misbehave(Misbehaviour(twice=True))
    ids = [send(provider).provider_id, send(provider, delivery="INC-1-d2").provider_id]
    assert (len(provider.sent), len(set(ids))) == (2, 2)


def test_nobody_listening_is_temporary(provider: Standin) -> None:
    with type(provider)() as gone:
        pass
    assert failure(gone).outcome is Outcome.TEMPORARY


@pytest.mark.parametrize("to", ["a@b\r\nBcc: c@d", "a@b, c@d", "anna", ""])
def test_an_address_that_is_none_reaches_no_server(provider: Standin, to: str) -> None:
    assert failure(provider, to=to).outcome is Outcome.PERMANENT
    assert provider.calls == []


def test_what_a_payload_wrote_stays_text(provider: Standin) -> None:
    send(provider, message=Message(title=HOSTILE + "\r\nBcc: x@example.com", body=HOSTILE))
    text, html = texts(provider)
    assert "<script>" not in html
    assert "ünï 日本 🔥" in text
    assert "\u202e" not in text + html
    assert "\n" not in provider.sent[0]["subject"]


@given(title=st.text(max_size=300), body=st.text(max_size=600))
@settings(max_examples=20)
def test_any_text_is_taken(title: str, body: str) -> None:
    with ResendStandin() as at_resend, SendGridStandin() as at_sendgrid:
        for provider in (at_resend, at_sendgrid):
            send(provider, message=Message(title=f"T {title}", body=body))


@pytest.mark.parametrize("module", [resend, sendgrid])
@pytest.mark.parametrize(
    "changes",
    [
        {"from_address": "nobody"},
        {"from_address": "a@b\nBcc: c@d"},
        {"base_url": "api.example.com"},
        {"typo": "x"},
    ],
)
def test_settings_that_cannot_work_are_refused(module: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        module.Settings(**{"api_key": "k", "from_address": "tocsin@example.com", **changes})


def test_the_preview_is_what_would_be_sent_without_the_key(provider: Standin) -> None:
    module = MODULES[type(provider)]
    shown = module.preview(notice(to="anna@example.com"), module.Settings(**provider.channel()))
    send(provider)
    assert (shown["Subject"], shown["Text"]) == (provider.sent[0]["subject"], texts(provider)[0])
    assert not [key for key in KEYS if key in str(shown)]
