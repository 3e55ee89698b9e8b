"""Rehearsals in another environment: what is asked there is really asked, and production never."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import shipped
from site_standin import SiteStandin

from ledger import catalogue
from routing.effect import Step
from routing.entry import Outcome, StepDone
from routing.policy import Environment, Policy, Secret, Setting
from routing.reason import Origin
from workers.elsewhere import Elsewhere, is_forbidden
from workers.rehearsing import Stagehand, rehearsed, starts_of

HERE = Origin("config/actions.yaml", 1)
URL = Secret("TOCSIN_SITE_URL", "https://shop.example")
STAGING: Mapping[str, Setting] = {"http": {"base_url": Secret("STAGING_SITE_URL")}}


@pytest.fixture
def site() -> Iterator[SiteStandin]:
    with SiteStandin() as standin:
        yield standin


def elsewhere(
    settings: Mapping[str, Setting], environ: Mapping[str, str] | None = None, **production: Setting
) -> Elsewhere:
    policy = replace(shipped.policy(), settings={"http": {"base_url": URL}, **production})
    return Elsewhere(policy, Environment("staging", settings, {}, HERE), environ or {})


@pytest.mark.parametrize(
    ("settings", "environ", "problem"),
    [
        ({}, {}, "not configured there: write environments.staging.actions.http in actions.yaml"),
        (STAGING, {}, "not configured there: set STAGING_SITE_URL, which environments.staging.actions.http"),
        (STAGING, {"STAGING_SITE_URL": "https://shop.example:8443/x"}, "base_url leads to production (shop.example)"),
        (STAGING, {"STAGING_SITE_URL": "https://SHOP.example"}, "base_url leads to production (shop.example)"),
        ({"http": {"base_url": "https://staging.shop.example"}}, {}, ""),
        (STAGING, {"STAGING_SITE_URL": "https://live.example", "TOCSIN_SITE_URL": "https://live.example"},
         "base_url leads to production (live.example)"),
    ],
)  # fmt: skip
def test_what_leads_to_production_or_nowhere_is_not_played(
    settings: Mapping[str, Setting], environ: Mapping[str, str], problem: str
) -> None:
    found = elsewhere(settings, environ).family("http").problem
    assert found.startswith(problem)
    assert bool(found) is bool(problem)


def test_a_credential_of_production_is_no_credential_of_another_environment() -> None:
    vercel: Setting = {"token": Secret("VERCEL_TOKEN"), "base_url": "https://api.vercel.example"}
    environ = {"VERCEL_TOKEN": "live", "STAGING_VERCEL_TOKEN": "live"}
    own = {"vercel": {"token": Secret("STAGING_VERCEL_TOKEN")}}
    assert (
        elsewhere(own, environ, vercel=vercel)
        .family("vercel")
        .problem.startswith("token is production's own")
    )
    found = elsewhere(own, {**environ, "STAGING_VERCEL_TOKEN": "other"}, vercel=vercel).family("vercel")
    assert found.problem == ""
    assert found.settings == {"token": "other", "base_url": "https://api.vercel.example"}, (
        "the vendor's address is shared"
    )


@pytest.mark.parametrize(("url", "refused"), [
    ("postgresql://u:p@a.example:1,LIVE.example:2/db", True), ("postgresql://u:p@a.example,b.example/db", False),
    ("postgresql://live.example@a.example:no/db", False),
])  # fmt: skip
def test_one_of_several_hosts_is_enough(url: str, refused: bool) -> None:
    production: Setting = {"url": "postgresql://u:p@live.example/db"}
    assert (
        bool(elsewhere({"postgres": {"url": url}}, postgres=production).family("postgres").problem) is refused
    )


def test_nothing_that_names_a_target_is_taken_over() -> None:
    mine = {"supabase": {"token": Secret("STAGING_TOKEN")}}
    usual: Setting = {
        "token": Secret("TOKEN"),
        "ref": "live",
        "project_url": "https://live.example",
        "queries": {"q": {"sql": "select 1"}},
    }
    found = elsewhere(mine, {"STAGING_TOKEN": "t", "TOKEN": "live"}, supabase=usual).family("supabase")
    assert sorted(found.settings) == ["queries", "token"]
    assert ("live.example", 443) in elsewhere({}, supabase=usual).forbidden


@pytest.mark.parametrize(
    ("host", "forbidden"),
    [
        (("shop.example", 80), True), (("staging.shop.example", 443), False), (("localhost", 9), True), (("::1", 9), True),
        (("127.0.0.1", 10), False),
    ],
)  # fmt: skip
def test_a_host_is_productions_by_name_and_on_this_machine_by_port(
    host: tuple[str, int], forbidden: bool
) -> None:
    assert is_forbidden(host, frozenset({("shop.example", 443), ("127.0.0.1", 9)})) is forbidden


def play(settings: Mapping[str, Setting], runbook: str, **labels: str) -> dict[str, Any]:
    """Of the shipped runbooks, one, in an environment with these settings."""
    policy: Policy = shipped.policy()
    tests = starts_of(shipped.files(), policy, [runbook])
    (found,) = rehearsed(policy, Environment("staging", settings, labels, HERE), {}, tests)
    return found


def steps(found: dict[str, Any]) -> dict[str, str]:
    return {each["id"]: each["status"] for each in found["steps"]}


def test_reading_steps_are_asked_for_real_and_changes_are_only_said(site: SiteStandin) -> None:
    http = {"base_url": site.url, "allow_private": "true"}
    found = play({"http": http}, "rollback")
    assert len(site.calls) == 3
    assert steps(found) == {
        "health": "ok", "vendor": "not played", "deployments": "not played", "rollback": "would",
    }  # fmt: skip
    assert found["ok"] is True
    assert [each["holds"] for each in found["asked"]] == [False, True, None, None]


def test_a_step_that_fails_there_fails_the_rehearsal() -> None:
    found = play(
        {"http": {"base_url": "http://127.0.0.1:9", "allow_private": "true"}, "vendor_status": {}}, "rollback"
    )
    assert steps(found)["vendor"] == "failed"
    assert found["ok"] is False


def test_a_placeholder_that_nothing_fills_is_never_sent(site: SiteStandin) -> None:
    http: Setting = {"base_url": site.url, "allow_private": "true"}
    stagehand = Stagehand(elsewhere({"http": http}), "staging")
    step = Step(
        id="INC-1-r1/look", attempt=1, incident="INC-1", run="INC-1-r1", step="look", action="http.get_json",
        params={"url": "/{{ incident.labels.page }}"}, timeout_ms=1_000, mutates=False, dry_run=True,
    )  # fmt: skip
    (_, (_, done)) = stagehand(step, 0)
    assert isinstance(done, StepDone)
    assert done.outcome is Outcome.PERMANENT
    assert done.error.startswith(
        "it needs incident.labels.page: from a step before it, or as a label of environments.staging"
    )
    assert stagehand.unplayed == {"look"}
    assert site.calls == []


def test_a_change_that_does_not_fit_its_action_fails_without_being_made() -> None:
    stagehand = Stagehand(elsewhere({}), "staging")
    step = Step(
        id="INC-1-r1/back", attempt=1, incident="INC-1", run="INC-1-r1", step="back", action="vercel.rollback",
        params={"projekt": "prj"}, timeout_ms=1_000, mutates=True, dry_run=True,
    )  # fmt: skip
    (_, (_, done)) = stagehand(step, 0)
    assert isinstance(done, StepDone)
    assert "vercel.rollback: " in done.error


@pytest.mark.parametrize("family", catalogue.actions())
def test_what_holds_in_every_environment_is_a_setting_and_no_credential(family: str) -> None:
    module = catalogue.action(family)
    shared = set(getattr(module, "SHARED", ()))
    assert shared <= set(module.SETTINGS)
    secret = {
        "token",
        "key",
        "keys",
        "secret",
        "password",
        "ref",
        "site_url",
        "project_url",
        "front_door",
        "url",
    }
    assert not {name for name in shared if secret & {name, *name.split("_")} - {"url"} or name == "url"}
