"""The runbooks of security, as they ship: a site that really blocks, a Supabase that really answers."""

import json
from collections.abc import Iterator

import pytest
import shipped
from admin_standin import TOKEN as ADMIN_TOKEN
from admin_standin import AdminStandin
from carrying import Carried
from redis import Redis
from supabase_standin import REF, TOKEN, SupabaseStandin, secret_of

from ledger.clock import now_ms
from routing.entry import SwitchSet, Verb
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import RunPhase

THIEF = "8.8.8.8"
KEY, NEXT = "default_secret", "default_secret_next"
SCHEMA = """
create table audit (user_id text, action text, ip text, at integer);
create table signed_in (at_ms integer);
"""
ASKED = {
    "address_actions": """\
          select count(*) as actions, count(distinct user_id) as users from audit
          where ip = $1 and at > unixepoch() - 60 * $2
""",
    "affected_users": """\
          select count(*) as count, json_group_array(id) as ids from (
            select distinct user_id as id from audit where ip = $1 and at > unixepoch() - 60 * $2
            except select user_id from audit where action = 'customer.notified')
""",
    "open_sessions": """\
          select count(*) as open from signed_in where at_ms < $1
""",
}
"""What PostgreSQL is asked in earnest, SQLite does not know."""


@pytest.fixture
def supabase() -> Iterator[SupabaseStandin]:
    with SupabaseStandin(schema=SCHEMA) as made:
        yield made


@pytest.fixture
def site() -> Iterator[AdminStandin]:
    with AdminStandin() as made:
        yield made


@pytest.fixture
def place(redis: Redis, supabase: SupabaseStandin, site: AdminStandin) -> Carried:
    return carried(redis, supabase, site)


def carried(redis: Redis, supabase: SupabaseStandin, site: AdminStandin, spared: str = "none") -> Carried:
    environ = {
        "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url,
        "ADMIN_TOKEN": ADMIN_TOKEN, "TOCSIN_SITE_URL": site.url, "TOCSIN_ALLOW_PRIVATE": "true",
        "TOCSIN_NEVER_BLOCK": spared, "SUPABASE_URL": supabase.url,
        "SUPABASE_SECRET_KEY": secret_of(supabase.project.keys[0]),
    }  # fmt: skip
    edits = [(asked_by(name), f"        sql: |\n{asked}") for name, asked in ASKED.items()]
    return Carried(redis, environ, {"actions.yaml": (*edits, ("keys: {default:", f"keys: {{{KEY}:"))})


def asked_by(query: str) -> str:
    text = shipped.files()["config/actions.yaml"]
    begins = text.index("        sql:", text.index(f"      {query}:"))
    return text[begins : text.index("        params:", begins)]


def steals(supabase: SupabaseStandin, ip: str = THIEF, *, seconds_ago: int = 600, times: int = 50) -> None:
    at = now_ms() // 1000 - seconds_ago
    supabase.database.executemany(
        "insert into audit values (?, 'booking.read', ?, ?)", [(f"u{n % 3}", ip, at) for n in range(times)]
    )


