"""The same commands over a console as beside the store: they say the same, and act in the token's name."""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_world import World, bury, world
from click.testing import CliRunner, Result
from embedded import running_server
from ics import calendar

from console.main import tocsin
from console.remote.table import TABLE
from console.trust.acts import Role, Scope
from ledger import gaps
from ledger.archive.moving import sweeping

pytestmark = [pytest.mark.xdist_group("api")]
Run = Callable[..., Result]
DUTY = "UID:d-1\nDTSTART:20300321T080000Z\nDURATION:PT8H\nRRULE:FREQ=DAILY;COUNT=2\nSUMMARY:Anna K."


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_server() as server, world(server.url, tmp_path_factory.mktemp("remote")) as found:
        bury(found.desk)
        yield found


def runner(environ: dict[str, str | None]) -> Run:
    def runs(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(tocsin, list(arguments), env=environ, input=stdin)
        assert result.exit_code == code, f"{arguments}: {result.output}\n{result.exception!r}"
        return result

    return runs


@pytest.fixture
def there(at: World) -> Run:
    """From a machine that knows the console alone."""
    return runner({
        "TOCSIN_CONSOLE_URL": at.seen.url, "TOCSIN_CONSOLE_TOKEN": at.admin,
        "TOCSIN_REDIS_URL": "unix:///nowhere.sock", "TOCSIN_DATA": "/nowhere", "USER": "zoe",
    })  # fmt: skip


@pytest.fixture
def here(at: World) -> Run:
    """Beside the store."""
    url, data = str(at.desk.settings.redis_url), str(at.desk.settings.data_dir)
    return runner({"TOCSIN_REDIS_URL": url, "TOCSIN_DATA": data, "TOCSIN_CONSOLE_TOKEN": None, "USER": "zoe"})


@pytest.fixture
def incident(there: Run) -> str:
    said = there(
        "incidents", "open", "Checkout is slow", "--severity", "SEV-2", "--service", "checkout"
    ).stdout
    assert " opened as SEV-2; see: tocsin incidents show INC-" in said
    return said.split(" ", 1)[0]


def read(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    "command",
    [
        ("incidents", "list", "--all"), ("incidents", "show", "INC-1"), ("runbook", "list"), ("sources", "list"),
        ("sources", "show", "stripe"), ("dead", "list"), ("oncall",), ("oncall", "overrides"), ("contacts", "list"),
        ("channels", "list"), ("probes", "list"), ("scheduled",), ("why", "INC-1"), ("outbox",), ("sources", "gaps"),
        ("silence", "preview", 'service="checkout"'), ("outbox", "show", "INC-1-d1"),
        ("routes", "test", "severity=SEV-1", "team=payments"),
    ],
)  # fmt: skip
def test_what_is_listed_over_a_console_is_what_is_listed_beside_the_store(
    command: tuple[str, ...], here: Run, there: Run, incident: str
) -> None:
    code = {"probes": 1}.get(command[0], 0)
    beside, over = (read(runs(*command, "--json", code=code)) for runs in (here, there))
    assert _without(over) == _without(beside)


def _without(found: Any) -> Any:
    """Cursors are each side's own."""
    return (
        {name: value for name, value in found.items() if name != "after"}
        if isinstance(found, dict)
        else found
    )


def test_a_person_reads_the_same_words(here: Run, there: Run, incident: str) -> None:
    for command in (
        ("incidents", "list"),
        ("incidents", "show", incident),
        ("why", incident),
        ("runbook", "list"),
        ("oncall",),
        ("oncall", "--at", "2030-12-24T02:30"),
        ("outbox", "show", "INC-1-d1"),
        ("routes", "test", "severity=SEV-1"),
        ("status-page", "html"),
    ):
        assert _still(there(*command).stdout) == _still(here(*command).stdout)


def _still(text: str) -> str:
    """Without the seconds that pass between two looks, and the room they take."""
    return re.sub(r"\s+", " ", re.sub(r"\d+ (?:s|min|h)\b|[\d:.]+Z", "some", text))


def test_a_probe_that_is_not_looked_at_is_told_alike_and_ends_alike(here: Run, there: Run) -> None:
    over = there("probes", "list", code=1).stdout
    assert over == here("probes", "list", code=1).stdout
    assert "nobody looks: start `tocsin prober`" in over


def test_what_is_done_is_done_in_the_tokens_name(there: Run, here: Run, incident: str) -> None:
    assert f"{incident}: acknowledged by admin via the API" in there("incidents", "ack", incident).stdout
    there("incidents", "note", incident, "the cache was cold")
    there("incidents", "snooze", incident, "--for", "2h")
    there("incidents", "update", incident, "--severity", "SEV-3", "--reason", "only the preview")
    there("incidents", "reassign", incident, "--to", "ben")
    there("incidents", "resolve", incident)
    shown = read(here("incidents", "show", incident, "--json"))
    assert (shown["status"], shown["severity"], shown["resolved_by"]) == ("resolved", "SEV-3", "admin")
    assert "leave --as out" in there("incidents", "ack", incident, "--as", "ben", code=2).stderr


def test_silences_overrides_and_switches_are_set_and_taken_back(there: Run, here: Run) -> None:
    said = there("silence", "add", 'service="nothing"', "--for", "8h", "--reason", "x").stdout
    silence = said.split()[-1]
    assert silence in there("silence", "list").stdout
    there("silence", "expire", silence)
    assert silence not in there("silence", "list").stdout
    there("kill-switch", "on", "--reason", "test")
    assert here("kill-switch", "status").stdout.startswith("on")
    assert there("kill-switch", "status").stdout.startswith("on, by admin: test")
    there("kill-switch", "off")
    assert there("freeze", "status").stdout.startswith("off")
    there("sources", "pause", "stripe")
    assert [
        each["paused"] for each in read(here("sources", "list", "--json")) if each["name"] == "stripe"
    ] == [True]
    there("sources", "resume", "stripe")
    said = there("oncall", "override", "primary", "ben", "--from", "18:00", "--until", "+3d").stdout
    assert said.startswith("ben takes primary from ")
    assert " 18:00 CE" in said
    [override] = read(there("oncall", "overrides", "--json"))
    assert (override["by"], override["id"]) == ("admin", said.strip()[-11:-1])
    assert there("oncall", "overrides").stdout == here("oncall", "overrides").stdout
    assert "there are primary" in there("oncall", "override", "tertiary", "ben", code=2).stderr
    there("oncall", "remove", override["id"])
    assert read(here("oncall", "overrides", "--json")) == []


def test_calendars_go_in_and_out_over_a_console(there: Run, here: Run, tmp_path: Path) -> None:
    window = ("--from", "2030-03-20T00:00Z", "--for", "20d")
    for which in (("--schedule", "secondary"), ("--person", "anna"), ()):
        assert _unstamped(there("oncall", "export", *which, *window)) == _unstamped(
            here("oncall", "export", *which, *window)
        )
    assert "there are anna" in there("oncall", "export", "--person", "nobody", code=2).stderr
    file = tmp_path / "shifts.ics"
    file.write_text(calendar(DUTY), newline="")
    laying = ("oncall", "import", "primary", str(file), *window)
    for more in ((), ("--json",)):
        beside, over = (runs(*laying, *more, code=1) for runs in (here, there))
        assert (over.stdout, over.stderr) == (beside.stdout, beside.stderr)
    assert "write --name 'Anna K.'=anna" in there(*laying, code=1).stderr
    named = (*laying, "--name", "Anna K.=anna")
    assert there(*named, "--dry-run").stdout == here(*named, "--dry-run").stdout
    assert read(here("oncall", "overrides", "--json")) == []
    assert there(*named).stdout.startswith("primary follows 2 shifts of the calendar from 2030-03-21 09:00")
    assert "as it did before" in here(*named).stdout
    file.write_bytes(b"\nBEGIN \xff")
    for runs in (here, there):
        assert "shifts.ics: line 2: it is not UTF-8" in runs(*laying, code=1).stderr
    assert (
        "no contact 'zoe'; there are anna"
        in there(*laying[:3], "-", "--name", "a=zoe", code=2, stdin="x").stderr
    )
    [override] = read(here("oncall", "overrides", "--json"))
    assert (override["id"], override["by"]) == ("ical-primary", "admin")
    there("oncall", "remove", "ical-primary")


def _unstamped(result: Result) -> str:
    """Without when it was written."""
    return re.sub(r"DTSTAMP:\S+", "", result.stdout)


def test_shifts_are_laid_for_a_time_over_a_console(there: Run, here: Run) -> None:
    shift = ("--shift", "ben", "2030-12-24T09:00", "2030-12-27T09:00")
    said = there("oncall", "temporary", "primary", *shift).stdout
    assert re.fullmatch(
        r"primary follows (o-\w+) from 2030-12-24 09:00 CET until 2030-12-27 09:00 CET\n", said
    )
    beside = here("oncall", "temporary", "primary", *shift).stdout
    assert re.sub(r"o-\w+", "", beside) == re.sub(r"o-\w+", "", said)
    assert there("oncall", "swap", "primary", "anna", "ben").stdout.startswith("ben takes primary from ")
    for each in read(there("oncall", "overrides", "--json")):
        there("oncall", "remove", each["id"])
    ends = ("--shift", "ben", "2030-12-24T09:00", "2030-12-23T09:00")
    assert "ends before it begins" in there("oncall", "temporary", "primary", *ends, code=2).stderr


def test_a_run_is_started_and_denied(there: Run, here: Run, incident: str) -> None:
    said = there("runbook", "run", "tell-customers", "--incident", incident).stdout
    assert "tell-customers" in said
    [run] = read(there("incidents", "show", incident, "--json"))["runs"]
    assert incident in there("runbook", "deny", run["id"]).stdout
    assert "they are like INC-12-r1" in there("runbook", "approve", "INC-1-r99", code=1).stderr


def test_people_and_tokens_are_let_in_and_kept_out(there: Run, here: Run, at: World) -> None:
    added = there("users", "add", "ada", "--role", "viewer", "--contact", "ben").stdout
    assert added.startswith(f"ada sets a password at {at.seen.site.settings.origin}/welcome/")
    assert "/welcome/" in there("users", "invite", "ada").stdout
    assert there("users", "set", "ada", "--team", "payments").stdout == "ada is viewer of payments\n"
    mixed = ("--grant", "platform=admin", "--grant", "payments=responder")
    assert there("users", "set", "ada", *mixed).stdout == "ada is admin of platform; responder of payments\n"
    assert there("users", "set", "ada", "--grant", "platform=none").stdout == "ada is responder of payments\n"
    there("users", "add", "ida", *mixed)
    assert "more than one role" in there("users", "set", "ida", "--role", "viewer", code=2).stderr
    there("tokens", "create", "mixed", "--scope", "read", "--for", "30m", *mixed)
    at.seen.session("kim")
    for command in (("users", "list"), ("users", "sessions", "kim"), ("tokens", "list"), ("users", "audit")):
        assert there(*command).stdout == here(*command).stdout
        assert read(there(*command, "--json")) == read(here(*command, "--json"))
    assert there("users", "sign-out", "kim").stdout == "ended 1 of kim's sessions\n"
    there("users", "disable", "kim")
    assert [each["disabled"] for each in read(here("users", "list", "--json")) if each["name"] == "kim"] == [
        True
    ]
    there("users", "enable", "kim")
    there("users", "remove", "kim")
    secret = there("tokens", "create", "deploys", "--scope", "incidents", "--for", "30m").stdout.strip()
    with at.client(secret) as client:
        assert client.get("/me").json()["scopes"] == ["incidents", "read"]
    [made] = [each for each in read(there("tokens", "list", "--json")) if each["name"] == "deploys"]
    there("tokens", "revoke", made["id"])
    with at.client(secret) as client:
        assert client.get("/me").status_code == 401


def test_reports_and_words_for_customers_come_over_a_console(
    there: Run, here: Run, at: World, incident: str, tmp_path: Path
) -> None:
    there("report", incident, "--impact", "nobody could pay", "--root-cause", "a cold cache")
    for command in (
        ("report", incident, "--audience", "management"),
        ("sources", "gaps"),
        ("silence", "preview", 'a="b"'),
    ):
        assert _still(there(*command).stdout) == _still(here(*command).stdout)
    assert read(there("status-page", "show", "--json"))["page"]["name"] == "Service status"
    assert incident in there("status-page", "update", incident, "--status", "investigating").stdout
    assert "a cold cache" in there("report", incident).stdout
    month = read(there("report", "--period", "month", "--json", "--timezone", "Europe/Warsaw"))
    assert set(month) == set(read(here("report", "--period", "month", "--json")))
    page = tmp_path / "report.html"
    assert f"written to {page}" in there("report", incident, "--format", "html", "--out", str(page)).stdout
    assert page.read_text().startswith("<!doctype html>")
    assert "name an incident or a time" in there("report", code=2).stderr
    assert incident in there("notify", "customers", incident, "--subject", "Paying fails").stdout
    there("sources", "gaps", "--now", "stripe")
    assert gaps.wanted(at.desk.client, at.desk.keys) == {"stripe"}
    assert "nobody is asked about" in there("sources", "gaps", "--now", "alertmanager", code=2).stderr


def test_events_are_replayed_by_name_and_by_what_they_are(there: Run, here: Run, at: World) -> None:
    event = at.post("/probes/site-health/test", {})["entry"]
    chosen = ("replay", "--source", "probes", "--match", 'status="firing"')
    assert event in there(*chosen, "--dry-run").stdout
    assert [each["of"] for each in read(there(*chosen, "--dry-run", "--json"))["events"]] == [
        each["id"] for each in read(here(*chosen, "--dry-run", "--json"))["events"]
    ]
    assert there("replay", event).stdout.startswith(f"{event}.r1: ")
    assert f"{event}.r2: " in there(*chosen, "--yes").stdout
    assert "No event is chosen" in there("replay", "--source", "stripe", "--dry-run").stdout
    assert "name events, or choose" in there("replay", code=2).stderr
    assert "no event" in there("replay", "u1-0", code=1).stderr
    assert "--number does not work" in there("replay", event, "--number", "1", code=2).stderr


def test_what_is_tried_is_tried_with_what_is_in_force_there(there: Run, at: World, tmp_path: Path) -> None:
    def named(*command: str, code: int = 0) -> str:
        return there("--console", at.seen.url, *command, code=code).output

    body = tmp_path / "body.json"
    body.write_bytes(b'{"type": "charge.failed"}\xff')
    scenario = "config/tests/sunday-night.yaml"
    for command, code in (
        (("sources", "test", "stripe", str(body)), 1), (("runbook", "test", "rollback"), 0),
        (("simulate", scenario), 0), (("simulate", scenario, "--no-reasons", "--json"), 0),
        (("runbook", "test", "rollback", "--json"), 0), (("sources", "test", "stripe", str(body), "--json"), 1),
    ):  # fmt: skip
        # Only where the command itself names a console: whoever edits files tries those, token or not.
        assert _still(named(*command, code=code)) == _still(there(*command, code=code).output)
        with pytest.raises(AssertionError, match="leave it out to try the files"):
            named(*command, "--config", "config")
    assert "no runbook 'x'; there are" in named("runbook", "test", "x", code=2)
    assert "no console has" in named("runbook", "test", "--environment", "staging", code=2)


def test_a_probe_is_worded_there_and_written_by_whom_the_files_are(there: Run, at: World) -> None:
    wording = ("alerts", "create", "--name", "api-slow", "--condition", "response-time > 2000ms")
    said = there("--console", at.seen.url, *wording)
    assert said.stdout == there(*wording, "--dry-run").stdout
    assert "paste this at the end of config/probes.yaml" in said.stderr
    taken = ("alerts", "create", "--name", "site-health", "--condition", "status != 200")
    assert 'a second probe "site-health"' in there("--console", at.seen.url, *taken, code=1).stderr


def test_a_probes_alert_is_tried_over_a_console(there: Run, here: Run) -> None:
    assert "is over again" in there("alerts", "test", "pages-in-time", "--resolve").stdout
    assert "no probe 'cook'; there are site-health" in there("alerts", "test", "cook", code=1).stderr
    assert "no probe 'cook'; there are site-health" in here("alerts", "test", "cook", code=1).stderr


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("up",), "it runs a process on this machine"), (("worker",), "it runs a process on this machine"),
        (("publish",), "it puts the files of this machine in force"), (("check",), "it reads files here"),
        (("schema",), "it reads files here"), (("send", "stripe", "x"), "a receiver's secrets"),
        (("restore", "file"), "it needs a Tocsin that is stopped"),
    ],
)  # fmt: skip
def test_what_no_console_can_do_says_why(command: tuple[str, ...], why: str, there: Run, at: World) -> None:
    said = there("--console", at.seen.url, *command, code=1).stderr
    assert why in said
    assert "Leave --console out" in said


def test_restoring_is_refused_also_where_the_environment_alone_names_a_console(there: Run) -> None:
    said = there("restore", "file", code=1).stderr
    assert "stop all of it where the store is, then restore there" in said
    assert "Unset TOCSIN_CONSOLE_TOKEN" in said


def test_dead_letters_are_mended_and_dropped(there: Run, here: Run, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text("[]")
    assert "still cannot be read" in there("dead", "edit", "dl-refused", "--body", str(body), code=1).stderr
    assert (
        "would retry dl-refused" in there("dead", "retry", "--all", "--kind", "refused", "--dry-run").stdout
    )
    assert "dl-refused kept" in there("dead", "retry", "dl-refused", code=1).stderr
    assert "[]" in there("dead", "show", "dl-refused").stdout
    assert there("dead", "drop", "dl-refused").stdout == "dl-refused dropped\n"
    assert read(here("dead", "show", "dl-refused", "--json"))["by"] == "admin"


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (("users", "set", "nobody", "--role", "viewer"), 1, "no user 'nobody'; see: tocsin users list"),
        (("users", "add", "Ada Lovelace"), 2, "body.name"),
        (
            ("tokens", "create", "x", "--scope", "read", "--for", "5m", "--user", "nobody"),
            2,
            "no user 'nobody'",
        ),
        (("incidents", "show", "INC-1?all=true#y"), 1, "no incident"),
        (("incidents", "show", "INC-999"), 1, "no incident 'INC-999'; see: tocsin incidents list --all"),
        (("incidents", "reassign", "INC-1", "--to", "nobody"), 2, "there are anna"),
        (("incidents", "list", "--severity", "bad"), 2, "query.severity"),
        (("dead", "edit", "dl-lost"), 2, "there is no editor"),
    ],
)
def test_what_cannot_be_done_says_so_and_what_to_do(
    command: tuple[str, ...], code: int, says: str, there: Run, incident: str
) -> None:
    assert says in there(*command, code=code).stderr


