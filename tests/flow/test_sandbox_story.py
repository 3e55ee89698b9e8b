"""What a newcomer sees in the first five minutes: the real processes, no credentials."""

import hashlib
import hmac
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stage import ROOT, Stage, stage, until

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("sandbox")]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Probes go to a closed port of this machine: the site is down. Each story's incident is the effect of no other."""
    room = tmp_path_factory.mktemp("town")
    environ = {"TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_STATUS_PAGE_FOLDER": str(room / "status")}
    services = (ROOT / "config/services.yaml").read_text()
    hosted = re.sub(
        r"^    depends_on: \[hosting, .*\n", "    depends_on: [hosting]\n", services, flags=re.MULTILINE
    )
    alone = {"services.yaml": re.sub(r"^    depends_on: \[(?!hosting).*\n", "", hosted, flags=re.MULTILINE)}
    with stage(room, environ, alone) as running:
        yield running


def incidents(town: Stage, title: str) -> list[dict[str, Any]]:
    found = town.ask("incidents", "list", "--all")["incidents"]
    return [each for each in found if title in each["title"]]


def wait_for(town: Stage, title: str, status: str, within_s: float = 20) -> dict[str, Any]:
    until(
        lambda: [each for each in incidents(town, title) if each["status"] == status], within_s, town.output
    )
    return next(each for each in incidents(town, title) if each["status"] == status)


def stripe(town: Stage, body: bytes, key: str = "", at: int = 0) -> tuple[int, dict[str, Any]]:
    """Post a body signed as Stripe signs."""
    stamp = at or int(time.time())
    secret = key or town.env["STRIPE_WEBHOOK_SECRET"]
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310  # our own address
        f"{town.url}/hooks/stripe", body, {"Stripe-Signature": f"t={stamp},v1={mac}"}
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_an_outage_after_a_deploy_pages_repairs_and_is_acknowledged(town: Stage) -> None:
    town.send("vercel", "deployment.succeeded")
    event = town.send("alertmanager", "site-down")
    incident = wait_for(town, "does not answer", "triggered", 10)
    until(lambda: "dry run" in town.ask("incidents", "show", incident["id"])["tried"], 40, town.output)
    shown = town.ask("incidents", "show", incident["id"])
    assert shown["severity"] == "SEV-0"
    assert shown["suspect"]["by"]
    assert shown["respond_by"] < shown["resolve_by"]
    assert shown["next_action"]["at"]
    calls = [each for each in shown["deliveries"] if each["channel"] == "voice"]
    assert [(each["contact"], each["sandbox"]) for each in calls] == [(calls[0]["contact"], True)]
    (kept,) = town.ask("outbox", "show", calls[0]["id"])
    assert "Press 4" in kept["fields"]["Twiml"]
    assert town.tocsin("outbox", "answer", calls[0]["id"], "4").returncode == 0
    assert wait_for(town, "does not answer", "acknowledged")["acknowledged_by"] == calls[0]["contact"]
    told = json.dumps(town.ask("why", event))
    for part in ("site-down", "config/severity.yaml:", "accepted in the SANDBOX", "acknowledged by"):
        assert part in told


def test_customers_read_of_an_outage_without_anybodys_doing(town: Stage) -> None:
    """Of the one before: as the receiver serves it, and in the folder; nothing of the alert is in either."""
    until(lambda: served_page(town)["status"]["indicator"] == "critical", 10, town.output)
    served = served_page(town)
    assert {each["name"]: each["status"] for each in served["components"]}["Website"] == "major_outage"
    assert served["incidents"][0]["name"] == "Trouble with Website"
    folder = Path(town.environ["TOCSIN_STATUS_PAGE_FOLDER"])
    until(lambda: "Trouble with Website" in (folder / "index.html").read_text(), 10, town.output)
    assert "does not answer" not in (folder / "index.html").read_text() + json.dumps(served)
    (incident,) = incidents(town, "does not answer")
    until(lambda: words_accepted(town, incident["id"]), 10, town.output)


def served_page(town: Stage) -> dict[str, Any]:
    with urllib.request.urlopen(f"{town.url}/status/index.json") as answer:  # noqa: S310  # our own address
        found: dict[str, Any] = json.load(answer)
    return found


def words_accepted(town: Stage, incident: str) -> bool:
    """Whether the message to the folder was taken by a worker, and not kept in the sandbox."""
    told = [
        each for each in town.ask("incidents", "show", incident)["deliveries"] if each["kind"] == "public"
    ]
    return [(each["status"], each["sandbox"]) for each in told] == [("sent", False)]


def test_twenty_failed_payments_are_one_incident_and_the_same_stripe_id_twice_is_one_event(
    town: Stage,
) -> None:
    first = town.send("stripe", "payment_intent.payment_failed", "--id", "evt_once")
    again = town.send("stripe", "payment_intent.payment_failed", "--id", "evt_once")
    assert first == again
    assert incidents(town, "Payments are failing") == []
    town.send("stripe", "payment_intent.payment_failed", "--count", "20")
    incident = wait_for(town, "Payments are failing", "triggered")
    shown = town.ask("incidents", "show", incident["id"])
    assert len([each for each in shown["deliveries"] if each["channel"] == "voice"]) == 1
    assert len(incidents(town, "Payments are failing")) == 1


