"""`tocsin replay` of many: chosen by source, time, matchers or a condition; first what would come of it, then done."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from desk import Ask, Desk, Run
from small_policy import POLICY

from ledger import log
from ledger.archive import sweep
from ledger.clock import now_ms
from ledger.views import entries
from ledger.wire import text
from routing.entry import Signal
from routing.event import Event, Status
from routing.instant import DAY, iso


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Desk:
    """The shipped configuration is in force; what is appended here is decided at once."""
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    return desk


@pytest.fixture
def run(desk: Desk, run: Run) -> Run:
    """Somebody decides while a command runs."""

    def runs(*arguments: str, **more: Any) -> Result:
        with desk.folding():
            return run(*arguments, **more)

    return runs


def alert(name: str, status: Status = Status.FIRING) -> Event:
    return Event(
        source="alertmanager", vendor="alertmanager", kind=name, status=status, key=name, title=f"{name} as it was",
        labels={"alertname": name}, starts_at=now_ms(),
    )  # fmt: skip


def body(*names: str, summary: str = "as it is read now") -> bytes:
    """As Alertmanager would send them, with the fingerprints that the events above have as keys."""
    alerts = [
        {
            "status": "firing", "labels": {"alertname": name}, "annotations": {"summary": summary},
            "startsAt": iso(now_ms()), "endsAt": "0001-01-01T00:00:00Z", "fingerprint": name,
        }
        for name in names
    ]  # fmt: skip
    return json.dumps({"version": "4", "status": "firing", "alerts": alerts}).encode()


def receive(desk: Desk, *names: str) -> list[str]:
    return [desk.receive(alert(name), body(name)) for name in names]


def ids(rows: Sequence[dict[str, Any]], key: str = "id") -> list[str]:
    return [each[key] for each in rows]


def chosen(ask: Ask, *how: str) -> list[str]:
    return ids(ask("replay", *how, "--dry-run")["events"])


def signals(desk: Desk) -> list[str]:
    """Ids of replays in the log."""
    found = desk.client.scan_iter(match=desk.keys.replayed("*"))
    return sorted(text(key).rpartition(":")[2] for key in found)


def test_events_are_chosen_by_source_time_matchers_and_conditions(desk: Desk, run: Run, ask: Ask) -> None:
    first, second = receive(desk, "DiskFull", "SlowPages")
    other = desk.receive(
        Event(
            source="stripe", vendor="stripe", kind="payout.failed", status=Status.FIRING, key="po_1", title="Payout",
            labels={"livemode": "true"},
        ),
        b'{"data": {"object": {"amount": 700}}}',
    )  # fmt: skip
    assert chosen(ask, "--source", "alertmanager") == [first, second]
    assert chosen(ask, "--source", "alertmanager", "--source", "stripe") == [first, second, other]
    assert chosen(ask, "--match", 'kind=~"Slow.*|payout.*"') == [second, other]
    assert chosen(ask, "--match", 'livemode="true"', "--match", 'kind!="x"') == [other]
    assert chosen(ask, "--where", "body.data.object.amount > `500`") == [other]
    assert chosen(ask, "--where", "event.labels.alertname == 'DiskFull' && body.version == '4'") == [first]
    assert chosen(ask, "--where", "headers.\"x-signature\" == 'nothing'") == []
    assert chosen(ask, "--until", iso(log.instant_of(first))) == []
    assert chosen(ask, "--since", iso(log.instant_of(other) + 1)) == []
    assert chosen(ask, "--since", "-1h") == [first, second, other]


def test_events_are_chosen_from_the_archive_and_live_ones_alike(desk: Desk, run: Run, ask: Ask) -> None:
    old = receive(desk, "DiskFull", "SlowPages")
    sweep(desk.client, desk.keys, desk.archive, now_ms() + DAY, 0, 1_000_000)
    new = receive(desk, "HighErrorRate")
    assert chosen(ask, "--source", "alertmanager") == [*old, *new]
    assert chosen(ask, "--source", "alertmanager", "--where", "body.version == '4'") == [*old, *new]


def test_they_come_in_pages(desk: Desk, ask: Ask, run: Run) -> None:
    found = receive(desk, *(f"Alert{number}" for number in range(5)))
    page = ask("replay", "--source", "alertmanager", "--limit", "2", "--dry-run")
    seen = [ids(page["events"])]
    while page["after"]:
        page = ask(
            "replay", "--source", "alertmanager", "--limit", "2", "--dry-run", "--after", page["after"]
        )
        seen.append(ids(page["events"]))
    assert seen == [found[:2], found[2:4], found[4:]]
    assert "--after" in run("replay", "--source", "alertmanager", "--limit", "2", "--dry-run").stdout


def test_a_dry_run_says_what_would_come_of_it_and_changes_nothing(desk: Desk, run: Run, ask: Ask) -> None:
    (event,) = receive(desk, "DiskFull")
    run("incidents", "resolve", "INC-1")
    before = desk.client.xlen(desk.keys.log("bulk")), desk.client.xlen(desk.keys.log("urgent"))
    (row,) = ask("replay", event, "--dry-run")["events"]
    assert row["was"]["did"] == "opened"
    assert row["would_be"]["did"] == "stale", "it is older than its end"
    assert "DiskFull" in run("replay", event, "--dry-run").stdout
    assert (desk.client.xlen(desk.keys.log("bulk")), desk.client.xlen(desk.keys.log("urgent"))) == before
    assert ask("incidents", "show", "INC-1")["status"] == "resolved"
    assert signals(desk) == []


def test_the_dry_run_is_what_comes_of_it(desk: Desk, ask: Ask) -> None:
    receive(desk, "DiskFull", "SlowPages", "DiskFull")
    said = ask("replay", "--source", "alertmanager", "--dry-run")["events"]
    done = ask("replay", "--source", "alertmanager")["replayed"]
    assert [each["would_be"]["did"] for each in said] == [each["did"] for each in done]
    assert ids(done) == [f"{each['id']}.r1" for each in said]
    assert ids(done, "of") == ids(said)


def test_replays_are_not_chosen_again(desk: Desk, ask: Ask) -> None:
    found = receive(desk, "DiskFull")
    ask("replay", "--source", "alertmanager")
    assert chosen(ask, "--source", "alertmanager") == found


def test_the_same_number_twice_is_one_so_that_one_interrupted_can_be_ended(desk: Desk, ask: Ask) -> None:
    first, second = receive(desk, "DiskFull", "SlowPages")
    ask("replay", first, "--number", "1")
    ask("replay", "--source", "alertmanager", "--number", "1")
    assert signals(desk) == sorted([f"{first}.r1", f"{second}.r1"])


def test_many_are_asked_about_unless_told_not_to(desk: Desk, run: Run, ask: Ask) -> None:
    receive(desk, *(f"Alert{number}" for number in range(11)))
    refused = run("replay", "--source", "alertmanager", stdin="n\n", code=1)
    assert "Replay 11 events?" in refused.stderr
    assert signals(desk) == []
    assert "--yes" in run("replay", "--source", "alertmanager", "--json", code=2).stderr
    assert signals(desk) == []
    run("replay", "--source", "alertmanager", stdin="y\n")
    assert len(signals(desk)) == 11
    assert len(ask("replay", "--source", "alertmanager", "--yes")["replayed"]) == 11
    assert len(signals(desk)) == 22


def test_what_is_read_again_is_read_by_the_configuration_of_now(desk: Desk, ask: Ask) -> None:
    (event,) = receive(desk, "DiskFull")
    (done,) = ask("replay", event, "--read-again", "--as", "ben")["replayed"]
    seen = entries.find(desk.store, done["id"])
    assert seen is not None
    assert isinstance(seen.entry, Signal)
    assert seen.entry.event.title == "as it is read now"
    assert (seen.entry.by, seen.entry.replay_of) == ("ben", event)


def test_of_a_body_with_several_the_one_it_was_is_read(desk: Desk, ask: Ask) -> None:
    event = desk.receive(alert("SlowPages"), body("DiskFull", "SlowPages"))
    (row,) = ask("replay", event, "--read-again", "--dry-run")["events"]
    assert (row["kind"], row["title"], row["error"]) == ("SlowPages", "as it is read now", None)


@pytest.mark.parametrize(
    ("kept", "says"),
    [
        (b"no JSON", "not JSON"),
        (body("Other", "Another"), "none is the one it was"),
        (None, "not kept any more"),
    ],
)
def test_what_cannot_be_read_again_is_named_and_the_others_go_on(
    desk: Desk, run: Run, ask: Ask, kept: bytes | None, says: str
) -> None:
    bad = desk.receive(alert("DiskFull"), kept or b"")
    if kept is None:
        desk.client.delete(desk.keys.raw)
    (good,) = receive(desk, "SlowPages")
    done = run("replay", bad, good, "--read-again", code=1)
    assert f"{bad} not replayed: " in done.stderr
    assert says in done.stderr
    assert signals(desk) == [f"{good}.r1"]
    assert ids(ask("replay", bad, "--read-again", code=1)["replayed"], "of") == [bad]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name events, or choose them"),
        (("u1-0", "--source", "stripe"), "name events, or choose them"),
        (("--source", "nobody"), "no source 'nobody'"),
        (("--match", "nonsense"), "not a matcher"),
        (("--where", "a ||| b"), "condition"),
        (("--source", "stripe", "--after", "INC-1"), "no event's id"),
        (("--since", "yesterday"), "not a time"),
    ],
)
def test_what_cannot_be_chosen_is_misuse(run: Run, arguments: tuple[str, ...], says: str) -> None:
    assert says in run("replay", *arguments, code=2).stderr


def test_a_condition_that_cannot_be_judged_says_so(desk: Desk, run: Run) -> None:
    receive(desk, "DiskFull")
    assert "condition" in run("replay", "--where", "sum(event.kind)", "--dry-run", code=1).stderr


def test_nothing_chosen_is_nothing_done(run: Run, ask: Ask) -> None:
    assert ask("replay", "--source", "stripe") == {"replayed": [], "after": ""}
    assert "No event is chosen" in run("replay", "--source", "stripe", "--dry-run").stdout
