"""Why: the whole life of a thing is told, whatever name it is asked for by; and an event can be had again."""

from pathlib import Path

import pytest
from desk import Ask, Desk, Run, outage
from small_policy import POLICY

from ledger import dead, log, sandbox
from ledger.archive import sweep
from ledger.clock import now_ms
from ledger.dead import Kind, given_up
from routing.delivery import Purpose
from routing.entry import Delivered, Lane, Outcome
from routing.instant import DAY
from routing.severity import Severity


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    """The small policy decides, when told to: `fold` is the test's to call."""
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    desk.policy = POLICY
    return desk


@pytest.fixture
def event(desk: Desk) -> str:
    """An outage that was received, opened INC-1 and paged; the first delivery was taken by its provider."""
    found = desk.receive(outage(vendor_id="evt_9"), b'{"alerts": [1]}')
    sent = Delivered(
        at=now_ms(), delivery="INC-1-d1", attempt=1, outcome=Outcome.OK, provider_id="CA123", answer="queued"
    )
    desk.append(sent)
    return found


def stages(life: dict[str, list[dict[str, str]]]) -> list[str]:
    return [stage["stage"] for stage in life["life"]]


def test_an_event_is_told_from_the_wire_to_the_providers_answer(event: str, ask: Ask) -> None:
    (life,) = ask("why", event)
    assert stages(life)[:5] == ["received", "verified", "normalised", "classified", "decided"]
    told = {stage["stage"]: stage for stage in life["life"]}
    assert told["received"]["what"] == "received from am, 15 bytes"
    assert told["received"]["facts"]["headers"] == {"x-signature": "[redacted]"}
    assert "signature in x-signature" in told["verified"]["what"]
    assert told["classified"]["reasons"][0]["origin"] == "config/test.yaml:7"
    assert told["decided"]["what"] == "opened INC-1"
    (taken,) = [stage for stage in life["life"] if stage["facts"].get("provider_id") == "CA123"]
    assert taken["facts"]["answer"] == "queued"
    assert "runbook" in stages(life)


@pytest.mark.parametrize("asked", ["evt_9", "INC-1", "INC-1-d1", "INC-1-r1", "INC-1-r1/health"])
def test_every_name_of_a_thing_leads_to_its_life(event: str, ask: Ask, asked: str) -> None:
    (life,) = ask("why", asked)
    assert life["incident"] == "INC-1"
    assert stages(life)[0] == "received"


def test_a_delivery_is_told_without_the_others(event: str, ask: Ask) -> None:
    (life,) = ask("why", "INC-1-d1")
    ids = [stage["facts"]["id"] for stage in life["life"] if stage["stage"] == "delivery"]
    assert ids == ["INC-1-d1"]


def test_a_repeat_says_what_it_was_deduplicated_into(event: str, desk: Desk, ask: Ask) -> None:
    (life,) = ask("why", desk.receive(outage(vendor_id="evt_10"), b"{}"))
    assert "deduplicated into INC-1" in next(s["what"] for s in life["life"] if s["stage"] == "decided")


def test_what_joins_says_in_so_many_words_why_it_is_the_same(event: str, desk: Desk, ask: Ask) -> None:
    (life,) = ask("why", desk.receive(outage(key="other"), b"{}"))
    because = 'same as INC-1 because it shares the group root{service="site"}'
    told = {stage["what"]: [each["text"] for each in stage["reasons"]] for stage in life["life"]}
    assert (
        because
        in next(stage for stage in life["life"] if stage["stage"] == "classified")["reasons"][-1]["text"]
    )
    assert told["joined by The site is down"] == [because]


def test_a_vendors_id_is_found_after_its_memory_ended_and_after_archiving(
    event: str, desk: Desk, ask: Ask
) -> None:
    desk.client.delete(desk.keys.seen("am", "evt_9"))
    assert ask("why", "evt_9")[0]["id"] == event
    sweep(desk.client, desk.keys, desk.archive, now_ms() + DAY, 0, 1_000_000)
    assert ask("why", "evt_9")[0]["id"] == event


def test_an_event_that_waits_says_so(desk: Desk, ask: Ask) -> None:
    from routing.entry import Signal

    entry = log.append(desk.client, desk.keys, Lane.BULK, Signal(at=now_ms(), event=outage()))
    assert "not decided yet" in ask("why", entry)[0]["life"][-1]["what"]


