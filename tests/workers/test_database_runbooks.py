"""The database's runbooks as they ship, one after another, on a real server whose connections run out."""

from collections.abc import Iterator

import pytest
import shipped
from acting import act
from carrying import Carried
from redis import Redis
from shop import BLIND, WEB, AnyConnection, Shop, alive
from site_standin import SiteStandin
from supabase_standin import REF, TOKEN, SupabaseStandin
from vendor_server import Asked, Reply
from working import until

from routing.entry import Verb
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import RunPhase

QUICK = (
    ("idle_older_than_s: 3600", "idle_older_than_s: 1"),
    ("active_longer_than_s: 300", "active_longer_than_s: 1"),
)
BUSY, IDLE = 72, 11


class SlowSite(SiteStandin):
    """It waits for the database while these are at their queries."""

    busy: tuple[AnyConnection, ...] = ()

    def answer(self, asked: Asked) -> Reply:
        self.slow_s = 0.4 if working(self.busy) else 0
        return super().answer(asked)


def working(busy: tuple[AnyConnection, ...]) -> list[AnyConnection]:
    """Those whose query the server has not ended."""
    for each in busy:
        each.pgconn.consume_input()
    return [each for each in busy if each.pgconn.is_busy()]


def there(shop: Shop, sessions: list[AnyConnection]) -> int:
    """How many of them the server still knows."""
    pids = [each.info.backend_pid for each in sessions]
    return len(shop.owner.execute("SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)", [pids]).fetchall())


@pytest.fixture
def supabase() -> Iterator[SupabaseStandin]:
    with SupabaseStandin(
        schema="create table server (percent float); insert into server values (87.0);"
    ) as made:
        made.project.pool_size = 20
        yield made


@pytest.fixture
def site() -> Iterator[SlowSite]:
    with SlowSite() as made:
        yield made


@pytest.fixture
def place(redis: Redis, shop: Shop, supabase: SupabaseStandin, site: SlowSite) -> Carried:
    """Seconds are as old as hours; SQLite is asked what it understands."""
    text = shipped.files()["config/actions.yaml"]
    asked = text[text.index("          select count(*)::int as used") : text.index("      long_running:")]
    environ = {
        "POSTGRES_URL": shop.url, "TOCSIN_SITE_URL": site.url, "TOCSIN_ALLOW_PRIVATE": "true",
        "SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url,
    }  # fmt: skip
    edits = {
        "actions.yaml": (
            (asked, "          select percent from server\n"), ("app_roles: [authenticator]", f"app_roles: [{WEB}]"),
        ),
        "runbooks/database-connections.yaml": (*QUICK, ("{older_than_s: 3600", "{older_than_s: 1")),
        "runbooks/database-queries.yaml": (*QUICK, ("{older_than_s: 300", "{older_than_s: 1")),
        "runbooks/long-queries.yaml": (
            QUICK[1], ("{older_than_s: 300", "{older_than_s: 1"), ("every_ms: 500", "every_ms: 1"),
            ("max_ms: 2000", "max_ms: 300"), ("max_ms: 5000", "max_ms: 300"),
        ),
        "runbooks/slow-site.yaml": (("every_ms: 500", "every_ms: 1"), ("over_s: 10", "over_s: 1")),
    }  # fmt: skip
    return Carried(redis, environ, edits)


def aged(shop: Shop, busy: int, idle: int = 0) -> None:
    def old() -> bool:
        found = act("connections", shop.step(), idle_older_than_s=1, active_longer_than_s=1)
        return bool(found["active_long"] >= busy and found["endable"] >= idle)

    until(old)


def ran(place: Carried) -> list[tuple[str, RunPhase]]:
    return [(each.runbook, each.phase) for each in place.runs]


def test_where_idle_sessions_are_not_enough_queries_that_never_end_are_ended_too(
    place: Carried, shop: Shop
) -> None:
    others = shop.busy(1, user=BLIND)
    busy, idle = shop.busy(BUSY - 1), shop.open(IDLE)
    aged(shop, BUSY, IDLE)
    place.alert("DatabaseConnections")
    run = place.run("database-queries")
    assert ran(place) == [("database-connections", RunPhase.FAILED), ("database-queries", RunPhase.SUCCEEDED)]
    assert (alive(idle), len(working(tuple(busy)))) == ([], BUSY - 6)
    assert len(working(tuple(others))) == 1, "only the application's are ended"
    assert place.incident.resolved_by == "runbook database-queries"
    assert place.found(run, "end_queries")["ended"] == 5


def test_where_nothing_helps_a_larger_machine_is_asked_for_and_the_pool_left_alone(
    place: Carried, shop: Shop, supabase: SupabaseStandin
) -> None:
    shop.busy(BUSY + 12)
    aged(shop, BUSY + 12)
    place.alert("DatabaseConnections")
    place.passes(9 * MINUTE)
    assert ran(place) == [
        ("database-connections", RunPhase.STOPPED),
        ("database-queries", RunPhase.FAILED),
        ("pool-size", RunPhase.STOPPED),
        ("server-size", RunPhase.WAITING),
    ]
    assert supabase.changes == []
    place.says(Verb.APPROVE, "cto")
    place.passes(10 * SECOND)
    assert supabase.project.compute == "ci_medium"
    supabase.database.execute("update server set percent = 30")
    assert place.run("server-size").phase is RunPhase.SUCCEEDED


def test_queries_that_slow_the_site_are_cancelled_and_nobody_is_paged(
    place: Carried, shop: Shop, site: SlowSite
) -> None:
    busy = shop.busy(2)
    site.busy = tuple(busy)
    aged(shop, 2)
    place.alert("HighResponseTime", service="database")
    assert place.run("long-queries").phase is RunPhase.SUCCEEDED
    assert (working(tuple(busy)), there(shop, busy)) == ([], 2), "their sessions live on"
    assert place.incident.paged == []


def test_a_slow_site_whose_queries_are_short_is_handed_over_with_what_was_measured(
    place: Carried, site: SlowSite
) -> None:
    site.healthy = False
    place.alert("HighResponseTime", service="database")
    run = place.run("slow-site", HOUR)
    assert ran(place) == [("long-queries", RunPhase.STOPPED), ("slow-site", RunPhase.HANDED_OVER)]
    assert place.found(run, "sessions")["max"] == 100
    assert "then Find out where the time goes: handed over" in place.incident.tried
    assert place.incident.paged
