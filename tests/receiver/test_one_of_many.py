"""Several sources of one vendor: each has its own secrets, limits and memory, and none opens another."""

import gzip
from dataclasses import replace

import pytest
import senders
from senders import NOW, headers_of, source_of

from receiver.refuse import Refused
from routing.entry import Lane
from routing.errors import BadSignature
from routing.instant import DAY, HOUR, MINUTE
from routing.language import matchers
from routing.policy import Source

SHOP = replace(source_of("github"), name="shop", secrets=("shop-secret", "shop-secret-before"))
BLOG = replace(source_of("github"), name="blog", secrets=("blog-secret",))
BODY = senders.body_of("github", "workflow_run.failure")


def taken(source: Source, secret: str) -> bool:
    try:
        request = senders.admitted(source, BODY, headers_of(BODY, source, secret=secret))
    except BadSignature:
        return False
    return request.source == source.name and len(request.events) == 1


def test_each_is_opened_by_its_own_secrets_and_by_all_of_them() -> None:
    secrets = ("shop-secret", "shop-secret-before", "blog-secret")
    assert [taken(SHOP, each) for each in secrets] == [True, True, False]
    assert [taken(BLOG, each) for each in secrets] == [False, False, True]


@pytest.mark.parametrize("vendor", ["stripe", "slack", "standard_webhooks", "supabase"])
def test_each_has_its_own_tolerance_either_way(vendor: str) -> None:
    name = {"stripe": "payout.failed", "supabase": "auth.send_email"}.get(vendor, "something-new")
    strict, patient = (replace(source_of(vendor), tolerance_ms=ms) for ms in (MINUTE, HOUR))
    body = senders.body_of(vendor, name)
    for off_ms in (-30 * MINUTE, 30 * MINUTE):
        headers = headers_of(body, patient, at=NOW + off_ms)
        assert senders.admitted(patient, body, headers).events
        with pytest.raises(BadSignature):
            senders.admitted(strict, body, headers)


def test_each_has_its_own_size_packed_and_unpacked() -> None:
    small, large = replace(SHOP, max_bytes=len(BODY) - 1), replace(SHOP, max_bytes=len(BODY))
    headers = {**headers_of(BODY, SHOP, secret="shop-secret"), "content-encoding": "gzip"}
    assert senders.admitted(large, gzip.compress(BODY, mtime=0), headers).events
    with pytest.raises(Refused) as refused:
        senders.admitted(small, gzip.compress(BODY, mtime=0), headers)
    assert refused.value.status == 413


def test_each_remembers_as_long_as_it_says_and_hurries_what_it_says() -> None:
    urgent = tuple(matchers.parse_all('kind="workflow_run"'))
    source = replace(SHOP, dedup_ms=9 * DAY, urgent_kinds=urgent)
    headers = headers_of(BODY, source, secret="shop-secret")
    request, other = (senders.admitted(each, BODY, headers) for each in (source, SHOP))
    assert (request.dedup_ms, request.events[0].lane) == (9 * DAY, Lane.URGENT)
    assert other.events[0].lane is Lane.BULK


def test_each_reads_by_its_own_settings() -> None:
    failed = senders.body_of("github", "workflow_run.failure-branch")
    headers = headers_of(failed, SHOP, secret="shop-secret")
    every = replace(SHOP, settings={"branches": ["*"]})
    statuses = [senders.read(failed, each).events[0].status for each in (SHOP, every)]
    assert [str(each) for each in statuses] == ["info", "firing"]
    assert senders.admitted(every, failed, headers).events