def test_a_thief_is_kept_out_for_a_day_while_people_are_paged(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    steals(supabase)
    place.alert("DataBreach", ip=THIEF)
    run = place.run("breach")
    assert (run.phase, site.blocked) == (RunPhase.SUCCEEDED, {THIEF})
    assert place.found(run, "seen")["rows"] == [{"actions": 50, "users": 3}]
    assert set(place.incident.paged) >= {"security"}
    assert place.incident.resolved_at == 0
    assert THIEF in place.incident.followups[0].text
    place.passes(23 * HOUR)
    assert site.blocked == {THIEF}
    place.passes(2 * HOUR)
    assert site.blocked == set()


def test_a_thief_who_goes_on_all_the_same_is_told(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    steals(supabase, seconds_ago=5)
    place.alert("DataBreach", ip=THIEF)
    run = place.run("breach")
    assert (run.phase, site.blocked, "during verify" in run.why) == (RunPhase.FAILED, {THIEF}, True)


@pytest.mark.parametrize(
    ("signed_in", "phase"), [(THIEF, RunPhase.SUCCEEDED), ("18.8.8.8", RunPhase.STOPPED)]
)
def test_an_address_that_only_tries_to_sign_in_is_known_by_the_sign_in_logs(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin, signed_in: str, phase: RunPhase
) -> None:
    said = json.dumps(
        {"error": "400: Invalid login credentials", "remote_addr": signed_in}, separators=(",", ":")
    )
    supabase.project.logs["auth_logs"] = [(now_ms() - MINUTE, said)] * 60
    place.alert("SuspiciousLogins", ip=THIEF)
    assert (place.run("breach").phase, THIEF in site.blocked) == (phase, phase is RunPhase.SUCCEEDED)


@pytest.mark.parametrize("ip", ["9.9.9.9", "1.1.1.1"])
def test_an_address_that_was_never_here_is_left_alone(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin, ip: str
) -> None:
    steals(supabase)
    place.alert("SuspiciousQueries", ip=ip)
    run = place.run("breach")
    assert (run.phase, site.changes) == (RunPhase.STOPPED, [])


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.9",
        "::ffff:10.0.0.9",
        "8.8.4.4",
        "::ffff:8.8.4.4",
        "127.0.0.1",
        "2620:fe::9",
        "169.254.169.254",
    ],
)
def test_nobody_has_our_own_addresses_blocked(
    redis: Redis, supabase: SupabaseStandin, site: AdminStandin, ip: str
) -> None:
    place = carried(redis, supabase, site, spared="8.8.4.0/24, 2620:fe::/48")
    steals(supabase, ip)
    place.alert("DataBreach", ip=ip)
    run = place.run("breach")
    assert (run.phase, site.changes) == (RunPhase.REFUSED, [])


