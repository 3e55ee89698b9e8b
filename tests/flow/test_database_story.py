"""A database in trouble, and a whole Tocsin with the shipped runbooks: a real PostgreSQL, real sessions, a real dump."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shipped
from postgres_server import PostgresServer, running_postgres
from shop import TOCSIN, WEB, Shop, alive, make_roles, opened_shop
from stage import Stage, stage, until
from town import changed

from ledger.views import Store, incidents
from ledger.views.incidents import Wanted

ENDED = "remediate.answered@postgres.end_idle"
"""Where a worker dies that has ended sessions and told nobody yet."""

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("database")]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(max_connections=100, reserved_connections=3) as found:
        make_roles(found)
        yield found


OLD_S = 2
"""What has lasted so long is old to the runbooks, for which a second is."""


@pytest.fixture(scope="module")
def place(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The shipped runbooks, in seconds instead of hours and minutes."""
    room = tmp_path_factory.mktemp("place")
    files = {name.removeprefix("config/"): text for name, text in shipped.files().items()}
    quick = (("every: 15s", "every: 1s"), ("for: 2m", "for: 2s"))
    config = {
        "actions.yaml": changed(
            files["actions.yaml"],
            ("dump_schemas:", f"programs: {server.programs}\n    dump_schemas:"),
            ("app_roles: [authenticator]", f"app_roles: [{WEB}]"),
        ),
        "runbooks/database-connections.yaml": changed(
            files["runbooks/database-connections.yaml"], *quick,
            ("cooldown: 10m", "cooldown: 1s"), ("idle_older_than_s: 3600", "idle_older_than_s: 1"),
            ("{older_than_s: 3600", "{older_than_s: 1"), ("timeout: 30s", "timeout: 5s"),
        ),
        "runbooks/slow-queries.yaml": changed(
            files["runbooks/slow-queries.yaml"], *quick, ("over_s: 10", "over_s: 1"),
            ("active_longer_than_s: 300", "active_longer_than_s: 1"), ("{older_than_s: 300", "{older_than_s: 1"),
        ),
    }  # fmt: skip
    environ = {
        "POSTGRES_URL": server.url(user=TOCSIN),
        "POSTGRES_SCRATCH_URL": server.url(user=TOCSIN, database="postgres"),
        "POSTGRES_DUMPS": str(room / "dumps"),
        "TOCSIN_FAULT": ENDED,
        "TOCSIN_FAULT_DIR": str(room),
    }
    with stage(room, environ, config) as made:
        yield made


@pytest.fixture
def shop(server: PostgresServer) -> Iterator[Shop]:
    with opened_shop(server) as found:
        yield found


def repaired(place: Stage, kind: str) -> dict[str, Any]:
    """Alertmanager reports it; the incident, once a runbook has resolved it."""
    place.send("alertmanager", "firing", "--set", f"alerts.0.labels.alertname={kind}")
    store = Store(place.redis, place.keys, place.data_dir / "archive.db")
    found: dict[str, Any] = {}

    def resolved() -> bool:
        rows = incidents.page(store, Wanted(service="database"), 10).rows
        shown = (incidents.detail(whole) for row in rows if (whole := store.whole(row["id"])))
        ours = (each for each in shown if kind in {alert["kind"] for alert in each["alerts"]})
        found.update(next(ours, {}))
        return found.get("status") == "resolved"

    until(resolved, 40, lambda: "\n".join(f"{one['at']} {one['what']}" for one in found.get("timeline", ())))
    return found


def output(incident: dict[str, Any], step: str) -> dict[str, Any]:
    (run,) = incident["runs"]
    found: dict[str, Any] = next(each["output"] for each in run["steps"] if each["id"] == step)
    return found


def test_idle_sessions_fill_the_database_and_are_ended_and_who_works_is_not(place: Stage, shop: Shop) -> None:
    idle, busy = shop.open(85), shop.busy(3)
    shop.age(OLD_S)
    found = repaired(place, "DatabaseConnections")
    assert found["resolved_by"] == "runbook database-connections"
    assert found["paged"] == []
    ended = output(found, "end_idle")
    assert (ended["ended"], ended["left"], ended["affects"]) == (20, 0, 20)
    assert output(found, "before")["percent"] >= 80
    assert output(found, "verify")["percent"] < 70
    assert len(alive(idle)) == 65
    assert [each.pgconn.is_busy() for each in busy] == [1, 1, 1]
    assert shop.owner.execute("SELECT 1").fetchone() == (1,)


def test_a_worker_that_dies_when_it_has_ended_sessions_costs_no_more_than_it_takes(
    place: Stage, shop: Shop
) -> None:
    idle, busy = shop.open(85), shop.busy(3)
    shop.age(OLD_S)
    (place.room / ENDED).touch()
    found = repaired(place, "DatabaseConnectionLimit")
    assert list(place.room.glob(f"{ENDED}.*")), "it died"
    assert found["resolved_by"] == "runbook database-connections"
    again = output(found, "end_idle")
    assert (again["found"], again["ended"]) == (65, 5)
    assert len(alive(idle)) == 60
    assert [each.pgconn.is_busy() for each in busy] == [1, 1, 1]


def test_a_query_that_never_ends_is_cancelled_and_statistics_are_brought_up_to_date(
    place: Stage, shop: Shop
) -> None:
    shop.owner.execute("CREATE TABLE orders AS SELECT n FROM generate_series(1, 10000) AS n")
    shop.owner.execute(f"ALTER TABLE orders OWNER TO {TOCSIN}")
    shop.owner.execute("SELECT pg_stat_force_next_flush()")
    (long,) = shop.busy(1)
    shop.age(OLD_S)
    found = repaired(place, "SlowQueries")
    assert found["resolved_by"] == "runbook slow-queries"
    assert output(found, "cancel_long")["ended"] == 1
    assert output(found, "analyze")["analyzed"] == ["public.orders"]
    result = long.pgconn.get_result()
    assert result is not None
    assert b"user request" in result.error_message


def test_a_failed_backup_is_made_up_for_and_proven(place: Stage, shop: Shop) -> None:
    shop.owner.execute("CREATE TABLE orders AS SELECT n, n / 3.0 AS price FROM generate_series(1, 1000) AS n")
    shop.owner.execute("GRANT SELECT ON orders TO PUBLIC")
    shop.owner.execute(f"ALTER ROLE {TOCSIN} CREATEDB")
    found = repaired(place, "BackupFailed")
    assert found["resolved_by"] == "runbook backup"
    dump = output(found, "dump")
    assert (dump["verified"], dump["tables"], dump["rows"]) == (True, 1, 1_000)
    file = Path(place.environ["POSTGRES_DUMPS"]) / dump["file"]
    assert file.stat().st_size == dump["bytes"]
