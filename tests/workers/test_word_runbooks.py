"""What is said to those affected: a status page led to by programs, a mail to all customers, a word in public."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shipped
from admin_standin import EVERYONE, AdminStandin
from admin_standin import TOKEN as ADMIN_TOKEN
from carrying import Carried
from redis import Redis
from supabase_standin import REF, TOKEN, SupabaseStandin

from ledger.keys import Keys
from routing.entry import Verb
from routing.instant import HOUR, MINUTE, SECOND
from routing.record import encode
from routing.run import RunPhase

SCHEMA = "create table audit (action text, user_id text)"
QUICK = {
    f"runbooks/{name}.yaml": (("every_ms: 2000", "every_ms: 1"),)
    for name in ("status-page", "tell-customers", "public-statement")
}
"""Three looks at the site, without the seconds between them."""
AUDIT = """\
        sql: |
          select action, count(*) as times, count(distinct user_id) as users from audit
          where $1 > 0 group by action limit $2
"""


@pytest.fixture
def site() -> Iterator[AdminStandin]:
    with AdminStandin() as made:
        made.healthy = False
        yield made


@pytest.fixture
def supabase() -> Iterator[SupabaseStandin]:
    with SupabaseStandin(schema=SCHEMA) as made:
        yield made


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The status page: what it says, as JSON."""
    file = tmp_path / "page.json"
    file.write_text(json.dumps({"status": "operational"}))
    return file


@pytest.fixture
def place(redis: Redis, site: AdminStandin, supabase: SupabaseStandin, page: Path) -> Carried:
    return carried(redis, site, supabase, page)


def carried(
    redis: Redis, site: AdminStandin, supabase: SupabaseStandin, page: Path, updates: str = ""
) -> Carried:
    """`updates`: Python of the program that updates the page."""
    updates = updates or "json.dump({'status': sys.argv[2], 'text': sys.argv[3]}, open(PAGE, 'w'))"
    programs = {
        "status-page-shown": {**python("print(open(PAGE).read())", page), "reads": True},
        "status-page-update": python(updates, page),
    }
    text = shipped.files()["config/actions.yaml"]
    begins = text.index("        sql:", text.index("      audit_actions:"))
    asked = text[begins : text.index("        params:", begins)]
    environ = {
        "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url,
        "ADMIN_TOKEN": ADMIN_TOKEN, "TOCSIN_SITE_URL": site.url, "TOCSIN_ALLOW_PRIVATE": "true",
        "VERCEL_STATUS_BASE_URL": site.url,
    }  # fmt: skip
    edits = (("programs: {}", f"programs: {json.dumps(programs)}"), (asked, AUDIT))
    return Carried(redis, environ, {"actions.yaml": edits, **QUICK})


def python(code: str, page: Path) -> dict[str, Any]:
    whole = f"import json, sys; PAGE = {str(page)!r}; {code}"
    return {"path": sys.executable, "arguments": ["-I", "-S", "-c", whole, "--"]}


