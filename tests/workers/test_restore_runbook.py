"""Going back in time, as it ships: a Supabase that goes offline meanwhile, and a real database that is checked."""

from collections.abc import Iterator

import pytest
from carrying import Carried
from redis import Redis
from shop import TOCSIN, Shop
from supabase_standin import REF, TOKEN, SupabaseStandin

from ledger.clock import now_ms
from routing.entry import Verb
from routing.instant import HOUR, MINUTE, SECOND, iso
from routing.run import RunPhase

POINT, PITR = "POST database/backups/restore-point", "POST database/backups/restore-pitr"
CHECKS = "checks: {lost: SELECT 1 FROM bookings HAVING count(*) < 3}"


@pytest.fixture
def supabase() -> Iterator[SupabaseStandin]:
    with SupabaseStandin() as made:
        now_s = now_ms() // 1000
        made.project.pitr, made.project.point_looks = True, 1
        made.project.physical = {
            "earliest_physical_backup_date_unix": now_s - 7 * 86_400,
            "latest_physical_backup_date_unix": now_s - 60,
        }
        yield made


@pytest.fixture
def bookings(shop: Shop) -> Shop:
    """Two of three are left."""
    shop.owner.execute("CREATE TABLE bookings (id int)")
    shop.owner.execute("INSERT INTO bookings VALUES (1), (2)")
    shop.owner.execute(f"GRANT SELECT ON bookings TO {TOCSIN}")
    return shop


@pytest.fixture
def place(redis: Redis, supabase: SupabaseStandin, bookings: Shop) -> Carried:
    return carried(redis, supabase, bookings, CHECKS)


def carried(redis: Redis, supabase: SupabaseStandin, shop: Shop, checks: str) -> Carried:
    environ = {
        "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url,
        "POSTGRES_URL": shop.url,
    }  # fmt: skip
    return Carried(redis, environ, {"actions.yaml": (("checks: {}", checks),)})


def lose(place: Carried, minutes_ago: int = 30) -> None:
    place.alert("DataLoss", restore_to=iso(now_ms() - minutes_ago * MINUTE))
    place.passes(10 * SECOND)


def agree(place: Carried, *people: str) -> None:
    for each in people:
        place.says(Verb.APPROVE, each)
        place.passes(5 * SECOND)


def test_with_two_who_agree_the_database_goes_back_after_a_restore_point(
    place: Carried, supabase: SupabaseStandin, bookings: Shop
) -> None:
    lose(place)
    agree(place, "commander", "cto")
    assert supabase.changes == [POINT, PITR]
    assert supabase.project.points == {"INC-1-r1": "AVAILABLE"}
    assert abs(supabase.project.restored_to[0] * 1000 - now_ms() + 30 * MINUTE) < MINUTE
    place.passes(20 * MINUTE)
    assert place.runs[-1].phase is RunPhase.VERIFY
    bookings.owner.execute("INSERT INTO bookings VALUES (3)")
    supabase.project.status = "ACTIVE_HEALTHY"
    run = place.run("restore", 4 * HOUR)
    assert (run.phase, place.incident.resolved_by) == (RunPhase.SUCCEEDED, "runbook restore")
    assert "30 minutes of data are gone" in place.incident.followups[0].text


def test_a_restore_that_brings_nothing_back_is_told(place: Carried, supabase: SupabaseStandin) -> None:
    lose(place)
    agree(place, "commander", "cto")
    run = place.run("restore", 5 * HOUR)
    assert (run.phase, supabase.changes, place.incident.resolved_at) == (RunPhase.FAILED, [POINT, PITR], 0)


@pytest.mark.parametrize(
    "people", [(), ("commander",), ("cto", "cto"), ("cto", "press"), ("anonymous", "cto")]
)
def test_without_two_who_were_asked_nothing_is_restored(
    place: Carried, supabase: SupabaseStandin, people: tuple[str, ...]
) -> None:
    lose(place)
    agree(place, *people)
    run = place.run("restore", 3 * HOUR)
    assert (run.phase, "no answer means no" in run.why, supabase.changes) == (RunPhase.REFUSED, True, [])


@pytest.mark.parametrize(
    ("minutes_ago", "why"),
    [(30 * 1440, "to that instant"), (2 * 1440, "more than a day"), (0, "to that instant")],
)
def test_nobody_is_asked_for_an_instant_that_is_out_of_reach_or_too_far_back(
    place: Carried, supabase: SupabaseStandin, minutes_ago: int, why: str
) -> None:
    lose(place, minutes_ago)
    run = place.run("restore")
    assert (run.phase, why in run.why, run.approval, supabase.changes) == (RunPhase.STOPPED, True, None, [])


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-11-28T09:00", "'; drop table bookings; --", "{{ now }}", "9" * 30]
)
def test_what_is_no_instant_restores_nothing(place: Carried, supabase: SupabaseStandin, text: str) -> None:
    place.alert("DataLoss", restore_to=text)
    assert (place.run("restore").phase, supabase.changes) == (RunPhase.STOPPED, [])


def test_data_that_is_well_is_not_taken_back(
    place: Carried, supabase: SupabaseStandin, bookings: Shop
) -> None:
    bookings.owner.execute("INSERT INTO bookings VALUES (3)")
    lose(place)
    run = place.run("restore")
    assert (run.phase, "must fail now" in run.why, supabase.changes) == (RunPhase.STOPPED, True, [])


def test_it_healed_while_the_second_yes_was_waited_for(
    place: Carried, supabase: SupabaseStandin, bookings: Shop
) -> None:
    lose(place)
    agree(place, "commander")
    bookings.owner.execute("INSERT INTO bookings VALUES (3)")
    agree(place, "cto")
    assert (place.run("restore").phase, supabase.changes) == (RunPhase.STOPPED, [])


def test_without_checks_nothing_is_restored(redis: Redis, supabase: SupabaseStandin, bookings: Shop) -> None:
    place = carried(redis, supabase, bookings, "checks: {}")
    lose(place)
    assert (place.run("restore").phase, supabase.changes) == (RunPhase.STOPPED, [])


def test_nothing_is_restored_without_a_restore_point(place: Carried, supabase: SupabaseStandin) -> None:
    lose(place)
    supabase.project.points["INC-1-r1"] = "FAILED"
    agree(place, "commander", "cto")
    run = place.run("restore", 2 * HOUR)
    assert (run.phase, supabase.changes) == (RunPhase.FAILED, [])
