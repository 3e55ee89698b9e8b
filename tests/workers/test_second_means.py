"""What is tried when the first means has not helped, and what none does, as it ships: vendors that hold state."""

from collections.abc import Iterator

import pytest
from carrying import Carried
from redis import Redis
from site_standin import SiteStandin
from stripe_standin import KEY, StripeStandin
from vendor_server import Asked, Reply, VendorServer
from vercel_standin import TOKEN, VercelStandin

from routing.entry import Verb
from routing.instant import HOUR, MINUTE
from routing.run import RunPhase

QUICK = (("every_ms: 2000", "every_ms: 1"),)


def ran(place: Carried) -> list[tuple[str, RunPhase]]:
    return [(each.runbook, each.phase) for each in place.runs if not each.undoes]


# An attack that a challenge does not hold off


@pytest.fixture
def vercel() -> Iterator[VercelStandin]:
    with VercelStandin() as made:
        yield made


def attacked(redis: Redis, vercel: VercelStandin, site: SiteStandin) -> Carried:
    environ = {
        "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_SITE_URL": site.url, "VERCEL_TOKEN": TOKEN,
        "VERCEL_BASE_URL": vercel.url,
    }  # fmt: skip
    place = Carried(redis, environ, {"runbooks/attack.yaml": QUICK, "runbooks/rate-limit.yaml": QUICK})
    place.alert("firewall.attack", source="vercel", project="prj_1")
    return place


def test_an_attack_that_outlasts_the_challenge_meets_a_limit_that_ends_after_two_hours(
    redis: Redis, vercel: VercelStandin
) -> None:
    firewall = vercel.project.firewall
    with SiteStandin(live=lambda: "dpl_good" if firewall.rules else "dpl_bad") as site:
        place = attacked(redis, vercel, site)
        assert place.run("rate-limit").phase is RunPhase.SUCCEEDED
        assert ran(place) == [("attack", RunPhase.FAILED), ("rate-limit", RunPhase.SUCCEEDED)]
        (rule,) = firewall.rules
        assert rule["action"]["mitigate"]["rateLimit"]["limit"] == 120
        assert not place.incident.resolved_at, "the firewall has not said that it is over"
        place.passes(3 * HOUR)
        assert firewall.rules == []


def test_while_the_challenge_helps_nobody_is_limited(redis: Redis, vercel: VercelStandin) -> None:
    firewall = vercel.project.firewall
    with SiteStandin(live=lambda: "dpl_good" if firewall.attack else "dpl_bad") as site:
        place = attacked(redis, vercel, site)
        assert place.run("attack").phase is RunPhase.SUCCEEDED
        place.passes(30 * MINUTE)
        assert (ran(place), firewall.rules) == ([("attack", RunPhase.SUCCEEDED)], [])


# A lag that a new session does not end


class Bridge(VendorServer):
    """What an operator has before Booksy: a synchronisation that is stuck until its state is forgotten."""

    def __init__(self, *, stuck: bool = True) -> None:
        super().__init__()
        self.lag_minutes, self.stuck = 90, stuck

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/reset":
            self.stuck = False
        if asked.path == "/sync" and not self.stuck:
            self.lag_minutes = 0
        return Reply(200, {"lag_minutes": self.lag_minutes})

    @property
    def changes(self) -> list[str]:
        return [call.path for call in self.calls if call.method == "POST"]


def lagging(redis: Redis, bridge: Bridge) -> Carried:
    ways = {"status": "GET", "sync": "POST", "refresh_auth": "POST", "reset_sync": "POST"}
    paths = {"refresh_auth": "refresh", "reset_sync": "reset"}
    told = ", ".join(
        f'{name}: {{request: {{method: {method}, url: "{bridge.url}/{paths.get(name, name)}"}}}}'
        for name, method in ways.items()
    )
    edits = {"actions.yaml": (("booksy: {}", f"booksy: {{allow_private: true, {told}}}"),)}
    place = Carried(redis, {"TOCSIN_ALLOW_PRIVATE": "true"}, edits)
    place.alert("BooksySyncLag")
    return place