def says(page: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(page.read_text())
    return found


def test_the_status_page_says_that_we_know_until_somebody_takes_it_back(place: Carried, page: Path) -> None:
    place.alert("StatusPageDue")
    run = place.run("status-page")
    assert (run.phase, says(page)["status"]) == (RunPhase.SUCCEEDED, "degraded")
    assert "We have trouble with our site" in says(page)["text"]
    assert (place.incident.resolved_at, run.id in place.incident.followups[0].text) == (0, True)
    place.says(Verb.UNDO, "press", run.id)
    place.passes(MINUTE)
    assert says(page)["status"] == "operational"


def test_nothing_of_an_alert_gets_onto_the_page(place: Carried, page: Path) -> None:
    place.alert("StatusPageDue", summary="$(reboot) <script>", title="{{ now }}")
    place.run("status-page")
    assert "reboot" not in page.read_text()
    assert "{{" not in page.read_text()


def test_a_page_that_says_it_already_is_left_alone(place: Carried, page: Path) -> None:
    page.write_text(json.dumps({"status": "major_outage"}))
    place.alert("StatusPageDue")
    assert (place.run("status-page").phase, says(page)["status"]) == (RunPhase.STOPPED, "major_outage")


def test_nothing_is_said_while_all_is_well(place: Carried, page: Path, site: AdminStandin) -> None:
    site.healthy = True
    place.alert("StatusPageDue")
    assert (place.run("status-page").phase, says(page)["status"]) == (RunPhase.STOPPED, "operational")


def test_a_page_that_does_not_show_it_is_told(
    redis: Redis, site: AdminStandin, supabase: SupabaseStandin, page: Path
) -> None:
    place = carried(redis, site, supabase, page, "print('taken')")
    place.alert("StatusPageDue")
    run = place.run("status-page")
    assert (run.phase, "during verify" in run.why) == (RunPhase.FAILED, True)


def test_without_programs_nothing_is_said_and_the_run_says_so(redis: Redis, site: AdminStandin) -> None:
    place = Carried(redis, {"TOCSIN_SITE_URL": site.url, "TOCSIN_ALLOW_PRIVATE": "true"}, QUICK)
    place.alert("StatusPageDue")
    run = place.run("status-page")
    assert (run.phase, "dry run: would have done command.run" in run.why) == (RunPhase.STOPPED, True)


def test_all_customers_are_written_to_once_somebody_has_agreed(
    place: Carried, site: AdminStandin, supabase: SupabaseStandin
) -> None:
    place.alert("CustomersToBeTold")
    place.passes(10 * MINUTE)
    assert site.written == []
    place.says(Verb.APPROVE, "press")
    place.passes(10 * SECOND)
    (mail,) = site.written
    assert (mail["everyone"], mail["type"]) == (True, "email")
    supabase.database.execute("insert into audit values ('customer.notified', 'u1')")
    run = place.run("tell-customers")
    assert (run.phase, place.found(run, "tell")["affects"]) == (RunPhase.SUCCEEDED, EVERYONE)


def test_customers_are_written_to_in_the_words_that_were_agreed_to(
    place: Carried, site: AdminStandin
) -> None:
    """Whoever asks for it cannot agree themselves; who is asked reads the words, and is recorded."""
    place.alert("SlowEverything")
    words = {"subject": "Paying fails", "message": "Paying with a card fails. We are on it."}
    place.says(Verb.RUN, "commander", "tell-customers", inputs=words)
    place.passes(MINUTE)
    (asked,) = [each for each in place.asked() if each.contact == "press"]
    assert "subject: Paying fails\nmessage: Paying with a card fails. We are on it." in asked.message.body
    place.says(Verb.APPROVE, "commander")
    place.passes(MINUTE)
    assert site.written == []
    place.says(Verb.APPROVE, "press")
    place.passes(10 * SECOND)
    (mail,) = site.written
    assert (mail["subject"], mail["message"]) == (words["subject"], words["message"])
    assert place.runs[-1].approved_by == ["press"]


@pytest.mark.parametrize(
    ("verb", "by"), [(Verb.DENY, "press"), (Verb.APPROVE, "security"), (Verb.NOTE, "press")]
)
def test_without_a_yes_of_who_speaks_for_us_nobody_is_written_to(
    place: Carried, site: AdminStandin, verb: Verb, by: str
) -> None:
    place.alert("CustomersToBeTold")
    place.passes(MINUTE)
    place.says(verb, by)
    assert (place.run("tell-customers", 2 * HOUR).phase, site.written) == (RunPhase.REFUSED, [])


def test_nobody_is_written_to_twice_within_the_hour(
    place: Carried, site: AdminStandin, supabase: SupabaseStandin
) -> None:
    place.alert("CustomersToBeTold")
    place.passes(MINUTE)
    supabase.database.execute("insert into audit values ('customer.notified', 'u1')")
    place.says(Verb.APPROVE, "commander")
    assert (place.run("tell-customers").phase, site.written) == (RunPhase.STOPPED, [])


def test_a_site_that_takes_it_and_tells_nobody_is_no_success(place: Carried, site: AdminStandin) -> None:
    place.alert("CustomersToBeTold")
    place.passes(MINUTE)
    place.says(Verb.APPROVE, "press")
    assert (place.run("tell-customers").phase, len(site.written)) == (RunPhase.FAILED, 1)


def test_what_is_said_in_public_is_a_persons_to_say(place: Carried, site: AdminStandin) -> None:
    place.alert("PublicStatementDue")
    assert place.run("public-statement").phase is RunPhase.HANDED_OVER
    (task,) = place.incident.followups
    assert ("3 of 3 looks" in task.text, task.to) == (True, [("contact", "press")])
    assert site.changes == []


def test_a_report_is_drafted_for_the_commander_to_finish(
    place: Carried, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_URL", redis_url)
    place.alert("StatusPageDue")
    place.run("status-page")
    redis.hset(Keys().state("incident"), place.incident.id, encode(place.incident))
    place.says(Verb.RUN, "press", "incident-report")
    run = place.run("incident-report")
    assert run.phase is RunPhase.HANDED_OVER
    assert place.found(run, "report")["draft"].startswith(f"# {place.incident.id}: StatusPageDue")
    task = place.incident.followups[-1]
    assert ("SEV-3" in task.text, task.to) == (True, [("contact", "commander")])
