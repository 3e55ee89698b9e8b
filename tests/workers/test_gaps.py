"""What vendors could not bring is found by asking them, once, and taken in as if they had brought it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import process
from gapped import URL, Asking, asking, publish
from github_standin import TOKEN as GITHUB_TOKEN
from github_standin import GithubStandin
from reception import SECRETS
from stripe_standin import KEY, StripeStandin
from vendor_server import Misbehaviour
from vercel_standin import TOKEN, Deployment, VercelStandin
from working import until

from ledger import gaps, handing, turns
from ledger.clock import now_ms
from ledger.views import why
from receiver import samples
from receiver.samples import Wanted
from receiver.sources import github, stripe, vercel
from routing.event import Status
from routing.instant import DAY, HOUR, MINUTE, SECOND, iso

STRIPE = {"api_key": KEY, "every": "5m"}


@pytest.fixture
def stripe_standin() -> Iterator[StripeStandin]:
    with StripeStandin() as found:
        yield found


@pytest.fixture
def missed(redis_url: str, tmp_path: Path, stripe_standin: StripeStandin) -> Iterator[Asking]:
    """Of Stripe."""
    with asking(redis_url, tmp_path, "stripe", "stripe", {**STRIPE, "pages": 1}, stripe_standin.url) as found:
        yield found


@pytest.fixture
def hub() -> Iterator[GithubStandin]:
    with GithubStandin() as found:
        yield found


@pytest.fixture
def of_github(redis_url: str, tmp_path: Path, hub: GithubStandin) -> Iterator[Asking]:
    with asking(redis_url, tmp_path, "github", "github", hub.settings(), hub.url) as found:
        yield found


def run(conclusion: str = "failure", number: int = 1) -> dict[str, Any]:
    """A workflow's end, as GitHub tells it."""
    body = json.loads(samples.make("github", "workflow_run.failure", Wanted(), now_ms()))
    body["workflow_run"] |= {"id": number, "conclusion": conclusion}
    return dict(body)


def arrive(asked: Asking, vendor: Any, body: bytes, secret: str, **headers: str) -> dict[str, Any]:
    """The vendor brings it itself."""
    signed = {**vendor.sign(body, SECRETS[secret], now_ms()), **headers}
    answer = asked.front.post(f"/hooks/{asked.source}", body, signed)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def test_what_stripe_could_not_deliver_is_found_once(missed: Asking, stripe_standin: StripeStandin) -> None:
    made = [stripe_standin.event("payout.failed", age_s=600 - n) for n in range(3)]
    stripe_standin.event("charge.refunded", pending=0)
    gap = missed.look()
    found = missed.signals()
    assert [signal.event.vendor_id for signal in found] == [each["id"] for each in made], "oldest first"
    assert {signal.found for signal in found} == {"polling"}
    assert (gap.found, gap.reason, gap.failures) == (3, "", 0)
    assert gap.next_at > gap.looked_at
    # Stripe goes on listing them: they were not delivered by it.
    for _ in range(3):
        missed.look(5 * MINUTE)
    assert len(missed.signals()) == 3
    assert missed.gap.found == 3


