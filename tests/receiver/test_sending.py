"""`tocsin send`: every sample of every vendor, sent through the real endpoint as the vendor would."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import senders
from reception import POLICY, Reception, running
from redis import Redis
from senders import SECRET

from ledger import catalogue
from ledger.clock import now_ms
from receiver import samples
from receiver.post import Poster
from receiver.samples import Wanted
from receiver.sending import CannotSend, sender


@pytest.fixture
def reception(redis: Redis, redis_url: str) -> Iterator[Reception]:
    sources = {vendor: senders.source_of(vendor) for vendor in catalogue.sources()}
    with running(redis, redis_url, policy=replace(POLICY, sources=sources)) as found:
        yield found


def test_every_sample_is_taken_as_its_vendor_would_send_it(reception: Reception) -> None:
    failed = {}
    with Poster() as poster:
        for vendor, name in senders.everything():
            source = senders.source_of(vendor)
            reply = sender(source, catalogue.source(vendor), {}, reception.url).send(
                poster, name, Wanted(), now_ms()
            )
            if not reply.ok or reply.json().get("dead"):
                failed[vendor, name] = (reply.status, reply.body)
    assert failed == {}
    assert len(reception.entries()) >= len(senders.everything())
    assert reception.site.counts.dead.total() == 0


def test_without_a_secret_nothing_can_be_sent() -> None:
    source = replace(senders.source_of("github"), secrets=())
    with pytest.raises(CannotSend, match="no secret to sign with"):
        sender(source, catalogue.source("github"), {}, "http://127.0.0.1:1")


def test_what_can_be_changed_in_a_sample_is_changed_before_it_is_packed() -> None:
    form = senders.body_of("statuscake", "down", ("Name", "Another shop"))
    assert b"Name=Another+shop" in form
    assert samples.names("statuscake") == ["down", "something-new", "up"]
    assert SECRET.encode() not in form
