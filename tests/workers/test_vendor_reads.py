"""Sentry's issues, PageSpeed and Google Analytics: what they say, read into what guards can ask."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from reading_standin import Vendors
from vendor_server import Misbehaviour

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import google_analytics, pagespeed, sentry
from workers.credentials import NoCredentialsError


@dataclass(frozen=True)
class Reading:
    """One action, and what it takes to be allowed to ask."""

    module: Any
    name: str
    settings: Mapping[str, str]
    bases: tuple[str, ...]

    def step(self, url: str, timeout_s: float = 5.0, changes: Mapping[str, str] | None = None) -> Step:
        settings = {**self.settings, **dict.fromkeys(self.bases, url), **(changes or {})}
        return Step(settings=settings, timeout_s=timeout_s, idempotency_key="", now=0)

    def run(self, at: Step, **params: Any) -> dict[str, Any]:
        action = self.module.ACTIONS[self.name]
        found: dict[str, Any] = action.run(at, action.params(**params))
        return found


ISSUES = Reading(sentry, "issues", {"token": "sentry-token", "organization": "shop"}, ("base_url",))
AUDIT = Reading(
    pagespeed, "audit", {"api_key": "page-key", "site_url": "https://shop.example"}, ("base_url",)
)
VALIDATE = Reading(
    google_analytics, "validate", {"measurement_id": "G-1", "api_secret": "s"}, ("collect_url",)
)
REALTIME = Reading(
    google_analytics, "realtime",
    {"property_id": "123", "client_id": "c", "client_secret": "s", "refresh_token": "refresh"}, ("data_url", "token_url"),
)  # fmt: skip
ALL = [ISSUES, AUDIT, VALIDATE, REALTIME]
named = pytest.mark.parametrize("reading", ALL, ids=lambda reading: reading.name)


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with Vendors() as server:
        yield server


def failure(reading: Reading, at: Step, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        reading.run(at, **params)
    return failed.value


def test_issues_are_counted_and_the_worst_is_named(vendors: Vendors) -> None:
    found = ISSUES.run(ISSUES.step(vendors.url), project="web", environment="production", period="15m")
    assert (found["count"], found["events"], found["users"]) == (2, 123, 31)
    assert (found["issues"][0]["id"], found["issues"][0]["culprit"]) == ("SHOP-1", "/book")
    query = vendors.calls[0].query
    assert query["query"] == ["is:unresolved project:web"]
    assert (query["statsPeriod"], query["environment"], query["sort"]) == (["15m"], ["production"], ["freq"])


def test_without_issues_there_is_nothing_to_count(vendors: Vendors) -> None:
    vendors.issues = []
    assert ISSUES.run(ISSUES.step(vendors.url)) == {"count": 0, "events": 0, "users": 0, "issues": []}


def test_an_answer_that_is_no_list_is_nothing_known(vendors: Vendors) -> None:
    vendors.issues = {"detail": "?"}
    assert failure(ISSUES, ISSUES.step(vendors.url)).outcome is Outcome.TEMPORARY


def test_a_page_is_measured_and_what_would_help_most_comes_first(vendors: Vendors) -> None:
    found = AUDIT.run(AUDIT.step(vendors.url), url="/book", strategy="desktop")
    assert (found["ok"], found["score"], found["lcp_ms"], found["cls"], found["ttfb_ms"]) == (
        True,
        62,
        4_123,
        0.123,
        None,
    )
    assert (found["field"]["category"], found["field"]["lcp_ms"], found["field"]["cls"]) == (
        "AVERAGE",
        3_100,
        0.12,
    )
    assert [each["id"] for each in found["savings"]] == ["modern-image-formats", "unused-javascript"]
    query = vendors.calls[0].query
    assert (query["url"], query["strategy"]) == (["https://shop.example/book"], ["DESKTOP"])


def test_a_page_that_cannot_be_audited_is_a_result(vendors: Vendors) -> None:
    vendors.page = {
        "lighthouseResult": {
            "runtimeError": {"code": "ERRORED_DOCUMENT_REQUEST"},
            "categories": {},
            "audits": {},
        }
    }
    found = AUDIT.run(AUDIT.step(vendors.url))
    assert (found["ok"], found["error"], found["score"]) == (False, "ERRORED_DOCUMENT_REQUEST", None)


def test_a_path_needs_a_site(vendors: Vendors) -> None:
    failed = failure(AUDIT, AUDIT.step(vendors.url, changes={"site_url": ""}))
    assert (failed.outcome, "pagespeed.site_url" in str(failed)) == (Outcome.PERMANENT, True)
    assert AUDIT.run(AUDIT.step(vendors.url, changes={"site_url": ""}), url="https://other.example/")["ok"]


def test_an_event_is_well_formed_when_google_has_nothing_to_say(vendors: Vendors) -> None:
    assert VALIDATE.run(VALIDATE.step(vendors.url), event="purchase", fields={"value": 12.5}) == {
        "ok": True,
        "messages": [],
    }
    vendors.messages = [
        {"fieldPath": "events", "description": "name is reserved", "validationCode": "NAME_RESERVED"}
    ]
    found = VALIDATE.run(VALIDATE.step(vendors.url))
    assert (found["ok"], found["messages"][0]["code"]) == (False, "NAME_RESERVED")


def test_what_arrives_just_now_is_counted_all_of_it_or_one_event(vendors: Vendors) -> None:
    found = REALTIME.run(REALTIME.step(vendors.url))
    assert (found["ok"], found["events"], found["active_users"]) == (True, 32, 8)
    assert found["by_event"] == {"page_view": 30, "purchase": 2}
    found = REALTIME.run(REALTIME.step(vendors.url), event="purchase", minutes=5)
    assert (found["events"], found["active_users"]) == (2, 2)


@pytest.mark.parametrize("rows", [[], None])
def test_nothing_arriving_is_a_result(vendors: Vendors, rows: Any) -> None:
    vendors.rows = rows
    found = REALTIME.run(REALTIME.step(vendors.url))
    assert (found["ok"], found["events"], found["by_event"]) == (False, 0, {})


def test_a_property_is_a_number(vendors: Vendors) -> None:
    assert (
        failure(REALTIME, REALTIME.step(vendors.url, changes={"property_id": "123/../4"})).outcome
        is Outcome.PERMANENT
    )
    assert vendors.calls == []


@named
@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=400), Outcome.PERMANENT),
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=403), Outcome.PERMANENT),
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(status=429, retry_after="9"), Outcome.TEMPORARY),
        (Misbehaviour(status=500), Outcome.TEMPORARY),
        (Misbehaviour(status=504), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY),
        (Misbehaviour(garbage=True), Outcome.TEMPORARY),
        (Misbehaviour(not_ok=True), Outcome.TEMPORARY),
        (Misbehaviour(delay_s=30), Outcome.TEMPORARY),
    ],
    ids=["400", "401", "403", "404", "429", "500", "504", "hangs up", "garbage", "another shape", "30 s"],
)
def test_every_refusal_has_its_class(
    vendors: Vendors, reading: Reading, how: Misbehaviour, outcome: Outcome
) -> None:
    vendors.misbehave(how)
    failed = failure(reading, reading.step(vendors.url, 0.4 if how.delay_s else 5.0))
    assert (failed.outcome, failed.retry_after_ms) == (outcome, 9_000 if how.retry_after else 0)


@pytest.mark.parametrize(
    ("reading", "secret"),
    [(ISSUES, "token"), (AUDIT, "api_key"), (REALTIME, "refresh_token")],
    ids=lambda value: value.name if isinstance(value, Reading) else value,
)
def test_what_is_not_accepted_says_what_to_check_and_no_secret(
    vendors: Vendors, reading: Reading, secret: str
) -> None:
    failed = failure(reading, reading.step(vendors.url, changes={secret: "wrong-secret"}))
    assert (failed.outcome, "check " in str(failed), "wrong-secret" in str(failed)) == (
        Outcome.PERMANENT,
        True,
        False,
    )


@named
def test_without_credentials_nothing_is_asked(vendors: Vendors, reading: Reading) -> None:
    for name in reading.settings:
        if name != "site_url":
            assert isinstance(
                failure(reading, reading.step(vendors.url, changes={name: ""})), NoCredentialsError
            )
    assert vendors.done("Realtime") == []


@named
def test_a_dry_run_says_what_it_would_ask(vendors: Vendors, reading: Reading) -> None:
    action = reading.module.ACTIONS[reading.name]
    assert not action.mutates
    assert action.plan(reading.step(vendors.url), action.params())["would"]["url"].startswith(vendors.url)
    assert vendors.calls == []
