"""What is looked for by the calendar, and handed over: an open table, a certificate, a runbook's test, a contact."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shipped
from carrying import Carried
from certificate import Authority
from redis import Redis
from supabase_standin import REF, TOKEN, SupabaseStandin
from tls_standin import TlsStandin
from vendor_server import Asked, Misbehaviour, Reply, VendorServer

from ledger import policies
from ledger.clock import now_ms
from ledger.keys import Keys
from routing.instant import MINUTE, SECOND
from routing.run import RunPhase

SENTRY = {"SENTRY_API_TOKEN": "sentry-token", "SENTRY_ORGANIZATION": "shop"}


class Sentry(VendorServer):
    """Has one new error."""

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer sentry-token":
            return Reply(401, {"detail": "Invalid token"})
        issue = {
            "id": "1", "shortId": "SHOP-1", "title": "TypeError", "level": "error", "culprit": "/book", "count": "4",
            "userCount": 2, "firstSeen": "2026-11-27T12:00:00Z", "lastSeen": "2026-11-28T12:00:00Z", "permalink": "",
        }  # fmt: skip
        return Reply(200, [issue])


class Around:
    """Everything that is looked at: well, unless a test says otherwise."""

    def __init__(
        self, redis: Redis, supabase: SupabaseStandin, sentry: Sentry, site: TlsStandin, ca: Path
    ) -> None:
        self.supabase, self.sentry = supabase, sentry
        environ = {
            "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url,
            **SENTRY, "SENTRY_BASE_URL": sentry.url, "TOCSIN_SITE_URL": f"https://localhost:{site.port}",
            "TOCSIN_ALLOW_PRIVATE": "true",
        }  # fmt: skip
        self.place = Carried(
            redis, environ, {"actions.yaml": (("  tls:\n", f"  tls:\n    ca_file: {ca}\n"),)}
        )

    def ends(self, kind: str, runbook: str, affected: str = "true") -> RunPhase:
        self.place.alert(kind, affected=affected)
        return self.place.run(runbook).phase

    @property
    def tasks(self) -> list[str]:
        return [each.text for each in self.place.incident.followups]


@pytest.fixture
def around(redis: Redis, tmp_path: Path) -> Iterator[Around]:
    authority = Authority(tmp_path)
    with (
        SupabaseStandin() as supabase,
        Sentry() as sentry,
        TlsStandin(authority.issue(["localhost"], (-1, 90.5))) as site,
    ):
        yield Around(redis, supabase, sentry, site, authority.file)


def lint(name: str, level: str) -> dict[str, Any]:
    at = {"schema": "public", "name": "bookings", "type": "table"}
    return {"name": name, "title": name, "level": level, "remediation": "see the docs", "metadata": at}


def test_an_open_table_is_handed_to_the_security_team(around: Around) -> None:
    around.supabase.project.lints = {"security": [lint("rls_disabled_in_public", "ERROR")]}
    assert around.ends("SecurityScan", "security-scan") is RunPhase.HANDED_OVER
    (task,) = around.tasks
    assert "1 errors and 0 warnings" in task
    assert "1 new errors at Sentry" in task
    assert around.place.incident.followups[0].to == [("contact", "team-security")]
    assert around.supabase.changes == []


def test_a_hundred_sign_ins_in_vain_are_handed_over(around: Around) -> None:
    at = now_ms() - MINUTE
    around.supabase.project.logs["auth_logs"] = [(at, '{"error":"400: Invalid login credentials"}')] * 101
    assert around.ends("SecurityScan", "security-scan") is RunPhase.HANDED_OVER
    assert "101 sign-ins in vain" in around.tasks[0]


def test_a_certificate_that_runs_out_is_handed_over(around: Around, redis: Redis, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with TlsStandin(authority.issue(["localhost"], (-80, 9.5))) as site:
        soon = Around(redis, around.supabase, around.sentry, site, authority.file)
        assert soon.ends("SecurityScan", "security-scan") is RunPhase.HANDED_OVER
        assert "9 days left" in soon.tasks[0]


def test_where_nothing_is_open_nobody_has_to_do_anything(around: Around) -> None:
    assert (around.ends("SecurityScan", "security-scan"), around.tasks) == (RunPhase.STOPPED, [])


def test_what_nobody_could_look_at_is_not_taken_for_well(around: Around) -> None:
    around.supabase.misbehave(*[Misbehaviour(status=503)] * 6)
    assert around.ends("SecurityScan", "security-scan") is RunPhase.HANDED_OVER
    assert "advice temporary" in around.place.runs[-1].why


def test_a_known_hole_is_handed_over_with_what_can_be_seen(around: Around) -> None:
    assert around.ends("VulnerabilityFound", "vulnerability") is RunPhase.HANDED_OVER
    assert "0 errors and 0 warnings" in around.tasks[0]


def test_a_hole_that_does_not_concern_us_is_nobodys(around: Around) -> None:
    ends = around.ends("VulnerabilityFound", "vulnerability", affected="false")
    assert (ends, around.tasks) == (RunPhase.STOPPED, [])


@pytest.fixture
def _in_force(around: Around, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker finds its own database, with the shipped policy in it."""
    monkeypatch.setenv("TOCSIN_REDIS_URL", redis_url)
    policies.publish(redis, Keys(), shipped.files(), shipped.vendors(), shipped.policy(), "test")


@pytest.mark.usefixtures("_in_force")
def test_the_review_gets_what_the_runbooks_own_tests_say(around: Around) -> None:
    assert around.ends("RunbookReview", "runbook-review") is RunPhase.HANDED_OVER
    found = around.place.found(around.place.runs[-1], "runbooks")
    assert (found["failed"], found["tests"] > 100) == (0, True)
    assert f"of {found['tests']} tests" in around.tasks[0]
    assert around.place.incident.followups[0].to == [("contact", "operations")]


@pytest.mark.usefixtures("_in_force")
def test_the_validation_names_whom_nobody_knows_to_be_reached(around: Around) -> None:
    assert around.ends("ContactsValidation", "contacts-validation") is RunPhase.HANDED_OVER
    found = around.place.found(around.place.runs[-1], "contacts")
    assert found["open"] == found["methods"] > 20
    around.place.passes(10 * SECOND)
    assert "example.com" not in around.tasks[0]


def test_a_review_whose_evidence_cannot_be_read_is_due_all_the_same(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_URL", "redis://127.0.0.1:1/0")
    assert around.ends("RunbookReview", "runbook-review") is RunPhase.HANDED_OVER
    assert "runbooks temporary" in around.place.runs[-1].why


def test_without_any_credentials_the_scan_is_left_to_a_person(redis: Redis) -> None:
    place = Carried(redis, {"TOCSIN_SITE_URL": "https://127.0.0.1:1", "TOCSIN_ALLOW_PRIVATE": "true"})
    place.alert("SecurityScan")
    run = place.run("security-scan")
    assert (run.phase, len(place.incident.followups)) == (RunPhase.HANDED_OVER, 1)
    assert {place.found(run, name)["dry_run"] for name in ("advice", "audit", "rejected", "issues")} == {True}
