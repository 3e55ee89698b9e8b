"""One delivery, from the claim to the answer in the log, on a real server and real sockets."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from embedded import running_server
from redis import Redis
from small_policy import HERE
from smtp_standin import SmtpStandin
from twilio_standin import TwilioStandin
from vendor_server import Misbehaviour
from workshop import LINK_SECRET, Bench, bench, page

from ledger import links, sandbox
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.settings import LedgerSettings
from routing.delivery import Purpose
from routing.entry import Claimed, Outcome
from routing.policy import Secret, Template
from workers import deliver


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as server:
        yield server


def carry_out(at: Bench, **changes: Any) -> None:
    effect = at.put(page(**changes))
    deliver.carry_out(at, effect.id, effect.attempt)


def with_sms(
    redis: Redis, twilio: TwilioStandin, templates: dict[str, Template] | None = None, **settings: Any
) -> Bench:
    channels = {"sms": ("twilio_sms", twilio.settings(**settings))}
    return bench(redis, channels=channels, templates=templates or {})


def test_a_page_is_claimed_sent_and_answered_in_the_log(redis: Redis, twilio: TwilioStandin) -> None:
    at = with_sms(redis, twilio)
    carry_out(at)
    (made,) = twilio.made
    claimed, answer = at.said()
    assert isinstance(claimed, Claimed)
    assert claimed.timeout_ms == 2_000 + deliver.MARGIN_MS
    assert (at.delivered().outcome, at.delivered().provider_id) == (Outcome.OK, made.sid)
    assert (answer.by, at.delivered().sandbox) == ("w1", False)


def test_the_link_in_a_page_acknowledges_this_delivery(redis: Redis, twilio: TwilioStandin) -> None:
    carry_out(with_sms(redis, twilio))
    url = twilio.made[0].text.splitlines()[-1]
    assert url.startswith("https://tocsin.example/a/")
    assert links.read(LINK_SECRET, url.rpartition("/")[2], now_ms()) == "INC-1-d1"
    assert twilio.made[0].status_callback == "https://tocsin.example/callbacks/twilio/status/INC-1-d1"


def test_the_address_people_click_is_the_one_the_environment_says(
    redis: Redis, twilio: TwilioStandin
) -> None:
    at = with_sms(redis, twilio)
    at.environ = {**at.environ, "TOCSIN_PUBLIC_URL": "https://public.example/"}
    carry_out(at)
    assert "https://public.example/a/" in twilio.made[0].text
    assert twilio.made[0].status_callback.startswith("https://public.example/callbacks/")


def test_an_update_carries_no_link(redis: Redis, twilio: TwilioStandin) -> None:
    carry_out(with_sms(redis, twilio), purpose=Purpose.UPDATE)
    assert "/a/" not in twilio.made[0].text


def test_two_workers_with_the_same_job_send_once(redis: Redis, twilio: TwilioStandin) -> None:
    at = with_sms(redis, twilio)
    carry_out(at)
    deliver.carry_out(at, "INC-1-d1", 1)
    assert len(twilio.calls) == 1


@pytest.mark.parametrize(("effect", "attempt"), [("INC-1-d1", 1), ("INC-1-d2", 2), ("INC-9-d9", 1)])
def test_a_job_for_what_is_withdrawn_or_superseded_does_nothing(
    redis: Redis, twilio: TwilioStandin, effect: str, attempt: int
) -> None:
    at = with_sms(redis, twilio)
    at.put(page(attempt=2))
    deliver.carry_out(at, effect, attempt)
    assert (twilio.calls, at.said()) == ([], [])


def test_a_repeat_is_marked_for_the_person(redis: Redis, twilio: TwilioStandin) -> None:
    carry_out(with_sms(redis, twilio), attempt=2, repeat=True)
    assert twilio.made[0].text.startswith("(May be a repeat.)")


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=429, retry_after="7"), Outcome.TEMPORARY),
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(hang_up=True), Outcome.UNKNOWN),
    ],
    ids=["429", "404", "hangs up"],
)
def test_a_refusal_is_written_down_with_its_class(
    redis: Redis, twilio: TwilioStandin, how: Misbehaviour, outcome: Outcome
) -> None:
    twilio.misbehave(how)
    at = with_sms(redis, twilio)
    carry_out(at)
    answer = at.delivered()
    assert (answer.outcome, answer.by) == (outcome, "w1")
    assert answer.retry_after_ms == (7_000 if how.retry_after else 0)
    assert answer.error


def test_a_channel_that_is_gone_fails_for_good_so_that_another_way_is_tried(redis: Redis) -> None:
    at = bench(redis)
    carry_out(at)
    assert at.delivered().outcome is Outcome.PERMANENT
    assert "sms" in at.delivered().error


def test_settings_that_cannot_work_fail_for_good_and_show_no_secret(
    redis: Redis, twilio: TwilioStandin
) -> None:
    at = with_sms(redis, twilio, account_sid="nonsense-sid")
    carry_out(at)
    assert at.delivered().outcome is Outcome.PERMANENT
    assert "account_sid" in at.delivered().error
    assert "config/test.yaml:7" in at.delivered().error
    assert "nonsense-sid" not in at.delivered().error
    assert twilio.calls == []


def test_a_vendor_without_a_module_gives_the_persons_next_method_its_turn(redis: Redis) -> None:
    at = bench(redis, channels={"sms": ("pigeon", {})})
    carry_out(at)
    answer = at.delivered()
    assert answer.outcome is Outcome.PERMANENT
    assert "pigeon" in answer.error


def unset(twilio: TwilioStandin) -> dict[str, Any]:
    return twilio.settings(api_secret=Secret("TWILIO_API_SECRET"), from_number=Secret("TWILIO_FROM_NUMBER"))


@pytest.mark.parametrize(
    ("vendor", "field"), [("twilio_sms", "Body"), ("twilio_voice", "Twiml"), ("sandbox", "Text")]
)
def test_without_credentials_what_would_be_sent_is_kept_and_nothing_is_sent(
    redis: Redis, twilio: TwilioStandin, vendor: str, field: str
) -> None:
    at = bench(redis, channels={"sms": (vendor, {} if vendor == "sandbox" else unset(twilio))})
    carry_out(at)
    (kept,) = sandbox.listing(at.client, at.keys)
    assert "Site is down" in kept.fields[field]
    assert (kept.delivery, kept.to, kept.vendor) == ("INC-1-d1", "+48500000001", vendor)
    answer = at.delivered()
    assert (answer.outcome, answer.sandbox, answer.provider_id) == (Outcome.OK, True, f"sandbox {kept.id}")
    assert twilio.calls == []
    missing = [] if vendor == "sandbox" else ["TWILIO_API_SECRET", "TWILIO_FROM_NUMBER"]
    assert kept.missing == missing
    assert all(name in answer.answer for name in missing)


def test_a_mail_without_a_server_is_kept_with_its_headers(redis: Redis) -> None:
    settings: dict[str, Any] = {"host": Secret("SMTP_HOST"), "from_address": Secret("SMTP_FROM"), "port": 587}
    at = bench(redis, channels={"mail": ("email", settings)})
    carry_out(at, channel="mail", address="anna@example.com")
    (kept,) = sandbox.listing(at.client, at.keys)
    assert kept.fields["From"] == "(unset SMTP_FROM)"
    assert kept.fields["To"] == "anna@example.com"
    assert kept.fields["Subject"] == "[INC-1] SEV-0 Site is down"
    assert "Tried: rollback" in kept.fields["Text"]


def test_with_credentials_in_the_environment_it_is_real(redis: Redis, twilio: TwilioStandin) -> None:
    at = bench(redis, channels={"sms": ("twilio_sms", unset(twilio))})
    known = twilio.settings()
    at.environ = {
        **at.environ,
        "TWILIO_API_SECRET": known["api_secret"],
        "TWILIO_FROM_NUMBER": known["from_number"],
    }
    carry_out(at)
    assert (len(twilio.made), at.delivered().sandbox) == (1, False)


def test_each_attempt_is_counted_by_its_channel_and_outcome(redis: Redis, twilio: TwilioStandin) -> None:
    at = with_sms(redis, twilio)
    carry_out(at)
    carry_out(at, id="INC-1-d2")
    twilio.misbehave(Misbehaviour(status=503))
    carry_out(at, id="INC-1-d3")
    carry_out(at, id="INC-1-d4", channel="gone")
    carry_out(bench(redis, channels={"sms": ("sandbox", {})}), id="INC-1-d5")
    assert at.counted() == {
        'tocsin_deliveries_total{channel="sms",outcome="ok"}': 2,
        'tocsin_deliveries_total{channel="sms",outcome="temporary"}': 1,
        'tocsin_deliveries_total{channel="gone",outcome="permanent"}': 1,
        'tocsin_deliveries_total{channel="sms",outcome="sandbox"}': 1,
    }


def words(name: str, **parts: str) -> dict[str, Template]:
    return {name: Template(name, parts, dict.fromkeys(parts, HERE))}


def test_a_template_words_the_message_and_the_channel_adds_how_to_answer(
    redis: Redis, twilio: TwilioStandin
) -> None:
    known = words("sms.page", title="{{ severity }}", body="{{ message.title }}, tell {{ person.title }}")
    carry_out(with_sms(redis, twilio, known), contact="anna")
    text = twilio.made[0].text
    assert text.startswith("SEV-0\n[INC-1] SEV-0 Site is down, tell Anna\nReply ack")


def test_a_template_that_fails_costs_its_words_and_is_said(redis: Redis, twilio: TwilioStandin) -> None:
    at = with_sms(redis, twilio, words("page", title="Sure", body="{{ 1 // (incident.alerts) }}"))
    carry_out(at)
    assert twilio.made[0].text.startswith("Sure\nSEV-0: Site is down")
    assert at.delivered().outcome is Outcome.OK
    assert "config/test.yaml:7 body: line 1: integer division" in at.delivered().remark
    assert at.counted()['tocsin_template_failures_total{template="page"}'] == 1


def test_the_sandbox_says_too_that_a_template_failed(redis: Redis) -> None:
    channels: dict[str, Any] = {"sms": ("sandbox", {})}
    at = bench(redis, channels=channels, templates=words("page", body="{{ nobody }}"))
    carry_out(at)
    assert "nobody" in at.delivered().remark


def test_the_html_of_a_template_is_the_mails(redis: Redis) -> None:
    html = '<h1>{{ message.title }}</h1><a href="{{ link }}">Mine</a>'
    with SmtpStandin() as server:
        channels = {"mail": ("email", server.settings())}
        at = bench(redis, channels=channels, templates=words("mail.page", html=html))
        carry_out(at, channel="mail", address="anna@example.com")
        assert "<h1>[INC-1] SEV-0 Site is down</h1><a href=" in server.mails[0].part("html")


def test_the_outbox_is_newest_first_bounded_and_read_in_pages(redis: Redis) -> None:
    at = bench(redis, channels={"sms": ("sandbox", {})})
    for number in range(5):
        carry_out(at, id=f"INC-1-d{number}")
    first = sandbox.listing(at.client, at.keys, limit=3)
    rest = sandbox.listing(at.client, at.keys, limit=3, before=first[-1].id)
    assert [each.delivery for each in first + rest] == [f"INC-1-d{number}" for number in (4, 3, 2, 1, 0)]


def test_mail_goes_out_over_smtp(redis: Redis) -> None:
    with SmtpStandin() as server:
        at = bench(redis, channels={"mail": ("email", server.settings())})
        carry_out(at, channel="mail", address="anna@example.com")
        assert server.mails[0].recipients == ["anna@example.com"]
        assert at.delivered().provider_id.startswith("INC-1-d1.a1.")


def test_an_answer_waits_for_a_server_that_restarts(twilio: TwilioStandin) -> None:
    """It goes while the provider is asked, and is back before we give up saying what was answered."""
    with running_server() as server, connect(LedgerSettings(redis_url=server.url)) as client:
        at = bench(client, channels={"sms": ("twilio_sms", twilio.settings())})
        at.put(page())

        back = threading.Timer(1.5, server.start)

        def outage(*_: object) -> None:
            server.stop()
            back.start()

        twilio.on_made = outage
        deliver.carry_out(at, "INC-1-d1", 1)
        back.join()
        assert at.delivered().outcome is Outcome.OK
        assert len(twilio.made) == 1
