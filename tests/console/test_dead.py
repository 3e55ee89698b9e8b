"""Dead letters: looked at, mended, brought through or dropped, alone and in bulk."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import shipped
from desk import Ask, Desk, Run, outage
from working import until

from ledger import dead, log, policies
from ledger.clock import now_ms
from ledger.dead import Fate, Kind
from routing.entry import Delivered, Lane, Outcome, Signal, TimerDue, encode_entry
from routing.instant import DAY
from routing.load import load

EVENT: dict[str, Any] = {
    "id": "evt_1", "object": "event", "type": "payout.failed", "created": 1_790_000_000, "livemode": True,
    "data": {"object": {"id": "po_1", "object": "payout", "amount": 5, "currency": "pln", "status": "failed"}},
}  # fmt: skip


def bury(desk: Desk, raw: bytes, source: str = "stripe", why: str = "no type") -> str:
    return dead.bury_now(desk.client, desk.keys, dead.refused(source, why, raw, now_ms()))


def fate(desk: Desk, letter_id: str) -> tuple[Fate, str]:
    letter = dead.get(desk.client, desk.keys, letter_id)
    assert letter
    return letter.status, letter.by


def test_a_mended_letter_is_brought_through_and_explained(
    desk: Desk, run: Run, ask: Ask, tmp_path: Path
) -> None:
    letter = bury(desk, b'{"id": "evt_1"')
    mended = tmp_path / "mended.json"
    mended.write_text(json.dumps(EVENT))
    assert (
        "it reads as payout.failed"
        in run("dead", "edit", letter, "--body", str(mended), "--as", "ben").stdout
    )
    assert f"{letter}.r1" in run("dead", "retry", letter, "--as", "ben").stdout
    assert fate(desk, letter) == (Fate.RETRIED, "ben")
    (life,) = ask("why", f"{letter}.r1")
    assert f"replayed by ben from {letter}" in life["life"][1]["what"]


PAGES = """
  pages:
    vendor: pagerduty_events
    secrets: ["${PAGERDUTY_ROUTING_KEY}"]
