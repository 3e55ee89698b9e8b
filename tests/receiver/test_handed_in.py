"""What our own workers found comes in at the front door under our secret, and under nothing else of ours."""

from dataclasses import replace

from reception import POLICY, SECRETS, Reception, running
from redis import Redis

from ledger import handing
from ledger.clock import now_ms
from ledger.handing import Handed
from receiver import samples
from receiver.samples import Wanted
from receiver.sources import stripe
from routing.entry import Signal

SECRET = SECRETS[handing.SECRET].partition(",")[0]
POLLED = Handed(handing.POLLING)


def body() -> bytes:
    return samples.make("stripe", "payout.failed", Wanted(), now_ms())


def handed(
    found: bytes, source: str = "stripe", secret: str = SECRET, what: Handed = POLLED
) -> dict[str, str]:
    return handing.sign(secret, source, found, what, now_ms())


def test_it_is_read_and_kept_as_if_its_vendor_had_brought_it(reception: Reception) -> None:
    found = body()
    first = reception.post("/hooks/stripe", found, handed(found, what=Handed(handing.RETRIEVAL, "b1-0")))
    again = reception.post(
        "/hooks/stripe", found, stripe.sign(found, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms())
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json(), "a repeat, whichever way it comes"
    [entry] = reception.entries()
    assert isinstance(entry, Signal)
    assert (entry.event.kind, entry.found, entry.completes) == ("payout.failed", "retrieval", "b1-0")


def test_what_a_vendor_brings_is_not_marked(reception: Reception) -> None:
    found = body()
    reception.post("/hooks/stripe", found, stripe.sign(found, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms()))
    [entry] = reception.entries()
    assert isinstance(entry, Signal)
    assert (entry.found, entry.completes) == ("", "")


def test_another_secret_is_refused_and_the_vendors_own_helps_nothing(reception: Reception) -> None:
    found = body()
    for headers in (
        handed(found, secret="guessed"),
        handed(found, source="vercel"),
        handed(found, secret=SECRETS["STRIPE_WEBHOOK_SECRET"]),
        {**stripe.sign(found, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms()), handing.HEADER: "nonsense"},
    ):
        assert reception.post("/hooks/stripe", found, headers).status_code == 401
    assert reception.entries() == []


def test_it_comes_from_within_wherever_the_vendor_may_send_from(redis: Redis, redis_url: str) -> None:
    narrow = replace(POLICY.sources["stripe"], networks=("192.0.2.0/24",))
    policy = replace(POLICY, sources={**POLICY.sources, "stripe": narrow}, version="narrow")
    with running(redis, redis_url, policy=policy) as front:
        found = body()
        signed = stripe.sign(found, SECRETS["STRIPE_WEBHOOK_SECRET"], now_ms())
        assert front.post("/hooks/stripe", found, signed).status_code == 403
        assert front.post("/hooks/stripe", found, handed(found)).status_code == 202
        assert front.post("/hooks/stripe", found, {**signed, handing.HEADER: "t=1"}).status_code == 401
