"""The runbooks that hand over, as they ship: vendors are asked, nothing is changed, and a person gets what was found."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from carrying import Carried
from reading_standin import Vendors
from redis import Redis
from site_standin import SiteStandin
from stripe_standin import KEY, StripeStandin
from vercel_standin import TOKEN, VercelStandin

from routing.event import Status
from routing.instant import HOUR, MINUTE
from routing.run import Run, RunPhase

QUICK = (("every_ms: 500", "every_ms: 1"), ("listen_s: 5", "listen_s: 1"))


@dataclass
class Around:
    """Everybody who is asked."""

    site: SiteStandin
    vercel: VercelStandin
    stripe: StripeStandin
    read: Vendors

    def environ(self) -> dict[str, str]:
        return {
            "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_SITE_URL": self.site.url,
            "VERCEL_TOKEN": TOKEN, "VERCEL_BASE_URL": self.vercel.url, "STRIPE_STATUS_BASE_URL": self.vercel.url,
            "STRIPE_API_KEY": KEY, "STRIPE_BASE_URL": self.stripe.url,
            "SENTRY_API_TOKEN": "sentry-token", "SENTRY_ORGANIZATION": "shop", "SENTRY_BASE_URL": self.read.url,
            "PAGESPEED_API_KEY": "page-key",
            "GA_MEASUREMENT_ID": "G-1", "GA_API_SECRET": "s", "GA_PROPERTY_ID": "123", "GA_CLIENT_ID": "c",
            "GA_CLIENT_SECRET": "s", "GA_REFRESH_TOKEN": "refresh",
        }  # fmt: skip

    @property
    def untouched(self) -> bool:
        return not self.stripe.changes and not self.vercel.changes


@pytest.fixture
def around() -> Iterator[Around]:
    with SiteStandin() as site, VercelStandin() as vercel, StripeStandin() as stripe, Vendors() as read:
        yield Around(site, vercel, stripe, read)


@pytest.fixture
def place(redis: Redis, around: Around) -> Carried:
    url = around.read.url
    google = f"measurement_id:\n    collect_url: {url}\n    data_url: {url}\n    token_url: {url}\n    measurement_id:"
    edits = {
        "actions.yaml": (
            (
                "google_analytics:\n    measurement_id:",
                f"google_analytics:\n    {google.split(chr(10), 1)[1].strip()}",
            ),
            ("    site_url:", f"    base_url: {url}\n    site_url:"),
        ),
        "runbooks/payments.yaml": QUICK,
        "runbooks/slow-site.yaml": QUICK,
        "runbooks/error-sources.yaml": QUICK,
    }
    return Carried(redis, around.environ(), edits)


def task(place: Carried, run: Run) -> str:
    """Nobody was waited for, and one person has it."""
    assert run.phase is RunPhase.HANDED_OVER, run.why
    (found,) = [each for each in place.incident.followups if each.run == run.id]
    return found.text


def test_failing_payments_are_handed_over_with_the_codes_of_the_banks(place: Carried, around: Around) -> None:
    for _ in range(3):
        around.stripe.intent("requires_payment_method", decline="do_not_honor")
    around.stripe.intent()
    around.stripe.endpoint("https://shop.example/hooks/stripe", "disabled")
    place.alert("CheckoutFailing")
    run = place.run("payments")
    assert '3 within the hour, 75.0 % of all, declined as {"do_not_honor":3}' in task(place, run)
    assert place.found(run, "endpoints")["disabled"] == 1
    assert around.untouched
    place.passes(6 * MINUTE)
    assert place.incident.paged


def test_while_stripe_itself_is_down_nothing_is_looked_for_in_our_code(
    place: Carried, around: Around
) -> None:
    around.vercel.indicator = "critical"
    around.stripe.intent("requires_payment_method", decline="processing_error")
    place.alert("CheckoutFailing")
    run = place.run("payments")
    assert (run.phase, "tell customers" in run.why) == (RunPhase.STOPPED, True)
    assert "tell customers" in place.incident.tried
    assert place.incident.followups == []


@pytest.mark.parametrize("counted", [True, False])
def test_visits_that_are_not_counted_are_handed_over_and_counted_ones_are_not(
    place: Carried, around: Around, counted: bool
) -> None:
    around.read.rows = around.read.rows if counted else None
    around.read.messages = [{"fieldPath": "events", "validationCode": "NAME_INVALID", "description": "name"}]
    place.alert("AnalyticsSilent")
    run = place.run("analytics")
    if counted:
        assert run.phase is RunPhase.STOPPED
    else:
        assert "tag on the page (false), and is an event well formed (false)" in task(place, run)
    assert place.found(run, "event")["messages"][0]["code"] == "NAME_INVALID"


def test_a_site_that_feels_slow_is_handed_over_with_what_would_help_it(
    place: Carried, around: Around
) -> None:
    around.site.healthy = False
    place.alert("PoorWebVitals")
    run = place.run("slow-site")
    assert "of five calls of the API 5" in task(place, run)
    assert place.found(run, "audit")["savings"][0]["id"] == "modern-image-formats"
    assert place.found(run, "queries")["dry_run"], "there is no database here, and that is no obstacle"


def errors(status: int, path: str) -> dict[str, Any]:
    return {
        "level": "error", "message": "boom", "timestampInMs": 1, "requestPath": path, "responseStatusCode": status,
    }  # fmt: skip


def test_errors_are_handed_over_by_path_and_by_what_is_new(place: Carried, around: Around) -> None:
    around.site.healthy = False
    around.read.new = around.read.issues[:1]
    for each in around.vercel.project.deployments:
        each.candidate = False  # there is nothing to go back to
    around.vercel.project.deployments[0].runtime = [errors(500, "/api/book"), errors(502, "/api/book")]
    place.alert(
        "deployment.succeeded",
        Status.INFO,
        "vercel",
        project="prj_1",
        deployment="dpl_bad",
        target="production",
    )
    place.passes(MINUTE)
    place.alert("observability.error-anomaly", source="vercel")
    run = place.run("error-sources", HOUR)
    assert "123 errors within the hour, 1 kinds of them new" in task(place, run)
    assert place.found(run, "log")["paths"] == {"/api/book": 2}
    assert around.untouched