def test_nobody_is_blocked_before_somebody_has_said_whom_to_spare(
    redis: Redis, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    place = carried(redis, supabase, site, spared="")
    steals(supabase)
    place.alert("DataBreach", ip=THIEF)
    run = place.run("breach")
    assert (run.phase, "TOCSIN_NEVER_BLOCK" in run.why, site.changes) == (RunPhase.REFUSED, True, [])


@pytest.mark.parametrize(
    "ip", ["$(reboot)", "' or true --", "8.8.8.8/8", "{{ incident.id }}", "8" * 64, "8.8.8.8\n9.9.9.9"]
)
def test_what_is_no_address_reaches_the_site_in_no_form(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin, ip: str
) -> None:
    steals(supabase, ip)
    place.alert("DataBreach", ip=ip)
    run = place.run("breach")
    assert (run.phase, site.calls) == (RunPhase.FAILED, [])


def test_nobody_is_blocked_while_automation_is_stopped(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    steals(supabase)
    place.simulation.feed(SwitchSet(at=place.simulation.now, by="anna", name="kill", on=True))
    place.alert("DataBreach", ip=THIEF)
    place.passes(10 * MINUTE)
    assert (site.calls, place.runs[-1].phase) == ([], RunPhase.REFUSED)


# Keys


def agrees(place: Carried, *people: str) -> None:
    place.passes(10 * SECOND)
    for each in people:
        place.says(Verb.APPROVE, each)
        place.passes(5 * SECOND)


def test_a_stolen_key_gets_a_successor_beside_it(place: Carried, supabase: SupabaseStandin) -> None:
    place.alert("CredentialsStolen", key=KEY)
    place.passes(5 * MINUTE)
    assert supabase.changes == []
    agrees(place, "security")
    run = place.run("rotate-key")
    assert (run.phase, place.found(run, "verify")["works"]) == (RunPhase.SUCCEEDED, True)
    assert [each["name"] for each in supabase.project.keys] == [KEY, NEXT]
    assert (place.incident.resolved_at, NEXT in place.incident.followups[0].text) == (0, True)


def test_the_old_key_gets_a_401_once_the_new_one_is_in_use(place: Carried, supabase: SupabaseStandin) -> None:
    old, new = supabase.project.keys[0], {**supabase.project.keys[0], "id": "2", "name": NEXT}
    supabase.project.keys.append(new)
    place.alert("KeyReplaced", key=KEY)
    agrees(place, "cto")
    run = place.run("revoke-key")
    assert run.phase is RunPhase.SUCCEEDED
    assert place.found(run, "keys")["refused_status"] == 200
    assert place.found(run, "verify")["refused_status"] == 401
    assert (supabase.project.keys, supabase.project.compromised) == ([new], [KEY])
    kept = repr([run, place.incident, place.simulation.moments])
    assert secret_of(old) not in kept
    assert secret_of(new) not in kept


@pytest.mark.parametrize(("kind", "people", "why"), [
    ("KeyReplaced", (), "locked out"),
    ("CredentialsStolen", (), "no answer means no"),
    ("CredentialsStolen", ("press", "commander"), "no answer means no"),
])  # fmt: skip
def test_no_key_is_touched_without_a_successor_or_a_yes(
    place: Carried, supabase: SupabaseStandin, kind: str, people: tuple[str, ...], why: str
) -> None:
    place.alert(kind, key=KEY)
    agrees(place, *people)
    place.passes(HOUR)
    run = place.runs[-1]
    assert (run.phase.over, why in run.why, supabase.changes) == (True, True, [])


def test_a_key_that_nobody_has_is_no_key(place: Carried, supabase: SupabaseStandin) -> None:
    for key in ("none_such", "../keys", "x" * 70, "{{ now }}"):
        place.alert("SecretExposed", key=key)
        place.passes(HOUR)
    assert {run.phase for run in place.runs if run.runbook == "rotate-key"} == {RunPhase.STOPPED}
    assert supabase.changes == []


# Sessions, and who has to be told


def test_everybody_signs_in_again_once_somebody_has_agreed(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    supabase.database.execute("insert into signed_in values (1000), (2000)")
    place.alert("SessionsStolen")
    place.passes(5 * MINUTE)
    assert site.resets == []
    agrees(place, "security")
    assert site.resets == ["everyone"]
    place.passes(MINUTE)
    assert place.runs[-1].phase is RunPhase.VERIFY
    supabase.database.execute("delete from signed_in")
    supabase.database.execute("insert into signed_in values (?)", [now_ms() + HOUR])
    assert place.run("end-sessions").phase is RunPhase.SUCCEEDED
    assert "access tokens" in place.incident.followups[0].text


def test_sessions_that_go_on_are_told(place: Carried, supabase: SupabaseStandin, site: AdminStandin) -> None:
    supabase.database.execute("insert into signed_in values (1000)")
    place.alert("SessionsStolen")
    agrees(place, "cto")
    assert (place.run("end-sessions").phase, site.resets) == (RunPhase.FAILED, ["everyone"])


def test_whose_data_was_read_is_told_once_by_two_who_agree(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    steals(supabase, times=7)
    place.alert("CustomersAffected", ip=THIEF)
    agrees(place, "ceo")
    assert site.written == []
    agrees(place, "press")
    (mail,) = site.written
    assert (sorted(mail["users"]), mail["type"]) == (["u0", "u1", "u2"], "email")
    supabase.database.execute(
        "insert into audit select distinct user_id, 'customer.notified', '', unixepoch() from audit"
    )
    assert place.run("notify-affected", 2 * HOUR).phase is RunPhase.SUCCEEDED
    assert "3 customers were told" in place.incident.followups[0].text
    place.alert("CustomersAffected", ip=THIEF)
    place.passes(HOUR)
    assert len(site.written) == 1


@pytest.mark.parametrize("ip", ["9.9.9.9", "' or 1=1 --"])
def test_nobody_is_written_to_of_whom_nothing_is_known(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin, ip: str
) -> None:
    steals(supabase)
    place.alert("CustomersAffected", ip=ip)
    assert (place.run("notify-affected").phase, site.calls) == (RunPhase.STOPPED, [])


def test_more_are_affected_than_was_agreed_to_so_they_are_asked_again(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    steals(supabase, times=2)
    place.alert("CustomersAffected", ip=THIEF)
    agrees(place, "ceo")
    steals(supabase, times=3)
    agrees(place, "press")
    assert (place.runs[-1].phase, site.written) == (RunPhase.WAITING, [])


def test_without_an_address_who_did_what_is_handed_to_the_security_officer(
    place: Carried, supabase: SupabaseStandin, site: AdminStandin
) -> None:
    supabase.project.logs["postgres_logs"] = [
        (now_ms() - MINUTE, "permission denied for table customers")
    ] * 4
    place.alert("SuspiciousQueries")
    run = place.run("breach-evidence")
    assert run.phase is RunPhase.HANDED_OVER
    (task,) = place.incident.followups
    assert task.to == [("contact", "security")]
    assert task.text.startswith("SuspiciousQueries: read what was found")
    assert "0 sign-ins in vain, 4 queries that were denied, (not known) new errors" in task.text
    assert (site.calls, supabase.changes) == ([], [])