def test_a_backup_is_taken_by_an_admin_and_brings_everything_back(
    there: Run, here: Run, at: World, incident: str, tmp_path: Path
) -> None:
    file = tmp_path / "over.backup"
    said = there("backup", str(file)).stdout
    assert f"{file}: " in said
    assert "what passwords are checked against: keep it safe" in said
    assert (file.stat().st_mode & 0o777, [each.name for each in tmp_path.iterdir()]) == (0o600, [file.name])
    assert list(at.desk.archive.parent.glob("download-*")) == [], "nothing of it is left beside the store"
    assert "is there already" in there("backup", str(file), code=2).stderr
    facts = read(there("backup", str(file), "--force", "--json"))
    assert set(facts) == set(read(here("backup", str(tmp_path / "beside"), "--json")))
    assert "took a backup of everything" in there("users", "audit").stdout
    with running_server() as other:
        back = runner(
            {
                "TOCSIN_REDIS_URL": other.url,
                "TOCSIN_DATA": str(tmp_path / "other"),
                "TOCSIN_CONSOLE_TOKEN": None,
            }
        )
        assert f"{facts['entries']} entries" in back("restore", str(file)).stdout
        assert read(back("incidents", "show", incident, "--json"))["title"] == "Checkout is slow"


def test_a_backup_that_cannot_be_made_says_why_and_leaves_no_file(
    there: Run, at: World, tmp_path: Path
) -> None:
    with sweeping(at.desk.client, at.desk.keys) as token:
        assert token
        assert "another backup runs" in there("backup", str(tmp_path / "x"), code=1).stderr
    viewer: dict[str, str | None] = {
        "TOCSIN_CONSOLE_URL": at.seen.url,
        "TOCSIN_CONSOLE_TOKEN": at.seen.token("eyes", Role.RESPONDER, *Scope),
    }
    assert "this takes admin" in runner(viewer)("backup", str(tmp_path / "x"), code=1).stderr
    assert list(tmp_path.iterdir()) == []
    assert list(at.desk.archive.parent.glob("download-*")) == []


