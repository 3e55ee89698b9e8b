"""A provider's pace as its workers keep it: who waits, who goes first, who comes back without having cost an attempt."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import twilio_standin
from notices import notice
from redis import Redis
from twilio_standin import TwilioStandin
from vendor_server import Misbehaviour
from workshop import Bench, bench, page

from ledger import catalogue, outbox
from routing.effect import Deliver
from routing.entry import Claimed, Deferred, Delivered, Outcome
from routing.severity import Severity
from workers import deliver, pacing


@pytest.fixture
def twilio() -> Iterator[TwilioStandin]:
    with TwilioStandin() as server:
        yield server


def calling(redis: Redis, twilio: TwilioStandin, **settings: Any) -> Bench:
    return bench(redis, channels={"voice": ("twilio_voice", twilio.settings(**settings))})


def call(at: Bench, name: str, **changes: Any) -> Deliver:
    """Not urgent, unless told otherwise."""
    calm = {"channel": "voice", "id": name, "severity": Severity.SEV2, "urgent": False}
    effect = page(**{**calm, **changes})
    at.put(effect)
    deliver.carry_out(at, effect.id, effect.attempt)
    return effect


def test_what_comes_too_soon_is_put_back_unclaimed_with_its_turn(redis: Redis, twilio: TwilioStandin) -> None:
    at = calling(redis, twilio, calls_per_s=0.1)
    call(at, "INC-1-d1")
    call(at, "INC-2-d1")
    call(at, "INC-3-d1")
    assert len(twilio.made) == 1
    *_, second, third = at.said()
    assert isinstance(second, Deferred)
    assert isinstance(third, Deferred)
    assert (second.delivery, second.attempt, second.why) == ("INC-2-d1", 1, "its provider takes 0.1 a second")
    assert 9_000 < second.wait_ms <= 10_500
    assert 9_000 < third.wait_ms - second.wait_ms <= 11_000
    left = outbox.find(redis, at.keys, "INC-2-d1")
    assert left is not None
    assert not left.claimed_at
    assert at.counted()['tocsin_deferrals_total{channel="voice"}'] == 2


def test_what_is_urgent_waits_for_the_next_turn_and_no_longer(redis: Redis, twilio: TwilioStandin) -> None:
    at = calling(redis, twilio, calls_per_s=1)
    for number in range(4):
        call(at, f"INC-{number}-d1")
    began = time.monotonic()
    call(at, "INC-9-d1", severity=Severity.SEV0, urgent=True)
    assert time.monotonic() - began < 1.5
    first, urgent = twilio.calls
    assert urgent.at - first.at >= 1_000
    assert at.delivered().delivery == "INC-9-d1"


def test_a_short_wait_is_waited_out(redis: Redis, twilio: TwilioStandin) -> None:
    at = calling(redis, twilio, calls_per_s=10)
    for number in range(3):
        call(at, f"INC-{number}-d1")
    gaps = [after.at - before.at for before, after in zip(twilio.calls, twilio.calls[1:], strict=False)]
    assert len(gaps) == 2
    assert min(gaps) >= 90


def test_a_provider_that_asks_one_worker_to_wait_is_left_alone_by_all(
    redis: Redis, twilio: TwilioStandin
) -> None:
    twilio.misbehave(Misbehaviour(status=429, retry_after="30"))
    here, there = calling(redis, twilio, calls_per_s=100), calling(redis, twilio, calls_per_s=100)
    call(here, "INC-1-d1")
    call(there, "INC-2-d1")
    assert len(twilio.calls) == 1
    *_, answer, put_back = there.said()
    assert isinstance(answer, Delivered)
    assert answer.outcome is Outcome.TEMPORARY
    assert isinstance(put_back, Deferred)
    assert 25_000 < put_back.wait_ms <= 30_000


def test_accounts_have_a_pace_each(redis: Redis, twilio: TwilioStandin) -> None:
    at = calling(redis, twilio, calls_per_s=0.1)
    call(at, "INC-1-d1")
    other = calling(redis, twilio, calls_per_s=0.1, account_sid="AC" + "9" * 32)
    call(other, "INC-2-d1")
    assert isinstance(other.said()[-1], Delivered)  # refused: the stand-in knows one account; but asked


def test_a_job_for_what_somebody_has_takes_no_turn(redis: Redis, twilio: TwilioStandin) -> None:
    at = calling(redis, twilio, calls_per_s=0.1)
    effect = at.put(page(channel="voice", id="INC-1-d1"))
    outbox.claim(redis, at.keys, effect.id, 1, "somebody", 1_000, 1)
    deliver.carry_out(at, effect.id, 1)
    call(at, "INC-2-d1")
    assert len(twilio.made) == 1


def test_what_stays_here_for_want_of_credentials_waits_for_nobody(redis: Redis) -> None:
    at = bench(redis, channels={"voice": ("sandbox", {})})
    for number in range(5):
        call(at, f"INC-{number}-d1")
    assert [type(each) for each in at.said()] == [Claimed, Delivered] * 5


def test_no_worker_is_held_longer_than_two_seconds() -> None:
    assert max(pacing.PATIENCE_MS, pacing.URGENT_PATIENCE_MS) <= 2_000


BOUND = {
    "twilio_voice": (twilio_standin.settings("http://127.0.0.1:9"), 1),
    "slack": ({"token": "xoxb-1-a"}, 1),
    "telegram": ({"token": "123456789:" + "A" * 35}, 1),
    "teams": ({"workflows": {"ops": "https://example.com/workflow"}}, 1),
    "pagerduty": ({"routing_key": "R" * 32}, 2),
    "statuspage": ({"api_key": "an-api-key"}, 0.5),
    "resend": ({"api_key": "re_123", "from_address": "tocsin@example.com"}, 2),
}
"""Settings that each of them takes, and the most its provider takes a second unless told otherwise."""
MODULES = {name: catalogue.channel(name) for name in catalogue.channels()}


def test_every_channel_that_is_bound_is_tested_and_documented() -> None:
    assert {name for name, module in MODULES.items() if hasattr(module, "limits")} == set(BOUND)
    told = (Path(__file__).parents[2] / "docs/channels.md").read_text().partition("is bound by")[2]
    assert [name for name in BOUND if f"| `{name}` |" not in told] == []


@pytest.mark.parametrize("name", BOUND)
def test_what_a_channel_is_bound_by_is_its_vendors_limit_and_shows_no_secret(name: str) -> None:
    module, (given, most) = MODULES[name], BOUND[name]
    settings = module.Settings.model_validate(given)
    to = {"slack": "C0123456789", "telegram": "123456", "teams": "ops"}.get(name, "anna@example.com")
    found = pacing.paces(module, notice(to=to), settings)
    assert min(each.per_s for each in found) == most
    secrets = [
        value for key, value in given.items() if key in {"token", "api_key", "api_secret", "routing_key"}
    ]
    assert not any(secret in each.key for each in found for secret in secrets)
