"""What operators set: who is on call, what is silenced, which source is paused, whether anything acts by itself."""

import pytest
from desk import Ask, Desk, Run

from ledger.switches import killed


def test_somebody_is_on_call_in_every_schedule(desk: Desk, ask: Ask) -> None:
    now, later = ask("oncall"), ask("oncall", "--at", "2027-01-01T00:00")
    assert set(now) == set(desk.policy.schedules)
    assert all(
        duty["contact"] in desk.policy.contacts and duty["until"] for duty in (*now.values(), *later.values())
    )


def test_an_override_takes_the_shift_is_listed_and_taken_back(desk: Desk, run: Run, ask: Ask) -> None:
    schedule = next(iter(desk.policy.schedules))
    regular = ask("oncall")[schedule]["contact"]
    other = next(name for name in desk.policy.contacts if name != regular)
    run("oncall", "override", schedule, other, "--from", "now", "--until", "+8h", "--as", "ben")
    assert ask("oncall")[schedule]["contact"] == other
    (override,) = ask("oncall", "overrides")
    assert (override["contact"], override["by"]) == (other, "ben")
    run("oncall", "remove", override["id"])
    assert ask("oncall")[schedule]["contact"] == regular
    assert ask("oncall", "overrides") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobodys", "anna", "--until", "+1h"], "no schedule 'nobodys'; there are"),
        (["{}", "nobody", "--until", "+1h"], "no contact 'nobody'; there are"),
        (["{}", "{}", "--until", "-1h"], "it ends before it begins"),
        (["{}", "{}", "--until", "soon"], "not a time: 'soon'; write 2026-11-24T02:30"),
    ],
)
def test_an_override_that_makes_no_sense_is_misuse(
    desk: Desk, run: Run, arguments: list[str], says: str
) -> None:
    names = iter([next(iter(desk.policy.schedules)), next(iter(desk.policy.contacts))])
    filled = [next(names) if argument == "{}" else argument for argument in arguments]
    assert says in run("oncall", "override", *filled, code=2).stderr


def test_a_silence_is_listed_with_its_reason_and_ends(desk: Desk, run: Run, ask: Ask) -> None:
    run("silence", "add", 'service="site"', "--for", "2h", "--reason", "planned work", "--as", "ben")
    (silence,) = ask("silence", "list")
    assert (silence["matchers"], silence["by"], silence["reason"]) == (
        ['service="site"'],
        "ben",
        "planned work",
    )
    run("silence", "expire", silence["id"], "--as", "anna")
    (ended,) = ask("silence", "list", "--ended")
    assert (ended["id"], ended["from"], ended["by"]) == (silence["id"], silence["from"], "anna")
    assert ask("silence", "list") == []
    assert "ended at" in run("silence", "expire", silence["id"], code=1).stderr
    assert (
        run("silence", "expire", "s-0", code=1).stderr.strip()
        == "Error: no silence 's-0'; see: tocsin silence list"
    )


def test_a_silence_is_previewed_before_it_is_set_and_remarked_on_after(
    desk: Desk, run: Run, ask: Ask
) -> None:
    run("incidents", "open", "Checkout is slow", "--severity", "SEV-1", "--service", "checkout")
    previewed = ask("silence", "preview", 'service="checkout"')
    assert [(each["incident"], each["status"], each["whole"]) for each in previewed["now"]] == [
        ("INC-1", "triggered", True)
    ]
    assert ask("silence", "preview", 'service="mail"') == {"now": [], "last_day": []}
    assert "held" in run("silence", "preview", 'service="checkout"').stdout
    assert run("silence", "preview", 'service="mail"').stdout.count("Nothing would be hidden.") == 2
    assert "not a matcher" in run("silence", "preview", "nomatcher", code=2).stderr
    for length in ("30m", "40d", "2h"):
        run("silence", "add", 'service="checkout"', "--for", length, "--reason", "moving disks")
    assert [each["remarks"] for each in ask("silence", "list")] == [
        ["ends within the hour"], [], ["longer than 30 days"],
    ]  # fmt: skip
    assert "ends within the hour" in run("silence", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nomatcher", "--for", "1h"], "not a matcher"), (['a="b"', "--for", "1 hour"], "write it with units")],
)
def test_a_silence_that_cannot_be_read_is_misuse(
    desk: Desk, run: Run, arguments: list[str], says: str
) -> None:
    assert says in run("silence", "add", *arguments, "--reason", "x", code=2).stderr


def test_a_source_is_paused_and_resumed(desk: Desk, run: Run, ask: Ask) -> None:
    run("sources", "pause", "stripe")
    assert {row["name"] for row in ask("sources", "list") if row["paused"]} == {"stripe"}
    run("sources", "resume", "stripe")
    assert not any(row["paused"] for row in ask("sources", "list"))
    assert "no source 'nobody'; there are" in run("sources", "pause", "nobody", code=2).stderr
    assert "no source 'nobody'; there are" in run("sources", "show", "nobody", code=2).stderr


def test_the_kill_switch_is_seen_by_whoever_acts(desk: Desk, run: Run) -> None:
    assert run("kill-switch", "status").stdout.strip() == "off"
    run("kill-switch", "on", "--reason", "wrong rollback")
    assert killed(desk.client, desk.keys)
    assert run("kill-switch", "status").stdout.startswith("on")
    run("kill-switch", "off")
    assert not killed(desk.client, desk.keys)


def test_runbooks_and_routes_say_where_they_were_written(desk: Desk, ask: Ask, run: Run) -> None:
    assert all(row["origin"].startswith("config/runbooks/") for row in ask("runbook", "list"))
    (taken, *_) = ask("routes", "test", "severity=SEV-0", "service=site")
    assert taken["escalation"] in desk.policy.escalations
    assert "because" in run("routes", "test", "severity=SEV-0").stdout
    assert "write key=value" in run("routes", "test", "severity", code=2).stderr
