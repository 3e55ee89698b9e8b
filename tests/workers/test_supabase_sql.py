"""The SQL that the shipped configuration names for Supabase, on a real PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.rows import dict_row
from shop import TOCSIN, WEB, Shop, alive
from working import until

from ledger.clock import now_ms
from routing.instant import HOUR, MINUTE
from workers.actions.supabase import Settings
from workers.supabase.statements import Query, Value

SHIPPED = yaml.safe_load((Path(__file__).parents[2] / "config/actions.yaml").read_text())["actions"][
    "supabase"
]
SQL = Settings.model_validate({name: SHIPPED[name] for name in ("queries", "statements")})
NEEDED: dict[str, Value] = {"role": WEB, "ip": "8.8.8.8"}
SIGNED_IN = """
drop schema if exists auth cascade; create schema auth;
create table auth.sessions (id uuid, created_at timestamptz)
"""
AUDIT = "create table audit_logs (user_id uuid, action text, created_at timestamptz, metadata jsonb)"


def run(shop: Shop, query: Query, **values: Value) -> list[dict[str, Any]]:
    """Values go as texts of no type, as Supabase sends them: what they are the statement says."""
    given = {param.name: param.default for param in query.params} | NEEDED | values
    cursor = psycopg.RawCursor(shop.owner, row_factory=dict_row)
    cursor.execute(query.sql.encode(), [str(given[param.name]) for param in query.params])
    return cursor.fetchall()


@pytest.mark.parametrize("name", SQL.queries)
def test_every_query_that_is_shipped_runs(shop: Shop, name: str) -> None:
    shop.owner.execute("create table bookings (id int primary key)")
    shop.owner.execute(AUDIT)
    shop.owner.execute(SIGNED_IN)
    rows = run(shop, SQL.queries[name])
    if name.startswith("none_"):
        assert rows == [{"done": True}]
    if name == "largest_tables":
        assert "bookings" in {row["name"] for row in rows}


def test_connections_are_counted_as_a_share_of_what_the_server_takes(shop: Shop) -> None:
    (before,) = run(shop, SQL.queries["connections"])
    shop.open(10)
    (found,) = run(shop, SQL.queries["connections"])
    assert (found["used"] - before["used"], found["idle"] - before["idle"]) == (10, 10)
    assert found["percent"] == pytest.approx(100 * found["used"] / found["most"], abs=0.1)


def test_queries_that_take_long_are_told_with_who_asks(shop: Shop) -> None:
    shop.busy(1)
    until(lambda: run(shop, SQL.queries["long_running"], longer_than_s=0))
    (found,) = run(shop, SQL.queries["long_running"], longer_than_s=0)
    assert (found["role"], found["query"]) == (WEB, "SELECT pg_sleep(60)")


def test_idle_sessions_are_ended_up_to_the_limit_and_nobody_elses(shop: Shop) -> None:
    idle, busy = shop.open(3), shop.busy(1)
    until(lambda: run(shop, SQL.queries["long_running"], longer_than_s=0))
    end, done = SQL.statements["end_idle"], SQL.queries["none_idle"]
    before = run(shop, SQL.queries["connections"])[0]["idle"]
    assert run(shop, end, idle_s=3600) == [{"found": 0, "affected": 0}]
    assert run(shop, done, idle_s=0) == [{"done": False}]
    assert run(shop, end, idle_s=0, limit=2) == [{"found": 2, "affected": 2}]
    until(lambda: run(shop, SQL.queries["connections"])[0]["idle"] == before - 2)
    assert len(alive(idle)) == 1
    assert run(shop, end, idle_s=0) == [{"found": 1, "affected": 1}]
    until(lambda: run(shop, done, idle_s=0) == [{"done": True}])
    assert busy[0].pgconn.is_busy()


def test_what_an_address_did_is_counted_and_everybody_elses_is_not(shop: Shop) -> None:
    shop.owner.execute(AUDIT)
    for who, ip, hours in (
        ("1", "8.8.8.8", 1),
        ("1", "8.8.8.8", 2),
        ("2", "8.8.8.8", 3),
        ("3", "9.9.9.9", 1),
        ("4", "8.8.8.8", 30),
    ):
        shop.owner.execute(
            "insert into audit_logs values (%s, 'booking.read', now() - make_interval(hours => %s), %s)",
            [f"00000000-0000-0000-0000-00000000000{who}", hours, json.dumps({"ip": ip})],
        )
    (found,) = run(shop, SQL.queries["address_actions"], ip="8.8.8.8")
    assert (found["actions"], found["users"]) == (3, 2)
    assert found["last_at"] - found["first_at"] == pytest.approx(2 * HOUR, abs=MINUTE)
    (none,) = run(shop, SQL.queries["address_actions"], ip="' or true --")
    assert none == {"actions": 0, "users": 0, "first_at": None, "last_at": None}
    (found,) = run(shop, SQL.queries["audit_actions"])
    assert (found["action"], found["times"], found["users"]) == ("booking.read", 4, 3)


def test_whose_data_an_address_got_at_is_known_until_they_were_told(shop: Shop) -> None:
    shop.owner.execute(AUDIT)
    one, other = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))
    add = "insert into audit_logs values (%s, %s, now() - make_interval(mins => %s), %s)"
    shop.owner.execute(add, [one, "customer.notified", 600, "{}"])  # of something before
    for who in (one, one, other, None):
        shop.owner.execute(add, [who, "booking.read", 60, json.dumps({"ip": "8.8.8.8"})])
    assert run(shop, SQL.queries["affected_users"], ip="9.9.9.9") == [{"count": 0, "ids": []}]
    assert run(shop, SQL.queries["affected_users"]) == [{"count": 2, "ids": [one, other]}]
    shop.owner.execute(add, [one, "customer.notified", 0, "{}"])
    assert run(shop, SQL.queries["affected_users"]) == [{"count": 1, "ids": [other]}]


def test_sessions_are_counted_that_began_before_an_instant(shop: Shop) -> None:
    shop.owner.execute(SIGNED_IN)
    shop.owner.execute("insert into auth.sessions values (null, now() - interval '1 h'), (null, now())")
    assert run(shop, SQL.queries["open_sessions"]) == [{"open": 2}]
    assert run(shop, SQL.queries["open_sessions"], before_ms=now_ms() - MINUTE) == [{"open": 1}]


def test_only_the_named_roles_queries_are_cancelled(shop: Shop) -> None:
    (web,) = shop.busy(1)
    (ours,) = shop.busy(1, user=TOCSIN)
    until(lambda: len(run(shop, SQL.queries["long_running"], longer_than_s=0)) == 2)
    cancel, done = SQL.statements["cancel_long_running"], SQL.queries["none_long_running"]
    assert run(shop, done, longer_than_s=0) == [{"done": False}]
    assert run(shop, cancel, longer_than_s=0) == [{"found": 1, "affected": 1}]
    result = web.pgconn.get_result()
    assert result is not None
    assert b"canceling statement" in result.error_message
    until(lambda: run(shop, done, longer_than_s=0) == [{"done": True}])
    (still,) = run(shop, SQL.queries["long_running"], longer_than_s=0)
    assert still["role"] == TOCSIN
    assert ours.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE
