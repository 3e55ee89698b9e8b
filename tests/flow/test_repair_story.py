"""Repair first: Vercel really switches, the site really recovers or does not, and then a phone really rings."""

import os
import signal
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import shipped
from stage import until
from town import Town, changed, town
from vendor_server import Misbehaviour

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("repair")]

BROKEN = "HighErrorRate"
"""A SEV-1 that the rollback is for."""
ROLLBACK = "/v1/projects/prj_mariiahub/rollback/dpl_good"
MINUTE = 60_000
DEPLOYED = "    service: hosting         # one deployment carries the site, booking and checkout, which all run there\n"


@pytest.fixture(scope="module")
def whole_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The shipped policy in seconds instead of minutes; deployments are a suspect for any service."""
    files = {name.removeprefix("config/"): text for name, text in shipped.files().items()}
    runbook = changed(
        files["runbooks/rollback.yaml"],
        ("every_ms: 1000", "every_ms: 50"), ("every: 15s", "every: 1s"), ("for: 2m", "for: 1s"),
        ("deadline: 5m", "deadline: 5s"), ("timeout: 30s\n    recover", "timeout: 6s\n    recover"),
    )  # fmt: skip
    config = {
        "runbooks/rollback.yaml": runbook,
        "runbooks/error-sources.yaml": changed(
            files["runbooks/error-sources.yaml"],
            ("every_ms: 500", "every_ms: 1"),
            ("listen_s: 5", "listen_s: 1"),
        ),
        "tocsin.yaml": changed(files["tocsin.yaml"], ("hold: 5m", "hold: 8s")),
        "sources.yaml": changed(files["sources.yaml"], ("    service: site\n", "")),
        "severity.yaml": changed(files["severity.yaml"], (DEPLOYED, "")),
    }
    with town(tmp_path_factory.mktemp("town"), config) as made:
        made.stage.send("vercel", "deployment.succeeded")
        yield made


@pytest.fixture
def place(whole_place: Town) -> Town:
    """Each test has a service, so a target, of its own."""
    whole_place.vercel.start_over()
    whole_place.site.healthy = True
    return whole_place


def test_a_repaired_major_failure_wakes_nobody(place: Town) -> None:
    place.alert("repaired", BROKEN)
    incident = place.incident("repaired")
    found = place.until_status(incident, "resolved", 30)
    assert found["resolved_by"] == "runbook rollback"
    assert place.vercel.changes == [ROLLBACK]
    assert found["paged"] == []
    assert place.calls(incident) == place.texts(incident) == []
    assert "promote" in found["followups"][0]["text"]
    assert found["suspect"]["by"]
    until(lambda: place.mail.mails, 20, place.stage.output)
    (told,) = place.mail.mails
    assert told.recipients == ["platform@example.com"]
    assert "Resolved" in str(told.message["Subject"])


def test_a_complete_outage_rings_at_once_and_is_repaired_at_the_same_time(place: Town) -> None:
    place.alert("any", "SiteDown")
    incident = place.incident("site")
    (call,) = place.until_called(incident)
    assert "Severity 0" in call.text
    found = place.until_status(incident, "resolved", 30)
    assert found["resolved_by"] == "runbook rollback"
    assert place.vercel.changes == [ROLLBACK]
    place.until_texted(incident, "Resolved", {call.to})
    assert len(place.calls(incident)) == 1


@pytest.mark.parametrize(
    ("service", "age_ms", "well", "why"),
    [
        ("aged", 61 * MINUTE, False, "the production deployment must be younger than 60 minutes"),
        ("well", 12 * MINUTE, True, "the site must fail its health check three times"),
    ],
)
def test_a_guard_stops_the_runbook_says_why_and_the_phone_rings(
    place: Town, service: str, age_ms: int, well: bool, why: str
) -> None:
    place.vercel.start_over(age_ms)
    if well:
        place.vercel.project.live = "dpl_good"
    place.alert(service, BROKEN)
    incident = place.incident(service)
    (call,) = place.until_called(incident)
    assert why in place.shown(incident)["tried"]
    assert why in call.text
    assert place.vercel.changes == []
    assert place.twilio.press(call.sid, "4") == 200
    place.until_status(incident, "acknowledged")


def test_what_is_not_repaired_by_its_deadline_rings_the_phone_and_why_tells_the_whole_life(
    place: Town,
) -> None:
    place.site.healthy = False
    event = place.alert("unrepaired", BROKEN)
    incident = place.incident("unrepaired")
    again = place.alert("unrepaired", BROKEN)
    (call,) = place.until_called(incident, within_s=40)
    assert place.vercel.changes == [ROLLBACK]
    assert "its time was up during verify" in place.shown(incident)["tried"]
    assert "Roll back production" in call.text
    assert place.twilio.press(call.sid, "4") == 200
    found = place.until_status(incident, "acknowledged")
    until(lambda: [each for each in place.shown(incident)["deliveries"] if each["kind"] == "update"], 10)
    (life,) = place.stage.ask("why", event)
    assert life["incident"] == incident
    assert_whole(life["life"], incident, call.sid, found["acknowledged_by"])
    (repeat,) = place.stage.ask("why", again)
    assert f"deduplicated into {incident}: that alert is firing already" in whats(repeat["life"], "decided")


def whats(life: list[dict[str, Any]], stage: str) -> list[str]:
    return [each["what"] for each in life if each["stage"] == stage]


def reasons(life: list[dict[str, Any]], part: str) -> list[tuple[str, str]]:
    """(rule, origin) of the reasons of the stages that say this."""
    return [
        (reason["rule"], reason["origin"])
        for each in life
        if part in each["what"]
        for reason in each["reasons"]
    ]


def assert_whole(life: list[dict[str, Any]], incident: str, sid: str, by: str) -> None:
    """From the wire to whoever acknowledged it, each step with what decided it."""
    assert [each["stage"] for each in life[:5]] == [
        "received",
        "verified",
        "normalised",
        "classified",
        "decided",
    ]
    line = shipped.line_of("severity.yaml", "name: errors")
    assert ("errors", f"config/severity.yaml:{line}") in reasons(life[3:4], "SEV-1")
    assert whats(life, "decided") == [f"opened {incident}"]
    assert any(origin.startswith("config/routes.yaml:") for _, origin in reasons(life, "opened as SEV-1"))
    assert any(
        origin.startswith("config/runbooks/rollback.yaml:") for _, origin in reasons(life, "started on")
    )
    run, evidence = [each for each in life if each["stage"] == "runbook"]
    assert evidence["facts"]["runbook"] == "error-sources"
    assert [step["id"] for step in run["facts"]["steps"]] == [
        "health", "vendor", "deployments", "rollback", "verify",
    ]  # fmt: skip
    assert any(origin.startswith("config/escalation.yaml:") for _, origin in reasons(life, "paging "))
    (call,) = [each for each in life if each["facts"].get("provider_id") == sid]
    assert (call["stage"], call["facts"]["answer"]) == ("delivery", "201 queued")
    assert f"acknowledged by {by} via the phone" in whats(life, "incident")


def test_a_worker_killed_in_the_middle_of_a_repair_costs_neither_the_page_nor_the_repair(place: Town) -> None:
    place.vercel.misbehave(Misbehaviour(path="/rollback/", delay_s=30))
    place.alert("killed", BROKEN)
    incident = place.incident("killed")
    held_until = datetime.fromisoformat(place.shown(incident)["held_until"])
    until(lambda: place.vercel.changes, 20, lambda: place.told(incident))
    os.kill(place.stage.children()["remediate"], signal.SIGKILL)
    (call,) = place.until_called(incident, within_s=40)
    assert "Roll back production is running" in call.text, place.told(incident)
    rang_at = next(each.at for each in place.twilio.calls if f"{incident}-d" in each.body) / 1000
    assert rang_at - held_until.timestamp() < 5
    found = place.until_status(incident, "resolved", 40)
    assert found["resolved_by"] == "runbook rollback"
    assert place.vercel.changes == [ROLLBACK], "the repeat looked first"
    place.until_texted(incident, "Resolved", {call.to})
