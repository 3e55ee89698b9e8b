"""The probes that ship: what each takes for well and for ill, and that what it fires has a severity of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import shipped
from dns_standin import DnsStandin
from imap_standin import PASSWORD, USER, ImapStandin
from reading_standin import LIGHTHOUSE, Vendors
from redis import Redis
from site_standin import SiteStandin
from smtp_standin import SmtpStandin
from stripe_standin import StripeStandin
from supabase_standin import SupabaseStandin
from vercel_standin import VercelStandin
from workshop import Bench, bench

from ledger.clock import now_ms
from routing.alerts import classify
from routing.event import Event, Status
from routing.instant import SECOND
from routing.language import expressions
from routing.policy import Policy, Probe
from routing.probing import Look
from routing.schema.sources import OURSELVES, PROBES
from workers import looking

PROBES_BY_NAME: dict[str, Probe] = {probe.name: probe for probe in shipped.policy().probes}

_SITE = {"ok": True, "failures": 0, "last": {"ok": True, "status": 200, "ms": 80, "error": ""}}
_SLOW = {
    "ok": False,
    "failures": 1,
    "last": {"ok": False, "status": 200, "ms": 6_000, "error": "took 6000 ms"},
}
_GONE = {"ok": False, "failures": 1, "last": {"ok": False, "status": 0, "ms": 5_000, "error": "no answer"}}
_NO_FIELD = {"category": "", "lcp_ms": None, "inp_ms": None, "cls": None}
_QUIET = {
    "undecided": {"control": 0, "urgent": 0, "bulk": 3, "all": 3}, "oldest_s": 1, "outbox": 4, "timers_overdue": 0,
    "dead_letters": 0, "jobs": {"dispatch": 1, "urgent": 0, "deliver": 0, "remediate": 0, "evidence": 0},
}  # fmt: skip
JUDGED: Mapping[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "site-health": ([_SITE], [_SLOW, _GONE]),
    "pages-in-time": ([_SITE, _GONE], [_SLOW]),
    "api-in-time": ([_SITE, _GONE], [_SLOW]),
    "web-vitals": (
        [
            {"ok": True, "lcp_ms": 9_000, "cls": 0.9, "field": {**_NO_FIELD, "lcp_ms": 2_000, "cls": 0.05, "inp_ms": 90}},
            {"ok": True, "lcp_ms": 4_000, "cls": 0.25, "field": _NO_FIELD},
            {"ok": True, "lcp_ms": None, "cls": None, "field": _NO_FIELD},
            {"ok": False, "error": "FAILED_DOCUMENT_REQUEST", "lcp_ms": None, "cls": None, "field": _NO_FIELD},
        ],
        [
            {"ok": True, "lcp_ms": 900, "cls": 0.0, "field": {**_NO_FIELD, "lcp_ms": 4_001}},
            {"ok": True, "lcp_ms": 900, "cls": 0.0, "field": {**_NO_FIELD, "inp_ms": 501}},
            {"ok": True, "lcp_ms": 900, "cls": 0.0, "field": {**_NO_FIELD, "cls": 0.26}},
            {"ok": True, "lcp_ms": 4_100, "cls": 0.0, "field": _NO_FIELD},
        ],
    ),
    "site-name": ([{"ok": True, "status": "NOERROR"}], [{"ok": False, "status": "NXDOMAIN"}]),
    "site-certificate": ([{"ok": True, "days_left": 60}], [{"ok": False, "days_left": 9}]),
    "vercel-status": ([{"indicator": "none"}, {"indicator": "minor"}], [{"indicator": "major"}, {"indicator": "critical"}]),
    "stripe-status": ([{"indicator": "none"}, {"indicator": "minor"}], [{"indicator": "major"}, {"indicator": "critical"}]),
    "supabase-status": ([{"indicator": "none"}, {"indicator": "minor"}], [{"indicator": "major"}, {"indicator": "critical"}]),
    "stripe-endpoint": ([{"disabled": 0}], [{"disabled": 1}]),
    "stripe-undelivered": ([{"count": 4}], [{"count": 5}]),
    "pool-exhausted": ([{"count": 2}], [{"count": 3}]),
    "database-connections": ([{"percent": 79.9}], [{"percent": 80.0}]),
    "slow-queries": ([{"slow": 0}], [{"slow": 1}]),
    "sign-ins-in-vain": ([{"count": 49}], [{"count": 50}]),
    "open-to-everybody": ([{"errors": 0, "warnings": 7}], [{"errors": 1, "warnings": 0}]),
    "mail-delivery": ([{"ok": True, "arrived": None}], [{"ok": False, "arrived": False}]),
    "backlog": (
        [_QUIET],
        [{**_QUIET, "oldest_s": 60}, {**_QUIET, "outbox": 1_000}, {**_QUIET, "undecided": {"all": 1_000}}],
    ),
}  # fmt: skip


def test_every_shipped_probe_is_judged_here() -> None:
    assert JUDGED.keys() == PROBES_BY_NAME.keys()


@pytest.mark.parametrize("name", JUDGED)
def test_a_shipped_probe_knows_well_from_ill(name: str) -> None:
    well, ill = JUDGED[name]
    ok = PROBES_BY_NAME[name].ok
    assert [expressions.holds(ok, each) for each in well] == [True] * len(well)
    assert [expressions.holds(ok, each) for each in ill] == [False] * len(ill)


@pytest.mark.parametrize("probe", PROBES_BY_NAME.values(), ids=list(PROBES_BY_NAME))
def test_what_it_fires_is_known_to_a_rule_and_belongs_to_somebody(probe: Probe) -> None:
    event = Event(
        source=PROBES, vendor=OURSELVES, kind=probe.kind, status=Status.FIRING, key="", title=probe.title,
        vendor_severity=probe.severity, labels={"probe": probe.name, **probe.labels},
    )  # fmt: skip
    policy: Policy = shipped.policy()
    found = classify.classify(policy, event, 0)
    assert found.rule in {rule.name for rule in policy.rules}
    assert (found.handling, bool(found.team)) == ("alert", True)


# Looked with, at servers that hold state


@pytest.fixture
def at(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("TOCSIN_REDIS_URL", redis_url)
    return bench(redis, actions=shipped.policy().settings, probes=tuple(PROBES_BY_NAME.values()))


def look(at: Bench, name: str, family: str, **settings: Any) -> Look:
    """With the shipped settings but for these, as the operator would set them."""
    given = at.given.settings.get(family, {})
    assert isinstance(given, dict)
    at.given = replace(at.given, settings={**at.given.settings, family: {**given, **settings}})
    return looking.look(at, at.given, PROBES_BY_NAME[name]).look


@pytest.fixture
def site() -> Iterator[SiteStandin]:
    with SiteStandin() as server:
        yield server


def test_the_sites_health_is_looked_at(at: Bench, site: SiteStandin) -> None:
    there = {"base_url": site.url, "allow_private": "true"}
    assert look(at, "site-health", "http", **there) is Look.WELL
    site.healthy = False
    assert look(at, "site-health", "http", **there) is Look.ILL
    assert look(at, "pages-in-time", "http", **there) is Look.ILL


@pytest.mark.parametrize("page", ["vercel", "stripe", "supabase"])
def test_a_vendors_status_page_is_looked_at(at: Bench, page: str) -> None:
    with VercelStandin() as vendor:
        pages = dict.fromkeys(("stripe", "supabase"), vendor.url)
        there = {"base_url": vendor.url, "pages": pages, "allow_private": "true"}
        assert look(at, f"{page}-status", "vendor_status", **there) is Look.WELL
        vendor.indicator = "major"
        assert look(at, f"{page}-status", "vendor_status", **there) is Look.ILL


def test_what_stripe_could_not_deliver_is_looked_at(at: Bench) -> None:
    with StripeStandin() as stripe:
        made = stripe.endpoint("https://tocsin.example.com/hooks/stripe")
        there = stripe.settings()
        assert look(at, "stripe-endpoint", "stripe", **there) is Look.WELL
        assert look(at, "stripe-undelivered", "stripe", **there) is Look.WELL
        made["status"] = "disabled"
        for _ in range(5):
            stripe.event()
        assert look(at, "stripe-endpoint", "stripe", **there) is Look.ILL
        assert look(at, "stripe-undelivered", "stripe", **there) is Look.ILL


def test_web_vitals_are_looked_at(at: Bench) -> None:
    with Vendors() as google:
        there = {"api_key": "page-key", "base_url": google.url, "site_url": "https://shop.example"}
        assert look(at, "web-vitals", "pagespeed", **there) is Look.WELL
        google.page = {
            **LIGHTHOUSE,
            "loadingExperience": {"metrics": {"INTERACTION_TO_NEXT_PAINT": {"percentile": 700}}},
        }
        assert look(at, "web-vitals", "pagespeed", **there) is Look.ILL


def test_the_sites_name_is_looked_at(at: Bench) -> None:
    with DnsStandin({("shop.example", "A"): ["192.0.2.7"]}) as server:
        there = {"base_url": "https://shop.example", "nameservers": server.at}
        assert look(at, "site-name", "dns", **there) is Look.WELL
        server.zone.clear()
        assert look(at, "site-name", "dns", **there) is Look.ILL


def test_passwords_that_are_tried_and_tables_that_are_open_are_looked_at(at: Bench) -> None:
    with SupabaseStandin() as supabase:
        there = supabase.settings()
        assert look(at, "sign-ins-in-vain", "supabase", **there) is Look.WELL
        assert look(at, "open-to-everybody", "supabase", **there) is Look.WELL
        said = '{"component":"api","error":"400: Invalid login credentials","remote_addr":"192.0.2.7"}'
        supabase.project.logs["auth_logs"] = [(now_ms() - SECOND, said)] * 50
        supabase.project.lints = {"security": [{"name": "rls_disabled_in_public", "level": "ERROR"}]}
        assert look(at, "sign-ins-in-vain", "supabase", **there) is Look.ILL
        assert look(at, "open-to-everybody", "supabase", **there) is Look.ILL


def test_mail_is_looked_at_as_far_as_it_arrives(at: Bench) -> None:
    with SmtpStandin() as smtp, ImapStandin(lambda: smtp.mails) as imap:
        box = {
            "host": "127.0.0.1",
            "port": imap.port,
            "security": "none",
            "username": USER,
            "password": PASSWORD,
        }
        there = {**smtp.settings(), "to": "probe@example.com", "mailbox": box}
        assert look(at, "mail-delivery", "email_probe", **there) is Look.WELL
        assert len(imap.expunged) == 1
        smtp.refuse["RCPT"] = "550 blocked"
        assert look(at, "mail-delivery", "email_probe", **there) is Look.ILL


def test_our_own_backlog_is_looked_at(at: Bench) -> None:
    assert look(at, "backlog", "tocsin") is Look.WELL
    for number in range(1_000):
        at.client.hset(at.keys.outbox, f"e{number}", "{}")
    assert look(at, "backlog", "tocsin") is Look.ILL


def test_without_credentials_a_probe_is_blind_and_says_which(at: Bench) -> None:
    asking = ["stripe-endpoint", "web-vitals", "database-connections", "mail-delivery", "pool-exhausted"]
    found = [looking.look(at, at.given, PROBES_BY_NAME[name]) for name in asking]
    assert [(each.look, each.unset) for each in found] == [(Look.BLIND, True)] * len(asking)