def test_an_event_that_was_taken_already_changes_nothing(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    made = stripe_standin.event("payout.failed", age_s=600)
    arrive(missed, stripe, json.dumps(made).encode(), "STRIPE_WEBHOOK_SECRET")
    assert missed.look().found == 0
    [signal] = missed.signals()
    assert signal.found == ""


def test_what_comes_late_by_itself_is_the_one_that_was_found(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    made = stripe_standin.event("payout.failed", age_s=600)
    missed.look()
    arrive(missed, stripe, json.dumps(made).encode(), "STRIPE_WEBHOOK_SECRET")
    assert len(missed.signals()) == 1


def test_why_says_that_it_was_found_by_polling(missed: Asking, stripe_standin: StripeStandin) -> None:
    made = stripe_standin.event("payout.failed", age_s=600)
    missed.look()
    missed.desk.fold()
    [life] = why(missed.desk.store, made["id"], ["stripe"])
    told = [stage["what"] for stage in life.stages if stage["stage"] == "verified"]
    assert told == ["found by polling: stripe had not brought it, and was asked what we missed"]


def test_thin_events_that_never_came_are_found(
    redis_url: str, tmp_path: Path, stripe_standin: StripeStandin
) -> None:
    """Stripe does not say which were delivered: what came is known again."""
    kind = "v2.core.health.api_error.firing"
    for number in range(150, 0, -1):
        at = iso(now_ms() - number * MINUTE if number > 1 else now_ms())
        stripe_standin.thin.append({
            "id": f"evt_{number}", "object": "v2.core.event", "type": kind if number % 50 else "v1.payout.paid",
            "created": at, "livemode": True, "related_object": None,
        })  # fmt: skip
    poll = {**STRIPE, "thin": [kind], "first": "2h"}
    with asking(redis_url, tmp_path, "stripe", "stripe", poll, stripe_standin.url) as found:
        arrive(found, stripe, json.dumps(stripe_standin.thin[-7]).encode(), "STRIPE_WEBHOOK_SECRET")
        gap = found.look()
        # Of the 120 made in these two hours one came by itself, and two are of another type.
        assert (gap.found, gap.reason, gap.after) == (117, "", "")
        assert found.look(5 * MINUTE).found == 118, "what was too young then"
        assert len(stripe_standin.done("/v2/core/events")) == 3


def test_what_is_on_its_way_is_left_to_come(missed: Asking, stripe_standin: StripeStandin) -> None:
    stripe_standin.event("payout.failed", age_s=5)
    assert missed.look().found == 0
    assert missed.look(5 * MINUTE).found == 1


def test_so_much_is_read_at_once_and_where_it_ended_is_kept(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    for number in range(210):
        stripe_standin.event("payout.failed", age_s=600 + number)
    first = missed.look()
    assert (first.found, bool(first.after), first.since_at) == (100, True, 0)
    assert len(stripe_standin.done("/v1/events")) == 1
    # Another process goes on where this one ended.
    missed.passed_ms += 10 * SECOND
    missed.another("upkeep-2").round()
    assert missed.gap.found == 200
    assert missed.look(10 * SECOND).found == 210
    assert missed.gap.after == ""
    assert missed.gap.since_at == first.until_at
    assert len(missed.signals()) == 210


@pytest.mark.parametrize(("status", "begins_anew"), [(500, False), (400, True)])
def test_a_page_that_is_refused_costs_no_page_before_it(
    redis_url: str, tmp_path: Path, stripe_standin: StripeStandin, status: int, begins_anew: bool
) -> None:
    """Should it be the place in its list that it refuses for good, the list begins anew."""
    for number in range(150):
        stripe_standin.event("payout.failed", age_s=600 + number)
    with asking(redis_url, tmp_path, "stripe", "stripe", STRIPE, stripe_standin.url) as found:
        stripe_standin.misbehave(
            Misbehaviour(path="/v1/events"), Misbehaviour(path="/v1/events", status=status)
        )
        gap = found.look()
        assert (gap.found, bool(gap.after), str(status) in gap.reason) == (100, not begins_anew, True)
        assert found.look(5 * MINUTE).found == 150
        again = stripe_standin.done("/v1/events")[1]
        assert ("starting_after" in again.query) is not begins_anew


def test_it_is_not_asked_before_it_is_time_unless_somebody_wants_it(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    missed.look()
    missed.look(4 * MINUTE)
    assert len(stripe_standin.done("/v1/events")) == 1
    gaps.want(missed.desk.client, missed.desk.keys, "stripe", now_ms())
    missed.look()
    missed.look()
    assert len(stripe_standin.done("/v1/events")) == 2


def test_two_processes_do_not_ask_at_once(missed: Asking, stripe_standin: StripeStandin) -> None:
    client, key = missed.desk.client, missed.desk.keys.polling("stripe")
    assert turns.mine(client, key, "upkeep-2", 60_000)
    missed.look()
    assert stripe_standin.calls == []
    turns.give_back(client, key, "upkeep-2")
    missed.look()
    assert stripe_standin.calls != []


@pytest.mark.parametrize(
    ("status", "retry_after", "least_ms"),
    [(429, "600", 10 * MINUTE), (503, "", 15 * SECOND), (500, "", 15 * SECOND), (401, "", 5 * MINUTE)],
)
def test_who_refuses_is_asked_again_later(
    missed: Asking, stripe_standin: StripeStandin, status: int, retry_after: str, least_ms: int
) -> None:
    stripe_standin.event("payout.failed", age_s=600)
    stripe_standin.misbehave(Misbehaviour(status=status, retry_after=retry_after))
    gap = missed.look()
    assert str(status) in gap.reason
    assert gap.failures == 1
    assert gap.failing_since > 0
    asked = len(stripe_standin.calls)
    missed.look(least_ms - 5 * SECOND)
    assert len(stripe_standin.calls) == asked, "too soon"
    gap = missed.look(10 * SECOND)
    assert (gap.found, gap.reason, gap.failing_since, gap.failures) == (1, "", 0, 0)


@pytest.mark.parametrize(
    "how", [Misbehaviour(garbage=True), Misbehaviour(hang_up=True), Misbehaviour(delay_s=3)]
)
def test_no_answer_is_no_end(missed: Asking, stripe_standin: StripeStandin, how: Misbehaviour) -> None:
    stripe_standin.event("payout.failed", age_s=600)
    stripe_standin.misbehave(how)
    assert missed.look().reason
    assert missed.look(MINUTE).found == 1


def test_failures_in_a_row_wait_ever_longer(missed: Asking, stripe_standin: StripeStandin) -> None:
    waits = []
    for _ in range(4):
        stripe_standin.misbehave(Misbehaviour(status=500))
        gap = missed.look(max(0, missed.gap.next_at - now_ms() - missed.passed_ms))
        waits.append(round((gap.next_at - gap.looked_at) / SECOND))
    assert waits == [15, 30, 60, 120]


def test_a_receiver_that_takes_nothing_is_asked_again_and_nothing_is_skipped(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    stripe_standin.event("payout.failed", age_s=600)
    missed.front.site.keep.close()
    gap = missed.look()
    assert "our own receiver" in gap.reason
    assert (gap.found, gap.since_at) == (0, 0)


def test_without_a_key_nobody_is_asked(redis_url: str, tmp_path: Path, stripe_standin: StripeStandin) -> None:
    poll = {"api_key": "${STRIPE_API_KEY}"}
    with asking(redis_url, tmp_path, "stripe", "stripe", poll, stripe_standin.url) as found:
        assert found.look().off == "STRIPE_API_KEY not set"
        assert stripe_standin.calls == []


def test_without_the_doors_secret_nobody_is_asked(
    redis_url: str, tmp_path: Path, stripe_standin: StripeStandin
) -> None:
    with asking(redis_url, tmp_path, "stripe", "stripe", STRIPE, stripe_standin.url, environ={}) as found:
        assert found.look().off == f"{handing.SECRET} not set"
        assert stripe_standin.calls == []


def test_a_disabled_endpoint_is_said_once_and_taken_back(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    ours = stripe_standin.endpoint("https://tocsin.example/hooks/stripe", "disabled")
    stripe_standin.endpoint("https://shop.example/other", "disabled")
    missed.look()
    missed.look(5 * MINUTE)
    [said] = missed.signals("tocsin")
    assert (said.event.kind, said.event.status) == ("source.endpoint", Status.FIRING)
    assert ours["id"] in said.event.summary
    ours["status"] = "enabled"
    missed.look(5 * MINUTE)
    assert [each.event.status for each in missed.signals("tocsin")] == [Status.FIRING, Status.RESOLVED]


def test_a_disabled_destination_of_thin_events_is_said_too(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    stripe_standin.destinations.append({
        "id": "ed_1", "object": "v2.core.event_destination", "status": "disabled",
        "webhook_endpoint": {"url": "https://tocsin.example/hooks/stripe"},
        "status_details": {"disabled": {"reason": "user"}},
    })  # fmt: skip
    missed.look()
    [said] = missed.signals("tocsin")
    assert said.event.summary.startswith("Stripe's event destination ed_1 is disabled (user)")


def test_a_key_that_may_not_read_destinations_still_asks_for_the_rest(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    ours = stripe_standin.endpoint("https://tocsin.example/hooks/stripe", "disabled")
    stripe_standin.misbehave(Misbehaviour(status=403, path="/v2/core/event_destinations"))
    assert missed.look().reason == ""
    assert ours["id"] in missed.signals("tocsin")[0].event.summary


def test_missed_events_are_said_and_over_when_none_are(missed: Asking, stripe_standin: StripeStandin) -> None:
    stripe_standin.event("payout.failed", age_s=600)
    missed.look()
    missed.look(5 * MINUTE)
    told = [(each.event.kind, each.event.status) for each in missed.signals("tocsin")]
    assert told == [("source.missed", Status.FIRING), ("source.missed", Status.RESOLVED)]
    assert "1 event;" in missed.signals("tocsin")[0].event.summary


def test_who_is_not_asked_any_more_is_forgotten(missed: Asking, stripe_standin: StripeStandin) -> None:
    stripe_standin.endpoint("https://tocsin.example/hooks/stripe", "disabled")
    missed.look()
    publish(missed.desk, "stripe", "stripe", {})
    missed.look(5 * MINUTE)
    assert gaps.all_of(missed.desk.client, missed.desk.keys) == {}
    assert [each.event.status for each in missed.signals("tocsin")] == [Status.FIRING, Status.RESOLVED]


def test_a_failed_delivery_of_github_is_found(of_github: Asking, hub: GithubStandin) -> None:
    hub.deliver(run(), 502)
    hub.deliver(run("success", 2), 202)
    hub.deliver({"action": "opened", "issue": {"number": 1}}, 500, event="issues", age_s=200)
    of_github.look()
    told = [(each.event.kind, each.event.status, each.found) for each in of_github.signals()]
    assert told == [("workflow_run", Status.FIRING, "polling"), ("issues", Status.INFO, "polling")]


def test_what_github_delivered_again_is_left_alone(of_github: Asking, hub: GithubStandin) -> None:
    guid = hub.deliver(run(), 502, age_s=600)
    hub.deliver(run(), 202, age_s=300, guid=guid)
    assert of_github.look().found == 0


def test_a_payload_of_github_is_known_again_whichever_way_it_came(
    of_github: Asking, hub: GithubStandin
) -> None:
    """Its answer was lost: GitHub thinks that it failed. Its API writes the same in other bytes."""
    body = run()
    hub.deliver(body, 504)
    arrive(
        of_github,
        github,
        json.dumps(dict(reversed(body.items())), indent=1).encode(),
        "GITHUB_WEBHOOK_SECRET",
    )
    before = len(of_github.signals())
    assert of_github.look().found == 0
    assert len(of_github.signals()) == before == 1


def test_githubs_deliveries_are_read_page_by_page(redis_url: str, tmp_path: Path, hub: GithubStandin) -> None:
    hub.page = 4
    for number in range(10):
        hub.deliver(run(number=number), 502, age_s=200 + number)
    hub.deliver(run(number=99), 502, age_s=3 * 86_400)
    with asking(redis_url, tmp_path, "github", "github", hub.settings(pages=2), hub.url) as found:
        assert found.look().found == 8
        assert found.look(10 * SECOND).found == 10
        assert found.gap.after == ""


@pytest.mark.parametrize("limited", [1, 3])
def test_github_is_asked_no_sooner_than_its_ration_is_renewed(
    of_github: Asking, hub: GithubStandin, limited: int
) -> None:
    hub.deliver(run())
    hub.limited = limited
    for _ in range(limited):
        gap = of_github.look()
        assert "rate limit" in gap.reason
        assert gap.next_at - gap.looked_at >= 590 * SECOND
        of_github.passed_ms += 20 * MINUTE
    assert of_github.look().found == 1


def test_a_token_github_does_not_know_says_what_to_check(
    redis_url: str, tmp_path: Path, hub: GithubStandin
) -> None:
    with asking(redis_url, tmp_path, "github", "github", hub.settings(token="another"), hub.url) as found:
        assert "check GITHUB_TOKEN" in found.look().reason
        assert GITHUB_TOKEN not in found.gap.reason


def test_a_payload_github_has_no_more_is_passed_over(of_github: Asking, hub: GithubStandin) -> None:
    hub.deliver(run(number=1), 502, age_s=400)
    hub.deliver(run(number=2), 502, age_s=300)
    hub.misbehave(Misbehaviour(status=404, path="/deliveries/40000"))
    gap = of_github.look()
    assert (gap.found, gap.reason) == (1, "")


def test_a_hook_that_is_not_active_is_said(of_github: Asking, hub: GithubStandin) -> None:
    hub.active = False
    of_github.look()
    [said] = of_github.signals("tocsin")
    assert (said.event.kind, said.event.labels) == ("source.endpoint", {"from": "github"})


@pytest.fixture
def of_vercel(redis_url: str, tmp_path: Path) -> Iterator[tuple[Asking, VercelStandin]]:
    with VercelStandin() as standin:
        standin.project.deployments = []
        with asking(redis_url, tmp_path, "vercel", "vercel", {"token": TOKEN}, standin.url) as found:
            yield found, standin


def test_a_deployment_we_never_heard_of_is_found(of_vercel: tuple[Asking, VercelStandin]) -> None:
    asked, standin = of_vercel
    ages = {"dpl_ok": ("READY", 40), "dpl_bad": ("ERROR", 30), "dpl_now": ("BUILDING", 20)}
    standin.project.deployments = [
        Deployment(uid, now_ms() - age * MINUTE, state=state) for uid, (state, age) in ages.items()
    ]
    asked.look()
    told = [(each.event.kind, each.event.labels["deployment"]) for each in asked.signals()]
    # A success is news, and the end of a failed build before it.
    assert told == [
        ("deployment.succeeded", "dpl_ok"), ("deployment.error", "dpl_ok"), ("deployment.error", "dpl_bad")
    ]  # fmt: skip
    standin.finish("dpl_now")
    assert asked.look(5 * MINUTE).found == 5, "what was not over then is seen when it is"
    asked.look(5 * MINUTE)
    assert asked.gap.found == 5


def test_a_deployment_vercel_told_of_is_known(of_vercel: tuple[Asking, VercelStandin]) -> None:
    asked, standin = of_vercel
    standin.project.deployments = [Deployment("dpl_bad", now_ms() - 30 * MINUTE, state="ERROR")]
    changes = [("payload.deployment.id", "dpl_bad"), ("payload.target", "production")]
    body = samples.make("vercel", "deployment.error", Wanted(changes=changes), now_ms())
    arrive(asked, vercel, body, "VERCEL_WEBHOOK_SECRET")
    assert asked.look().found == 0
    assert len(asked.signals()) == 1


def test_vercels_list_is_read_page_by_page(of_vercel: tuple[Asking, VercelStandin]) -> None:
    asked, standin = of_vercel
    standin.project.deployments = [
        Deployment(f"dpl_{n}", now_ms() - 10 * MINUTE - n * SECOND, state="ERROR") for n in range(101)
    ]
    assert asked.look().found == 101
    assert len(standin.done("/v6/deployments")) == 2


def test_what_was_found_is_no_sign_of_life_of_its_source(
    missed: Asking, stripe_standin: StripeStandin
) -> None:
    stripe_standin.event("payout.failed", age_s=600)
    assert missed.look().found == 1
    assert missed.front.site.counts.accepted["stripe"] == 0


def test_the_first_look_goes_back_as_far_as_it_is_told(
    redis_url: str, tmp_path: Path, stripe_standin: StripeStandin
) -> None:
    stripe_standin.event("payout.failed", age_s=3 * HOUR // SECOND)
    poll = {**STRIPE, "first": "2h"}
    with asking(redis_url, tmp_path, "stripe", "stripe", poll, stripe_standin.url) as found:
        assert found.look().found == 0
        assert found.gap.since_at > now_ms() - DAY


def test_upkeep_finds_what_was_missed_and_completes_what_was_hinted_at(
    missed: Asking, stripe_standin: StripeStandin, redis_url: str, tmp_path: Path
) -> None:
    """As a process of its own, with no more than it is given."""
    stripe_standin.event("payout.failed", age_s=600)
    stripe_standin.objects["/v1/payouts/po_1"] = {
        "id": "po_1",
        "object": "payout",
        "failure_code": "account_closed",
    }
    related = {"id": "po_1", "type": "payout", "url": "/v1/payouts/po_1"}
    thin = {
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.payout.failed", "livemode": True,
        "created": "2026-11-24T02:35:07.000Z", "related_object": related,
    }  # fmt: skip
    stripe_standin.thin.append(thin)
    arrive(missed, stripe, json.dumps(thin).encode(), "STRIPE_WEBHOOK_SECRET")
    missed.desk.fold()
    given = {
        "TOCSIN_REDIS_URL": redis_url, "TOCSIN_DATA": str(tmp_path), "TOCSIN_FRONT_DOOR": missed.front.url,
        handing.SECRET: SECRETS[handing.SECRET], URL: stripe_standin.url,
    }  # fmt: skip
    with process("workers.upkeep:main", **given):
        until(
            lambda: {"polling", "retrieval"} <= {each.found for each in missed.signals()},
            30,
            "both to be found",
        )
