"""What is told of each source: when it last sent, how much, and what was refused."""

import pytest
from reception import Reception, until
from redis import Redis

from ledger import arrivals
from ledger.arrivals import Arrivals
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.rhythms import OURSELVES, Rhythms
from receiver import samples
from receiver.samples import Wanted
from receiver.sources import stripe
from routing.instant import DAY, HOUR, MINUTE
from routing.rhythm import SLOT_MS


def test_what_came_and_what_was_refused_is_told_within_seconds(reception: Reception) -> None:
    began = now_ms()
    for _ in range(3):
        body = samples.make("stripe", "payout.failed", Wanted(), now_ms())
        assert (
            reception.post(
                "/hooks/stripe", body, stripe.sign(body, "whsec_test_secret", now_ms())
            ).status_code
            == 202
        )
    assert reception.post("/hooks/stripe", body, stripe.sign(body, "wrong", now_ms())).status_code == 401
    assert reception.post("/hooks/stripe", body).status_code == 401

    def told() -> Arrivals:
        return arrivals.of_sources(reception.redis, reception.keys, now_ms()).get("stripe", Arrivals())

    until(lambda: told().hour == 3 and told().refused == {"signature": 2})
    assert began <= told().last_at <= now_ms()
    assert told().refused == {"signature": 2}
    [last, first] = arrivals.examples(reception.redis, reception.keys, "stripe")
    assert (last["error"], first["error"]) == (
        "no Stripe-Signature header",
        "no v1 signature matches the body",
    )
    assert "vercel" not in arrivals.of_sources(reception.redis, reception.keys, now_ms())


@pytest.mark.parametrize(("minutes", "hour"), [(0, 60), (15, 45), (30, 30), (59, 1)])
def test_the_last_hour_takes_its_part_of_the_hour_before(redis: Redis, minutes: int, hour: int) -> None:
    keys, at = Keys(), 490_000 * HOUR
    redis.hset(keys.arrivals(489_999), "s", 60)
    assert arrivals.of_sources(redis, keys, at + minutes * MINUTE)["s"] == Arrivals(hour=hour)
    redis.hset(keys.arrivals(490_000), "s", 5)
    assert arrivals.of_sources(redis, keys, at + minutes * MINUTE)["s"] == Arrivals(hour=hour + 5)


def test_the_five_minutes_in_which_something_came_and_in_which_we_listened_are_told(
    reception: Reception,
) -> None:
    body = samples.make("stripe", "payout.failed", Wanted(), now_ms())
    before = now_ms() // SLOT_MS
    reception.post("/hooks/stripe", body, stripe.sign(body, "whsec_test_secret", now_ms()))
    reader = Rhythms(reception.redis, reception.keys)

    def heard() -> list[int]:
        found = reader.heard(["stripe", "vercel", OURSELVES], now_ms())
        return [found[name].slots(before, 0b11) for name in ("stripe", "vercel", OURSELVES)]

    until(lambda: heard()[0] == 1 and heard()[2] >= 1)
    assert heard()[1] == 0
    assert 0 < reception.redis.ttl(reception.keys.heard("stripe", now_ms() // DAY)) < 24 * DAY