"""


def test_an_acknowledgement_and_a_trigger_are_read_again_for_the_address_they_were_sent_to(
    desk: Desk, run: Run, ask: Ask, tmp_path: Path
) -> None:
    found = shipped.files()
    found["config/sources.yaml"] += PAGES
    policies.publish(desk.client, desk.keys, found, shipped.vendors(), load(found, shipped.vendors()), "test")
    sent = {":path": "/v2/enqueue"}
    letters = [
        dead.bury_now(desk.client, desk.keys, dead.refused("pages", "x", raw, now_ms(), headers=sent))
        for raw in (b'{"event_action": "acknowledge"}', b'{"payload": {"summary": "no action"}}')
    ]
    assert "'event_action' is missing or blank" in run("dead", "retry", letters[1], code=1).stderr
    mended = tmp_path / "mended.json"
    mended.write_text('{"event_action": "acknowledge", "dedup_key": "db1"}')
    assert "it reads as ack" in run("dead", "edit", letters[0], "--body", str(mended)).stdout
    said = run("dead", "retry", letters[0]).stdout
    assert fate(desk, letters[0])[0] is Fate.RETRIED
    entry = re.search(r"b[0-9]+-[0-9]+", said)
    assert entry is not None
    (life,) = ask("why", entry[0])
    assert any(
        "ack asked for by source pages via PagerDuty's Events API" in each["what"] for each in life["life"]
    )


def test_a_retry_that_still_cannot_be_read_says_why_and_keeps_it(desk: Desk, run: Run) -> None:
    letter = bury(desk, json.dumps(EVENT | {"data": {"object": 5}}).encode())
    said = run("dead", "retry", letter, code=1).stderr
    assert f"{letter} kept: " in said
    assert "data.object" in said
    assert fate(desk, letter) == (Fate.WAITING, "")


def test_an_edit_that_does_not_help_is_kept_and_says_so(desk: Desk, run: Run, ask: Ask) -> None:
    letter = bury(desk, b"{")
    said = run("dead", "edit", letter, "--body", "-", stdin='{"object": "event"}', code=1).stderr
    assert "kept as edited, but it still cannot be read" in said
    assert ask("dead", "show", letter)["raw"] == '{"object": "event"}'


def test_one_value_can_be_set(desk: Desk, run: Run, ask: Ask) -> None:
    letter = bury(desk, json.dumps(EVENT | {"type": 7}).encode())
    run("dead", "edit", letter, "--set", "type=payout.failed", "--set", "data.object.amount=12")
    body = json.loads(ask("dead", "show", letter)["raw"])
    assert (body["type"], body["data"]["object"]["amount"]) == ("payout.failed", 12)


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (["data.nothing.amount=1"], "there is no 'nothing' in the body"),
        (["alerts[0].x=1"], "there is no 'alerts' in the body"),
        (["type.x=1"], "no object"),
        (["..=1"], "is no path"),
        (["novalue"], "write key=value"),
    ],
)
def test_a_path_that_is_not_there_is_misuse(desk: Desk, run: Run, pairs: list[str], says: str) -> None:
    letter = bury(desk, json.dumps(EVENT).encode())
    assert says in run("dead", "edit", letter, "--set", *pairs, code=2).stderr


def test_an_editor_may_mend_it(
    desk: Desk, run: Run, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = bury(desk, json.dumps(EVENT | {"type": 7}).encode())
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/"type": 7/"type": "payout.failed"/\' "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    run("dead", "edit", letter)
    assert json.loads(ask("dead", "show", letter)["raw"])["type"] == "payout.failed"


def test_an_editor_that_changes_nothing_changes_nothing(
    desk: Desk, run: Run, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = bury(desk, b"{}")
    monkeypatch.setenv("VISUAL", "true")
    assert "nothing was changed" in run("dead", "edit", letter, code=1).stderr
    assert ask("dead", "show", letter)["edited_at"] is None


def test_the_same_retry_twice_is_one_and_a_changed_body_is_another(desk: Desk, run: Run) -> None:
    letter = bury(desk, json.dumps(EVENT).encode())
    for _ in range(2):
        assert run("dead", "retry", letter).stdout.strip().endswith(f"{letter}.r1")
    run("dead", "edit", letter, "--set", "data.object.amount=6", "--set", "data.object.id=po_2")
    assert run("dead", "retry", letter).stdout.strip().endswith(f"{letter}.r2")


def test_an_undecidable_entry_is_decided_again_in_its_own_lane(desk: Desk, run: Run, ask: Ask) -> None:
    entry = encode_entry(Signal(at=now_ms(), by="receiver", event=outage(vendor_id="again")))
    letter = dead.given_up(Kind.UNDECIDABLE, "b1-0", "", "Traceback\nKeyError: 'x'", entry, now_ms())
    dead.bury_now(desk.client, desk.keys, letter)
    entered = run("dead", "retry", letter.id).stdout.rpartition(" ")[2].strip()
    assert entered.startswith("b")
    (life,) = ask("why", entered)
    assert life["kind"] == "event"


@pytest.mark.parametrize("kind", [Kind.UNDELIVERED, Kind.UNREMEDIATED])
def test_work_of_an_incident_is_wanted_again(desk: Desk, run: Run, ask: Ask, kind: Kind) -> None:
    run("incidents", "open", "Slow")
    subject = ask("incidents", "show", "INC-1")["deliveries"][0]["id"]
    letter = dead.given_up(kind, subject, "INC-1", "no way", b"{}", now_ms())
    dead.bury_now(desk.client, desk.keys, letter)
    run("dead", "retry", letter.id)
    assert fate(desk, letter.id)[0] is Fate.RETRIED
    said = run("dead", "edit", letter.id, "--body", "-", stdin="{}", code=2).stderr
    assert f"act on {subject}" in said


def test_bulk_takes_what_waits_by_kind_and_source_and_a_dry_run_nothing(
    desk: Desk, run: Run, ask: Ask
) -> None:
    good = [bury(desk, json.dumps(EVENT | {"id": f"evt_{n}"}).encode()) for n in range(3)]
    other = bury(desk, b"x", source="vercel")
    shown = run("dead", "retry", "--all", "--source", "stripe", "--dry-run").stdout
    assert all(letter in shown for letter in good)
    assert other not in shown
    assert len(ask("dead", "list")["letters"]) == 4
    run("dead", "retry", "--all", "--source", "stripe", "--kind", "refused")
    assert [letter["id"] for letter in ask("dead", "list")["letters"]] == [other]
    run("dead", "drop", "--all", "--as", "ben")
    assert fate(desk, other) == (Fate.DROPPED, "ben")
    assert ask("dead", "list")["letters"] == []


def test_one_that_fails_does_not_stop_the_others(desk: Desk, run: Run, ask: Ask) -> None:
    bad, good = bury(desk, b"{"), bury(desk, json.dumps(EVENT).encode())
    run("dead", "retry", good, bad, code=1)
    assert [letter["id"] for letter in ask("dead", "list")["letters"]] == [bad]


def test_bulk_without_saying_what_is_misuse(desk: Desk, run: Run) -> None:
    assert "name dead letters, or --all" in run("dead", "drop", code=2).stderr


def test_a_listing_pages_by_the_id_it_ended_with(desk: Desk, ask: Ask) -> None:
    buried = {bury(desk, str(number).encode()) for number in range(5)}
    seen: list[str] = []
    after = ""
    while True:
        page = ask("dead", "list", "--limit", "2", "--after", after)
        seen += [letter["id"] for letter in page["letters"]]
        after = page["after"]
        if not after:
            break
    assert len(seen) == 5
    assert set(seen) == buried


def test_a_hostile_body_is_shown_inert(desk: Desk, run: Run) -> None:
    letter = bury(desk, b"\x1b]0;owned\x07\xff\xe2\x80\xae[red]", why="bad \x1b[2J")
    for command in (["list"], ["show", letter]):
        out = run("dead", *command).stdout
        assert not set("\x1b\x07\u202e") & set(out)
    assert "[red]" in out


def test_an_unknown_letter_is_said_to_be_unknown(desk: Desk, run: Run) -> None:
    assert "no dead letter 'dl-0'; see: tocsin dead list" in run("dead", "show", "dl-0", code=1).stderr


def test_work_of_an_incident_in_the_archive_is_not_called_retried(desk: Desk, run: Run, ask: Ask) -> None:
    run("incidents", "open", "Slow")
    subject = ask("incidents", "show", "INC-1")["deliveries"][0]["id"]
    letter = dead.given_up(Kind.UNDELIVERED, subject, "INC-1", "no way", b"{}", now_ms())
    dead.bury_now(desk.client, desk.keys, letter)
    run("incidents", "resolve", "INC-1")
    for each in ask("incidents", "show", "INC-1")["deliveries"]:
        told = Delivered(at=now_ms(), delivery=each["id"], attempt=1, outcome=Outcome.OK, provider_id="1")
        log.append(desk.client, desk.keys, Lane.CONTROL, told)
    due = TimerDue(at=now_ms(), timer="retire:INC-1", due_at=now_ms() + 999 * DAY)
    log.append(desk.client, desk.keys, Lane.CONTROL, due)
    until(lambda: not desk.store.is_live("INC-1"))
    said = run("dead", "retry", letter.id, code=1).stderr
    assert f"INC-1 is in the archive, and what {subject} was for is over" in said
    assert f"tocsin dead drop {letter.id}" in said
    assert fate(desk, letter.id)[0] is Fate.WAITING


def test_a_body_is_shown_without_secrets_and_people_unless_asked_for_as_received(
    desk: Desk, run: Run, ask: Ask
) -> None:
    letter = bury(desk, b'{"email": "anna@shop.example", "token": "t0p-s3cret"}')
    for shown in (run("dead", "show", letter).stdout, ask("dead", "show", letter)["raw"]):
        assert "[redacted]" in shown
        assert "anna" not in shown
        assert "t0p-s3cret" not in shown
    assert "anna@shop.example" in run("dead", "show", letter, "--raw").stdout
    assert "t0p-s3cret" in ask("dead", "show", letter, "--raw")["raw"]
