"""Outages and errors, one runbook after another as they ship: a Vercel that really switches and builds, a site on it."""

from collections.abc import Iterator
from typing import Any

import pytest
from carrying import Carried
from redis import Redis
from site_standin import SiteStandin
from vercel_standin import TOKEN, VercelStandin

from routing.event import Status
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import RunPhase

ROLLBACK, BUILD = "/v1/projects/prj_1/rollback/dpl_good", "/v13/deployments"
QUICK = ("every_ms: 1000", "every_ms: 1")
LISTEN = ("listen_s: 5", "listen_s: 1")


@pytest.fixture
def vercel() -> Iterator[VercelStandin]:
    with VercelStandin() as made:
        yield made


@pytest.fixture
def site(vercel: VercelStandin) -> Iterator[SiteStandin]:
    with SiteStandin(live=lambda: vercel.live) as made:
        yield made


@pytest.fixture
def place(redis: Redis, vercel: VercelStandin, site: SiteStandin) -> Carried:
    """A deployment went live a minute ago."""
    environ = {
        "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_SITE_URL": site.url, "VERCEL_TOKEN": TOKEN, "VERCEL_BASE_URL": vercel.url,
        "VERCEL_STATUS_BASE_URL": vercel.url, "SUPABASE_STATUS_BASE_URL": vercel.url,
    }  # fmt: skip
    edits = {
        "runbooks/rollback.yaml": (QUICK,),
        "runbooks/site-redeploy.yaml": (QUICK,),
        "runbooks/undo-deployment.yaml": (LISTEN,),
        "runbooks/outage.yaml": (("every_ms: 500", "every_ms: 1"), LISTEN),
        "runbooks/error-sources.yaml": (("every_ms: 500", "every_ms: 1"), LISTEN),
        "runbooks/memory.yaml": (("every_ms: 2000", "every_ms: 1"),),
        "runbooks/memory-use.yaml": (("every_ms: 500", "every_ms: 1"), LISTEN),
    }
    made = Carried(redis, environ, edits)
    labels = {"project": "prj_1", "deployment": "dpl_bad", "target": "production"}
    made.alert("deployment.succeeded", Status.INFO, "vercel", **labels)
    made.passes(MINUTE)
    return made


def ran(place: Carried) -> list[tuple[str, RunPhase]]:
    return [(each.runbook, each.phase) for each in place.runs]


def builds(vercel: VercelStandin) -> str:
    """The deployment that is being built; "" for none."""
    return next((each.uid for each in vercel.project.deployments if each.state == "BUILDING"), "")


def until_built(place: Carried, vercel: VercelStandin) -> str:
    last = place.simulation.now + HOUR
    while not builds(vercel):
        assert place.simulation.step(last), ran(place)
    place.passes(40 * SECOND)
    found = builds(vercel)
    vercel.finish(found)
    return found


def errors(count: int) -> list[dict[str, Any]]:
    return [
        {"level": "error", "message": "boom", "timestampInMs": at, "requestPath": "/api/book", "responseStatusCode": 500}
        for at in range(count)
    ]  # fmt: skip


def test_where_going_back_did_not_help_it_is_built_anew_once_and_promoted_when_it_is_built(
    place: Carried, vercel: VercelStandin, site: SiteStandin
) -> None:
    site.bad = frozenset({"dpl_bad", "dpl_good"})
    place.alert("SiteDown")
    made = until_built(place, vercel)
    assert vercel.live == "dpl_good", "after a rollback nothing goes live by itself"
    run = place.run("site-redeploy")
    assert ran(place) == [("rollback", RunPhase.FAILED), ("site-redeploy", RunPhase.SUCCEEDED)]
    assert vercel.changes == [ROLLBACK, BUILD, f"/v10/projects/prj_1/promote/{made}"]
    assert next(each.attempt for each in run.steps if each.id == "promote") > 1, "it waited for the build"
    assert place.incident.resolved_by == "runbook site-redeploy"


def test_with_nothing_to_go_back_to_it_is_built_anew_and_only_once_a_day(
    place: Carried, vercel: VercelStandin, site: SiteStandin
) -> None:
    for each in vercel.project.deployments:
        each.candidate = False
    site.healthy = False
    place.alert("SiteDown")
    until_built(place, vercel)
    assert place.run("site-redeploy").phase is RunPhase.FAILED
    place.run("outage")
    assert vercel.changes == [BUILD]
    place.alert("SiteDown", Status.RESOLVED)
    place.passes(2 * HOUR)
    place.alert("SiteDown")
    place.passes(30 * MINUTE)
    assert vercel.changes == [BUILD]


def test_an_outage_of_the_vendors_changes_nothing_and_is_handed_over_with_what_was_seen(
    place: Carried, vercel: VercelStandin
) -> None:
    vercel.indicator = "critical"
    place.alert("SiteDown")
    run = place.run("outage")
    assert ran(place) == [
        ("rollback", RunPhase.STOPPED), ("site-redeploy", RunPhase.STOPPED), ("outage", RunPhase.HANDED_OVER)
    ]  # fmt: skip
    assert vercel.changes == []
    assert "answers 503" in place.incident.followups[0].text
    assert "Vercel says critical of itself" in place.incident.followups[0].text
    assert place.found(run, "deployments")["current"]["uid"] == "dpl_bad"


def test_errors_that_a_deployment_brought_go_with_it_though_the_site_answers(
    place: Carried, vercel: VercelStandin, site: SiteStandin
) -> None:
    site.bad = frozenset()
    vercel.project.deployments[0].runtime = errors(7)
    place.alert("HighErrorRate")
    run = place.run("undo-deployment")
    assert ran(place) == [("rollback", RunPhase.STOPPED), ("undo-deployment", RunPhase.SUCCEEDED)]
    assert (vercel.live, vercel.changes) == ("dpl_good", [ROLLBACK])
    assert place.found(run, "log")["paths"] == {"/api/book": 7}
    assert "promote a fixed one" in place.incident.followups[0].text
    assert place.incident.paged == []


def test_errors_of_any_other_origin_are_for_a_hotfix(
    place: Carried, vercel: VercelStandin, site: SiteStandin
) -> None:
    site.bad = frozenset()
    vercel.project.deployments[0].runtime = [{**each, "responseStatusCode": 200} for each in errors(3)]
    place.alert("HighErrorRate")
    place.run("error-sources")
    assert ran(place)[:2] == [("rollback", RunPhase.STOPPED), ("undo-deployment", RunPhase.STOPPED)]
    assert vercel.changes == []
    assert "at least 5 %" in place.incident.tried


def test_what_is_out_of_memory_and_has_run_for_long_is_built_anew(
    place: Carried, vercel: VercelStandin
) -> None:
    vercel.start_over(70 * MINUTE)
    place.alert("HighMemory", project="prj_1")
    until_built(place, vercel)
    assert place.run("memory").phase is RunPhase.SUCCEEDED
    assert vercel.changes == [BUILD]


def test_a_young_deployment_that_is_out_of_memory_is_handed_over_with_what_it_says(
    place: Carried, vercel: VercelStandin
) -> None:
    vercel.project.deployments[0].runtime = errors(4)
    place.alert("HighMemory", project="prj_1")
    run = place.run("memory-use")
    assert ran(place) == [("memory", RunPhase.STOPPED), ("memory-use", RunPhase.HANDED_OVER)]
    assert vercel.changes == []
    assert "4 errors in its log just now" in place.incident.followups[0].text
    assert place.found(run, "log")["paths"] == {"/api/book": 4}
