"""The runbooks of security, as they ship: a site that really blocks, a Supabase that really answers."""

from collections.abc import Iterator

import pytest
import shipped
from admin_standin import TOKEN as ADMIN_TOKEN
from admin_standin import AdminStandin
from carrying import Carried
from redis import Redis
from supabase_standin import REF, TOKEN, SupabaseStandin

from ledger.clock import now_ms
from routing.entry import SwitchSet
from routing.instant import HOUR, MINUTE
from routing.run import RunPhase

THIEF = "8.8.8.8"
SCHEMA = "create table audit (user_id text, action text, ip text, at integer)"
ADDRESS_ACTIONS = """\
          select count(*) as actions, count(distinct user_id) as users from audit
          where ip = $1 and at > unixepoch() - 60 * $2
"""


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
    """What PostgreSQL is asked in earnest, SQLite does not know."""
    text = shipped.files()["config/actions.yaml"]
    begins = text.index("          select", text.index("      address_actions:"))
    asked = text[begins : text.index("        params", begins)]
    environ = {
        "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url,
        "ADMIN_TOKEN": ADMIN_TOKEN, "TOCSIN_SITE_URL": site.url, "TOCSIN_ALLOW_PRIVATE": "true",
        "TOCSIN_NEVER_BLOCK": spared,
    }  # fmt: skip
    return Carried(redis, environ, {"actions.yaml": ((asked, ADDRESS_ACTIONS),)})


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
