"""Read-only actions: is a site well, what does an endpoint say, is the vendor itself ill."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from site_standin import SiteStandin
from vendor_server import Misbehaviour, Reply, VendorServer
from vercel_standin import VercelStandin

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import http, vendor_status


@pytest.fixture
def site() -> Iterator[SiteStandin]:
    with SiteStandin() as server:
        yield server


def step(timeout_s: float = 5.0, *, private: bool = True, **settings: str) -> Step:
    settings |= {"allow_private": "true"} if private else {}
    return Step(settings=settings, timeout_s=timeout_s, idempotency_key="", now=0)


def probe(url: str, at: Step | None = None, **params: Any) -> dict[str, Any]:
    return http.probe(at or step(), http.Probe(url=url, **{"every_ms": 1, **params}))


def test_a_site_that_is_well_is_well_every_time(site: SiteStandin) -> None:
    found = probe(site.url)
    assert (found["ok"], found["failures"], found["count"]) == (True, 0, 3)
    assert found["last"]["status"] == 200
    assert len(site.calls) == 3


def test_a_site_that_is_ill_is_a_result_and_no_error(site: SiteStandin) -> None:
    site.healthy = False
    found = probe(site.url)
    assert (found["ok"], found["failures"]) == (False, 3)
    assert found["last"]["error"] == "status 503, expected 2xx or 3xx"


def test_one_failure_among_good_answers_is_counted(site: SiteStandin) -> None:
    site.misbehave(Misbehaviour(), Misbehaviour(status=500))
    found = probe(site.url)
    assert (found["ok"], found["failures"]) == (False, 1)
    assert [result["ok"] for result in found["results"]] == [True, False, True]


@pytest.mark.parametrize(
    ("params", "ailment"),
    [
        ({"expect_status": 204}, "status 200, expected 204"),
        ({"contains": "nowhere"}, "does not contain 'nowhere'"),
        ({"max_ms": 1}, "more than 1"),
    ],
)
def test_what_is_expected_can_be_said(site: SiteStandin, params: dict[str, Any], ailment: str) -> None:
    site.slow_s = 0.02
    assert ailment in probe(site.url, count=1, **params)["last"]["error"]
    assert probe(site.url, count=1, expect_status=200, contains='"ok"', max_ms=5000)["ok"]


@pytest.mark.parametrize(
    "how", [Misbehaviour(hang_up=True), Misbehaviour(delay_s=30)], ids=["hangs up", "30 s"]
)
def test_no_answer_is_an_illness(site: SiteStandin, how: Misbehaviour) -> None:
    site.misbehave(how)
    last = probe(site.url, count=1, timeout_ms=200)["last"]
    assert (last["ok"], last["status"]) == (False, 0)
    assert last["error"]


def test_nobody_listening_is_an_illness() -> None:
    with SiteStandin() as gone:
        pass
    assert probe(gone.url)["failures"] == 3


def test_when_the_time_is_up_what_was_seen_so_far_counts(site: SiteStandin) -> None:
    found = probe(site.url, step(0.3), count=10, every_ms=200)
    assert found["ok"]
    assert 1 <= found["count"] < 10


def test_the_site_is_as_well_as_what_vercel_has_live() -> None:
    with VercelStandin() as vercel, SiteStandin(live=lambda: vercel.live) as site:
        assert probe(site.url)["failures"] == 3
        vercel.project.live = "dpl_good"
        assert probe(site.url)["ok"]


def test_an_address_of_the_inside_is_refused_unless_allowed(site: SiteStandin) -> None:
    with pytest.raises(ActionError, match="allow_private") as refused:
        probe(site.url, step(private=False))
    with pytest.raises(ActionError, match="allow_private"):
        _get(site.url, private=False)
    assert refused.value.outcome is Outcome.REFUSED
    assert site.calls == []


def _get(url: str, *, private: bool = True) -> dict[str, Any]:
    return http.get_json(step(private=private), http.GetJson(url=url))


def test_json_is_fetched(site: SiteStandin) -> None:
    assert _get(site.url) == {"status": 200, "body": {"status": "ok"}}


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(status=429, retry_after="3"), Outcome.TEMPORARY),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(garbage=True), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY),
    ],
    ids=["404", "429", "503", "garbage", "hangs up"],
)
def test_every_refusal_of_json_has_its_class(site: SiteStandin, how: Misbehaviour, outcome: Outcome) -> None:
    site.misbehave(how)
    with pytest.raises(ActionError) as failed:
        _get(site.url)
    assert failed.value.outcome is outcome
    assert failed.value.retry_after_ms == (3_000 if how.retry_after else 0)


@pytest.mark.parametrize(
    "params",
    [
        {"url": "file:///etc/passwd"},
        {"url": "gopher://x"},
        {"url": "http://x", "count": 0},
        {"url": "http://x", "count": 11},
        {"url": "http://x", "method": "POST"},
    ],
)
def test_a_probe_can_neither_change_nor_run_wild(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        http.Probe(**params)


def test_a_path_is_below_the_site_that_is_set(site: SiteStandin) -> None:
    at = step(base_url=f"{site.url}/")
    assert probe("/api/health-check", at, count=1)["ok"]
    assert http.get_json(at, http.GetJson(url="/api/health-check"))["status"] == 200
    assert [call.path for call in site.calls] == ["/api/health-check"] * 2
    plan = http.ACTIONS["probe"].plan
    assert plan
    assert plan(at, http.Probe(url="/x"))["would"]["url"] == f"{site.url}/x"


def test_a_status_pages_path_is_below_the_vendors_address() -> None:
    with VercelStandin() as vercel:
        at = step(base_url=vercel.url)
        found = vendor_status.summary(at, vendor_status.Summary(url="/api/v2/summary.json"))
    assert found["indicator"] == "none"


def test_another_vendors_status_page_is_asked_by_its_name() -> None:
    with VercelStandin() as ours, VercelStandin() as theirs:
        theirs.indicator = "major"
        at = step(base_url=ours.url, pages=json.dumps({"stripe": theirs.url, "mail": ""}))
        told = {
            name: vendor_status.summary(at, vendor_status.Summary(page=name))
            for name in ("", "stripe", "mail")
        }
        assert {name: each["indicator"] for name, each in told.items()} == {
            "": "none", "stripe": "major", "mail": "unknown",
        }  # fmt: skip
        with pytest.raises(ActionError, match="there are mail, stripe") as failed:
            vendor_status.summary(at, vendor_status.Summary(page="sms"))
        assert failed.value.outcome is Outcome.PERMANENT


@pytest.mark.parametrize("base", ["", "example.com", "file:///etc"])
def test_a_path_below_nothing_is_permanent_and_says_what_to_set(base: str) -> None:
    with pytest.raises(ActionError, match=r"set http\.base_url in config/actions\.yaml") as failed:
        probe("/api/health-check", step(base_url=base))
    assert failed.value.outcome is Outcome.PERMANENT


def status(url: str) -> dict[str, Any]:
    return vendor_status.summary(step(), vendor_status.Summary(url=url))


def test_a_vendors_own_status_is_told() -> None:
    with VercelStandin() as vercel:
        page = f"{vercel.url}/api/v2/summary.json"
        assert (status(page)["indicator"], status(page)["troubled"]) == ("none", [])
        vercel.indicator = "major"
        assert status(page) == {
            "indicator": "major",
            "description": "Partial System Outage",
            "troubled": ["Edge Network"],
        }


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(200, {"status": "fine"}), Outcome.PERMANENT),
        (Reply(200, {}), Outcome.PERMANENT),
        (Reply(200, b"<html>"), Outcome.TEMPORARY),
        (Reply(404, {}), Outcome.PERMANENT),
        (Reply(503, {}), Outcome.TEMPORARY),
    ],
)
def test_a_status_page_that_says_nothing_is_no_good_news(reply: Reply, outcome: Outcome) -> None:
    with VendorServer(lambda _: reply) as page:
        with pytest.raises(ActionError) as failed:
            status(page.url)
        assert failed.value.outcome is outcome