def test_what_needs_no_store_runs_here_as_ever(there: Run) -> None:
    assert "routes.yaml" in there("schema").stdout
    assert "config: good" in there("check", "--no-tests").stdout


def test_who_has_no_token_or_no_console_is_told_what_to_set(at: World) -> None:
    plain: dict[str, str | None] = {"TOCSIN_CONSOLE_TOKEN": None, "TOCSIN_CONSOLE_URL": None}
    assert "set TOCSIN_CONSOLE_TOKEN" in runner(plain)("--console", at.seen.url, "status", code=2).stderr
    token = plain | {"TOCSIN_CONSOLE_TOKEN": "x"}
    assert "set TOCSIN_CONSOLE_URL" in runner(token)("status", code=2).stderr
    wrong = runner(token | {"TOCSIN_CONSOLE_URL": at.seen.url})("status", code=1).stderr
    assert "knows no such token" in wrong
    assert (
        "nothing answers at http://127.0.0.1:9"
        in runner(token)("--console", "http://127.0.0.1:9", "status", code=1).stderr
    )
    viewer = at.seen.token("eyes", Role.VIEWER, Scope.READ)
    refused = runner(token | {"TOCSIN_CONSOLE_TOKEN": viewer})(
        "--console", at.seen.url, "incidents", "ack", "INC-1", code=1
    )
    assert "this takes responder" in refused.stderr


def test_the_consoles_own_address_alone_changes_nothing(at: World, here: Run) -> None:
    """Beside the store that variable tells the console how browsers reach it."""
    url, data = str(at.desk.settings.redis_url), str(at.desk.settings.data_dir)
    environ: dict[str, str | None] = {
        "TOCSIN_REDIS_URL": url, "TOCSIN_DATA": data, "TOCSIN_CONSOLE_URL": "http://127.0.0.1:9",
        "TOCSIN_CONSOLE_TOKEN": None,
    }  # fmt: skip
    assert runner(environ)("incidents", "list").exit_code == 0


def test_each_command_of_the_table_is_one_of_the_command_line() -> None:
    import click

    for path in TABLE:
        command: click.Command | None = tocsin
        with click.Context(tocsin) as context:
            for name in path.split():
                assert isinstance(command, click.Group)
                command = command.get_command(context, name)
        assert command is not None, path
    assert os.environ.get("TOCSIN_CONSOLE_TOKEN") is None
