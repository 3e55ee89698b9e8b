"""A mail provider fails, and the other one gets the message: decided by the fold, sent by a worker, to real servers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from bouncing import report
from redis import Redis
from resend_standin import ResendStandin
from small_policy import HERE, POLICY, START, firing
from smtp_standin import SmtpStandin
from telling import deliveries, ladder, lines, step
from workshop import Bench, bench

from routing.delivery import Progress
from routing.effect import AnyEffect, Deliver
from routing.entry import AnyEntry, Receipt
from routing.instant import MINUTE, SECOND
from routing.policy import Channel, Method, Policy
from routing.severity import Severity
from routing.simulation import Simulation
from workers import deliver, delivery_report


@pytest.fixture
def smtp() -> Iterator[SmtpStandin]:
    with SmtpStandin(dsn=True) as server:
        yield server


@pytest.fixture
def resend() -> Iterator[ResendStandin]:
    with ResendStandin() as server:
        yield server


def with_two(first: Channel, second: Channel) -> Policy:
    """Anna has mail by two providers, and nothing else."""
    ways = tuple(Method(channel.name, "anna@example.com") for channel in (first, second))
    pages = (ways[0], replace(ways[1], after_ms=10 * MINUTE))
    contacts = {
        name: replace(contact, methods=ways, by_severity=dict.fromkeys(Severity, pages), quiet=ways)
        for name, contact in POLICY.contacts.items()
    }
    policy = ladder(step(("contact", "anna"), wait_ms=30 * MINUTE))
    return replace(policy, contacts=contacts, channels={each.name: each for each in (first, second)})


def channel(name: str, vendor: str, settings: Mapping[str, Any]) -> Channel:
    return Channel(name, vendor, dict(settings), HERE, timeout_ms=1_000)


def sent_by(at: Bench) -> Callable[[AnyEffect, int], list[tuple[int, AnyEntry]]]:
    """A worker that really sends; its entries come at the simulation's time."""

    def carry_out(effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        assert isinstance(effect, Deliver)
        at.put(effect)
        deliver.carry_out(at, effect.id, effect.attempt)
        claimed, answer = at.said()[-2:]
        return [(1, msgspec.structs.replace(claimed, at=now)), (30, msgspec.structs.replace(answer, at=now))]

    return carry_out


def begin(redis: Redis, first: Channel, second: Channel) -> Simulation:
    policy = with_two(first, second)
    at = bench(redis)
    at.given = policy
    sim = Simulation(policy, START, sent_by(at))
    sim.feed(firing())
    sim.pass_time(START + SECOND)
    return sim


def by(sim: Simulation) -> list[tuple[str, Progress]]:
    return [(each.channel, each.progress) for each in sorted(deliveries(sim), key=lambda each: each.id)]


def test_a_server_that_refuses_the_login_is_passed_over_at_once(
    redis: Redis, resend: ResendStandin, tmp_path: Any
) -> None:
    with SmtpStandin(security="starttls", auth=True, room=tmp_path) as smtp:
        settings = smtp.settings(password="rolled-and-forgotten")
        sim = begin(redis, channel("mail", "email", settings), channel("other", "resend", resend.channel()))
    assert by(sim) == [("mail", Progress.FAILED), ("other", Progress.SENT)]
    assert [mail["to"] for mail in resend.sent] == [["anna@example.com"]]
    assert any("check username and password" in line for line in lines(sim))


def test_a_server_that_is_down_is_passed_over_within_a_minute(redis: Redis, resend: ResendStandin) -> None:
    with SmtpStandin() as gone:
        settings = gone.settings()
    sim = begin(redis, channel("mail", "email", settings), channel("other", "resend", resend.channel()))
    assert resend.sent == [], "it may be back in a moment"
    sim.pass_time(START + MINUTE)
    assert by(sim) == [("mail", Progress.FAILED), ("other", Progress.SENT)]


def test_the_other_way_round_a_key_that_was_revoked_is_passed_over(
    redis: Redis, smtp: SmtpStandin, resend: ResendStandin
) -> None:
    revoked = resend.channel(api_key="re_revoked")
    sim = begin(redis, channel("mail", "resend", revoked), channel("other", "email", smtp.settings()))
    assert by(sim) == [("mail", Progress.FAILED), ("other", Progress.SENT)]
    assert (len(smtp.mails), resend.sent) == (1, [])


def test_mail_that_comes_back_later_goes_out_over_the_other(
    redis: Redis, smtp: SmtpStandin, resend: ResendStandin
) -> None:
    sim = begin(
        redis, channel("mail", "email", smtp.settings()), channel("other", "resend", resend.channel())
    )
    assert by(sim)[0] == ("mail", Progress.SENT)
    found = delivery_report.read(report(smtp.mails[0]).content)
    assert found
    sim.pass_time(START + 2 * MINUTE)
    sim.feed(Receipt(at=sim.now, delivery=found.delivery, status=found.status, provider_id=found.name))
    sim.pass_time(sim.now + SECOND)
    assert by(sim) == [("mail", Progress.FAILED), ("other", Progress.SENT)]
    assert len(resend.sent) == 1