def asked_for(place: Carried, runbook: str) -> None:
    """Until somebody is asked whether it may."""
    last = place.simulation.now + HOUR
    while not any(each.runbook == runbook and each.approval for each in place.runs):
        assert place.simulation.step(last), ran(place)


def test_booksys_state_is_forgotten_only_once_somebody_agrees(redis: Redis) -> None:
    with Bridge() as bridge:
        place = lagging(redis, bridge)
        asked_for(place, "reset-booksy")
        assert bridge.changes == ["/refresh", "/sync"]
        place.says(Verb.APPROVE, "cto")
        assert place.run("reset-booksy").phase is RunPhase.SUCCEEDED
        assert bridge.changes == ["/refresh", "/sync", "/reset", "/sync"]
        assert ran(place) == [("booksy", RunPhase.FAILED), ("reset-booksy", RunPhase.SUCCEEDED)]


def test_nobody_who_answers_is_a_no(redis: Redis) -> None:
    with Bridge() as bridge:
        place = lagging(redis, bridge)
        assert place.run("reset-booksy", 4 * HOUR).phase is RunPhase.REFUSED
        assert "/reset" not in bridge.changes


def test_a_new_session_that_helps_leaves_the_state_alone(redis: Redis) -> None:
    with Bridge(stuck=False) as bridge:
        place = lagging(redis, bridge)
        assert place.run("booksy").phase is RunPhase.SUCCEEDED
        place.passes(HOUR)
        assert ran(place) == [("booksy", RunPhase.SUCCEEDED)]


# An endpoint that Stripe disables again


class Stubborn(StripeStandin):
    """Disables its first endpoint again as soon as somebody looks."""

    def answer(self, asked: Asked) -> Reply:
        if asked.method == "GET" and asked.path.endswith("/webhook_endpoints"):
            self.endpoints[-1]["status"] = "disabled"
        return super().answer(asked)


def test_an_endpoint_that_stripe_disables_again_is_made_anew_once_somebody_agrees(redis: Redis) -> None:
    with Stubborn() as stripe:
        old = stripe.endpoint("https://tocsin.example.com/hooks/stripe", status="disabled")
        place = Carried(redis, {"STRIPE_API_KEY": KEY, "STRIPE_BASE_URL": stripe.url})
        place.alert("StripeWebhookFailing")
        asked_for(place, "webhook-endpoint")
        assert len(stripe.endpoints) == 1
        place.says(Verb.APPROVE, "cto")
        run = place.run("webhook-endpoint")
        assert run.phase is RunPhase.SUCCEEDED, run.why
        new, *others = stripe.endpoints
        assert ([each["id"] for each in others], new["status"], old["status"]) == (
            [old["id"]],
            "enabled",
            "disabled",
        )
        assert new["url"] == old["url"]
        left = [each.text for each in place.incident.followups]
        assert any(f"put the secret of {new['id']} where we listen" in each for each in left)
        assert not place.incident.resolved_at


# A vendor's outage, which nothing of ours mends


def test_a_vendors_outage_is_handed_over_with_whether_our_site_suffers(
    redis: Redis, vercel: VercelStandin
) -> None:
    with SiteStandin() as site:
        environ = {
            "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_SITE_URL": site.url, "VERCEL_STATUS_BASE_URL": vercel.url,
            "STRIPE_STATUS_BASE_URL": vercel.url, "SUPABASE_STATUS_BASE_URL": vercel.url,
        }  # fmt: skip
        edits = {"runbooks/vendor-trouble.yaml": (("every_ms: 1000", "every_ms: 1"),)}
        vercel.indicator = "major"
        place = Carried(redis, environ, edits)
        place.alert("VendorTrouble")
        run = place.run("vendor-trouble")
        assert run.phase is RunPhase.HANDED_OVER, run.why
        (task,) = [each.text for each in place.incident.followups if each.run == run.id]
        assert "0 of 3 looks at our site failed; Vercel says major, Stripe major, Supabase major" in task
        letter = task.partition("A draft:")[2]
        assert "To: support@vercel.com, support@stripe.com or support@supabase.io" in letter
        assert "0 of 3 checks of our site failed just now" in letter
        assert f"quote {place.incident.id} in your answer" in letter