def test_a_dead_letter_is_told(desk: Desk, ask: Ask) -> None:
    letter = given_up(Kind.UNDELIVERED, "INC-1-d1", "INC-1", "no answer", b"", now_ms())
    dead.bury_now(desk.client, desk.keys, letter)
    (life,) = ask("why", letter.id)
    assert life["life"][0]["what"] == "undelivered: no answer"


def test_what_nobody_knows_is_found_wrong(desk: Desk, run: Run, ask: Ask) -> None:
    assert "nothing is known of 'evt_0'" in run("why", "evt_0", code=1).stderr
    assert ask("why", "INC-99", code=1) == []


def test_a_person_reads_the_reasons_with_file_and_line(event: str, run: Run) -> None:
    out = run("why", event).stdout
    for part in ("received", "verified", "classified", "because", "config/test.yaml:7", "CA123"):
        assert part in out


def test_a_replay_is_decided_once_more_and_the_same_one_twice_is_one(
    event: str, desk: Desk, run: Run
) -> None:
    with desk.folding():
        assert run("replay", event, "--as", "ben").stdout.startswith(f"{event}.r1: deduplicated into INC-1")
        assert run("replay", event).stdout.startswith(f"{event}.r2: ")
        before = desk.client.xlen(desk.keys.log("urgent"))
        run("replay", event, "--number", "1")
        assert desk.client.xlen(desk.keys.log("urgent")) == before
        assert "no event 'INC-1'" in run("replay", "INC-1", code=1).stderr


def test_a_replay_of_an_archived_event_keeps_its_body(event: str, desk: Desk, run: Run, ask: Ask) -> None:
    sweep(desk.client, desk.keys, desk.archive, now_ms() + DAY, 0, 1_000_000)
    with desk.folding():
        run("replay", event)
        (life,) = ask("why", f"{event}.r1")
    assert life["life"][0]["what"].endswith("15 bytes")


def test_what_it_came_in_is_shown_without_secrets_and_people_unless_asked_for_as_received(
    desk: Desk, run: Run, ask: Ask
) -> None:
    raw = b'{"email": "anna@shop.example", "token": "t0p-s3cret", "amount": 700}'
    event = desk.receive(outage(vendor_id="evt_9"), raw)
    hidden = ask("why", event, "--body")[0]["body"]
    assert "anna" not in hidden
    assert "t0p-s3cret" not in hidden
    assert '"amount": 700' in hidden
    assert ask("why", event, "--raw")[0]["body"] == raw.decode()
    assert "body" not in ask("why", event)[0]
    assert '"amount": 700' in run("why", event, "--body").stdout
    assert ask("why", "INC-1", "--body")[0]["body"] is None
    desk.client.delete(desk.keys.raw)
    assert "not kept any more" in run("why", event, "--body").stdout


def unsent(desk: Desk, number: int) -> None:
    sandbox.keep(desk.client, desk.keys, sandbox.Unsent(
        at=now_ms(), delivery=f"INC-1-d{number}", attempt=1, incident="INC-1", contact="anna", channel="voice",
        vendor="twilio_voice", to="+48500000000", purpose=Purpose.PAGE, severity=Severity.SEV0,
        fields={"To": "+48500000000", "Twiml": "<Response><Say>down</Say></Response>"},
        missing=["TWILIO_API_KEY"],
    ))  # fmt: skip


def test_the_outbox_shows_exactly_what_would_have_been_sent(
    event: str, desk: Desk, run: Run, ask: Ask
) -> None:
    for number in (1, 2, 3):
        unsent(desk, number)
    page = ask("outbox", "--limit", "2")
    assert [kept["delivery"] for kept in page["outbox"]] == ["INC-1-d3", "INC-1-d2"]
    assert [kept["delivery"] for kept in ask("outbox", "--after", page["after"])["outbox"]] == ["INC-1-d1"]
    shown = run("outbox", "show", "INC-1-d1").stdout
    assert "SANDBOX" in shown
    assert "<Response><Say>down</Say></Response>" in shown
    assert "TWILIO_API_KEY not set" in shown
    assert "SANDBOX" in run("outbox").stdout


def test_an_answer_in_the_sandbox_acknowledges(event: str, desk: Desk, run: Run, ask: Ask) -> None:
    with desk.folding():
        assert "INC-1: acknowledged by" in run("outbox", "answer", "INC-1-d1", "4").stdout
        assert ask("incidents", "show", "INC-1")["status"] == "acknowledged"
        assert "no delivery 'INC-1-d99'" in run("outbox", "answer", "INC-1-d99", "4", code=1).stderr