def test_firing_opens_and_resolved_resolves(town: Stage) -> None:
    town.send("alertmanager", "firing")
    wait_for(town, "booking API", "triggered")
    town.send("alertmanager", "resolved")
    wait_for(town, "booking API", "resolved")


def test_a_failed_build_is_told_to_the_team_by_mail_and_not_rolled_back(town: Stage) -> None:
    town.send("vercel", "deployment.error")
    incident = wait_for(town, "Build failed", "triggered")
    until(lambda: town.ask("incidents", "show", incident["id"])["deliveries"], 10, town.output)
    shown = town.ask("incidents", "show", incident["id"])
    assert (shown["severity"], shown["runs"]) == ("SEV-3", [])
    assert {each["channel"] for each in shown["deliveries"]} == {"mail"}


def test_an_authentic_body_nobody_can_read_is_mended_and_brought_through(town: Stage, tmp_path: Path) -> None:
    status, answer = stripe(town, b'{"object": "event", "nonsense": true}')
    assert status == 202
    (letter,) = answer["dead"]
    assert letter in [each["id"] for each in town.ask("dead", "list")["letters"]]
    assert town.tocsin("dead", "retry", letter).returncode == 1, "it still cannot be read"
    mended = tmp_path / "mended.json"
    mended.write_text(
        json.dumps({
            "id": "evt_mended", "object": "event", "type": "charge.dispute.created", "created": 1_764_000_000,
            "data": {"object": {"id": "dp_1", "object": "dispute", "amount": 1000, "currency": "pln"}},
        })
    )  # fmt: skip
    done = town.tocsin("dead", "edit", letter, "--body", str(mended), "--as", "anna")
    assert done.returncode == 0, done.stderr
    assert town.tocsin("dead", "retry", letter, "--as", "anna").returncode == 0
    assert town.tocsin("dead", "retry", letter, "--as", "anna").returncode == 0, "twice is once"
    until(lambda: town.ask("why", f"{letter}.r1")[0]["incident"], 10, town.output)
    (life,) = town.ask("why", f"{letter}.r1")
    assert "replayed by anna" in json.dumps(life)
    alerts = town.ask("incidents", "show", life["incident"])["alerts"]
    assert [each["count"] for each in alerts if each["kind"] == "charge.dispute.created"] == [1]
    assert letter not in [each["id"] for each in town.ask("dead", "list")["letters"]]


def test_one_wrong_value_is_shown_set_right_and_brought_through(town: Stage) -> None:
    dispute = {"id": "dp_2", "object": "dispute", "amount": 1000, "currency": "pln"}
    body = json.dumps({
        "id": "evt_wrong", "object": "event", "type": 5, "created": 1_764_000_000, "data": {"object": dispute},
    })  # fmt: skip
    status, answer = stripe(town, body.encode())
    assert status == 202
    (letter,) = answer["dead"]
    shown = town.ask("dead", "show", letter)
    assert (shown["raw"], shown["source"], shown["kind"]) == (body, "stripe", "refused")
    assert "type" in shown["why"]
    assert town.tocsin("dead", "edit", letter, "--set", "type=charge.dispute.created").returncode == 0
    assert town.tocsin("dead", "retry", letter, "--as", "anna").returncode == 0
    until(lambda: town.ask("why", f"{letter}.r1")[0]["incident"], 10, town.output)
    assert town.ask("dead", "show", letter)["status"] == "retried"


def test_a_dead_letter_can_be_dropped(town: Stage) -> None:
    _, answer = stripe(town, b'{"object": "event", "dropped": true}')
    (letter,) = answer["dead"]
    assert town.tocsin("dead", "drop", letter, "--as", "ben").returncode == 0
    assert town.ask("dead", "show", letter)["status"] == "dropped"


@pytest.mark.parametrize(
    ("key", "shift"), [("whsec_wrong", 0), ("", -3600), ("", 3600)], ids=["wrong key", "old", "future"]
)
def test_what_is_not_authentic_is_refused_with_a_hint_and_nothing_is_kept(
    town: Stage, key: str, shift: int
) -> None:
    status, answer = stripe(town, b"{}", key, int(time.time()) + shift)
    assert status == 401
    assert answer["hint"]
    assert town.env["STRIPE_WEBHOOK_SECRET"] not in json.dumps(answer)


def test_who_takes_a_shift_and_who_gives_it_are_told_at_once(town: Stage) -> None:
    has_it = town.ask("oncall")["primary"]["contact"]
    takes_it = "ben" if has_it == "anna" else "anna"
    done = town.tocsin("oncall", "override", "primary", takes_it, "--until", "+1h")
    assert done.returncode == 0, done.stderr

    def kept() -> dict[str, dict[str, Any]]:
        found = town.ask("outbox")["outbox"]
        return {each["contact"]: each for each in found if each["kind"] == "notice"}

    until(lambda: {takes_it, has_it, "team-platform"} <= set(kept()), 10, town.output)
    notice = kept()[takes_it]
    assert notice["channel"] == "sms"
    assert "You are on call in primary until" in notice["fields"]["Body"]
    assert "Your shift in primary is over" in kept()[has_it]["fields"]["Body"]
    (life,) = town.ask("why", notice["delivery"])
    assert life["life"][0]["facts"]["status"] == "sent"
