"""What queries cost, how large tables are, checks and named queries of the configuration, on a real server."""

import json
from typing import Any

import pytest
from acting import act, failure
from shop import TOCSIN, Shop

from routing.entry import Outcome
from workers.actions import postgres

HOSTILE = ["'; DROP TABLE orders; --", '"', "\\", "%s", "%(x)s", "$(id)", "{{ x }}", "\n", "x" * 10_000, "ż"]


@pytest.fixture
def orders(shop: Shop) -> Shop:
    """100 orders, which everybody may read."""
    shop.owner.execute("CREATE TABLE orders (id int PRIMARY KEY, customer text, price numeric(8, 2))")
    shop.owner.execute("INSERT INTO orders SELECT n, 'customer ' || n, n FROM generate_series(1, 100) AS n")
    shop.owner.execute("GRANT SELECT ON orders TO PUBLIC")
    shop.owner.execute("SELECT extensions.pg_stat_statements_reset()")
    return shop


def slow(shop: Shop, times: int = 1) -> None:
    for _ in range(times):
        shop.owner.execute("/* of anna */ SELECT /* nowak */ pg_sleep(%s), 'slow one'", [0.05])


def queries(kind: str = "queries", **named: str) -> dict[str, str]:
    """The setting as it reaches an action."""
    return {kind: json.dumps(named)}


def test_slow_queries_are_told_with_their_cost_and_without_their_values(orders: Shop) -> None:
    slow(orders, 3)
    orders.owner.execute("SELECT count(*) FROM orders WHERE customer = 'Anna Nowak'")
    found = act("slow_queries", orders.step(), min_mean_ms=40)
    assert found["slow"] == 1
    (query,) = found["queries"]
    assert (query["calls"], 50 <= query["mean_ms"] < 1_000) == (3, True)
    assert query["share_percent"] > 50
    assert query["query"] == "SELECT pg_sleep($1), $2"
    assert act("slow_queries", orders.step(), min_mean_ms=40, min_calls=4)["slow"] == 0


def test_a_password_in_a_statement_is_not_among_the_slow_queries(orders: Shop) -> None:
    orders.owner.execute(f"ALTER ROLE {TOCSIN} PASSWORD 's3cret-of-the-tests'")
    found = act("slow_queries", orders.step(), min_mean_ms=1, top=50)
    assert "PASSWORD" not in json.dumps(found)


def test_over_a_window_only_what_happens_now_is_slow(orders: Shop) -> None:
    slow(orders, 2)
    assert act("slow_queries", orders.step(), min_mean_ms=40, over_s=1)["slow"] == 0
    with orders.writing("/* shop */ SELECT pg_sleep(0.05), 'slow one'"):
        found = act("slow_queries", orders.step(), min_mean_ms=40, over_s=1)
    assert found["slow"] == 1
    assert found["queries"][0]["calls"] < 25


def test_a_query_that_does_not_end_is_told_as_running(orders: Shop) -> None:
    orders.busy(2)
    assert act("slow_queries", orders.step(), min_mean_ms=500, over_s=1)["running"] == 2


def test_without_pg_stat_statements_it_says_what_to_do(shop: Shop) -> None:
    url = shop.server.url(user=TOCSIN, database="postgres")
    failed = failure("slow_queries", shop.step(settings={"url": url}))
    assert failed.outcome is Outcome.PERMANENT
    assert "shared_preload_libraries" in str(failed)
    assert "CREATE EXTENSION" in str(failed)


def test_sizes_tell_the_largest_first_and_no_free_disk(orders: Shop) -> None:
    orders.owner.execute("CREATE TABLE large AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
    orders.owner.execute("ANALYZE")
    found = act("sizes", orders.step(), top=2)
    assert [each["table"] for each in found["tables"]] == ["large", "orders"]
    assert found["tables"][0]["bytes"] > 1_000_000
    assert found["tables"][1]["rows_estimated"] == 100
    assert found["database"]["bytes"] > found["tables"][0]["bytes"]
    assert found["disk_free"] is None


def test_a_named_query_is_read_with_bound_values(orders: Shop) -> None:
    settings = queries(cheap="SELECT id, price, now() AS at FROM orders WHERE price <= %(limit)s ORDER BY id")
    found = act("read", orders.step(settings=settings), query="cheap", values={"limit": 2})
    assert [(row["id"], row["price"]) for row in found["rows"]] == [(1, 1.0), (2, 2.0)]
    assert (found["count"], found["more"]) == (2, False)
    json.dumps(found)


def test_no_more_rows_are_read_than_asked_for(orders: Shop) -> None:
    settings = queries(all="SELECT generate_series(1, 100000000) AS n")
    found = act("read", orders.step(settings=settings), query="all", most=3)
    assert (found["rows"], found["more"]) == ([{"n": 1}, {"n": 2}, {"n": 3}], True)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_payload_says_is_a_value_and_never_a_query(orders: Shop, value: str) -> None:
    settings = queries(echo="SELECT %(x)s::text AS said, (SELECT count(*) FROM orders) AS orders")
    found = act("read", orders.step(settings=settings), query="echo", values={"x": value})
    assert found["rows"] == [{"said": value, "orders": 100}]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING 1) SELECT * FROM gone",
        "SELECT nextval('s')",
    ],
)
def test_a_named_query_cannot_change_anything(orders: Shop, query: str) -> None:
    orders.owner.execute("CREATE SEQUENCE s")
    orders.owner.execute("GRANT ALL ON orders, s TO PUBLIC")
    failed = failure("read", orders.step(settings=queries(change=query)), query="change")
    assert failed.outcome in {Outcome.PERMANENT, Outcome.TEMPORARY}
    assert orders.owner.execute("SELECT count(*) FROM orders").fetchone() == (100,)


def test_a_query_that_takes_too_long_is_ended_by_the_server_and_may_be_tried_again(shop: Shop) -> None:
    at = shop.step(timeout_s=0.5, settings=queries(long="SELECT pg_sleep(60)"))
    assert failure("read", at, query="long").outcome is Outcome.TEMPORARY
    active = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state = 'active'"
    assert shop.owner.execute(active, [TOCSIN]).fetchone() == (0,)


def test_a_name_that_is_not_configured_is_permanent_and_tells_those_that_are(shop: Shop) -> None:
    failed = failure("read", shop.step(settings=queries(orders="SELECT 1")), query="order")
    assert failed.outcome is Outcome.PERMANENT
    assert "it has orders" in str(failed)


@pytest.mark.parametrize("values", [{}, {"other": 1}])
def test_a_value_that_is_missing_is_permanent(shop: Shop, values: dict[str, Any]) -> None:
    at = shop.step(settings=queries(echo="SELECT %(x)s"))
    assert failure("read", at, query="echo", values=values).outcome is Outcome.PERMANENT


def test_integrity_holds_while_no_check_finds_anything(orders: Shop) -> None:
    named = {
        "price": "SELECT id FROM orders WHERE price < 0",
        "customer": "SELECT id FROM orders WHERE customer IS NULL",
    }
    at = orders.step(settings=queries("checks", **named))
    assert act("integrity", at) == {
        "ok": True,
        "failed": [],
        "checks": [{"name": name, "ok": True, "found": 0, "error": ""} for name in ("customer", "price")],
    }
    orders.owner.execute("UPDATE orders SET price = -1 WHERE id < 4")
    found = act("integrity", at)
    assert (found["ok"], found["failed"], found["checks"][1]["found"]) == (False, ["price"], 3)


def test_a_check_that_cannot_be_made_does_not_hold_and_the_others_are_made(orders: Shop) -> None:
    named = {"a": "SELECT no_such_column FROM orders", "b": "SELECT 1 FROM orders WHERE price < 0"}
    found = act("integrity", orders.step(settings=queries("checks", **named)))
    assert (found["ok"], found["failed"], found["checks"][1]["ok"]) == (False, ["a"], True)
    assert "no_such_column" in found["checks"][0]["error"]


@pytest.mark.parametrize("checks", ["", "{}", "[1]", '"SELECT 1"', '{"a": 1}'])
def test_checks_that_are_none_are_permanent_and_say_where(shop: Shop, checks: str) -> None:
    failed = failure("integrity", shop.step(settings={"checks": checks}))
    assert failed.outcome is Outcome.PERMANENT
    assert "postgres.checks in config/actions.yaml" in str(failed)


ODD = 'we%ird "Ta.ble'


def test_a_tables_statistics_are_brought_up_to_date(shop: Shop) -> None:
    shop.owner.execute(f"CREATE TABLE {quoted(ODD)} AS SELECT generate_series(1, 100) AS n")
    shop.owner.execute(f"ALTER TABLE {quoted(ODD)} OWNER TO {TOCSIN}")
    found = act("analyze", shop.step(), table=ODD)
    assert (found["analyzed"], found["affects"]) == ([f"public.{ODD}"], 1)
    assert analyzed(shop) == {ODD}


def test_without_a_table_the_most_outdated_ones_are_analyzed(shop: Shop) -> None:
    for name, rows in (("worst", 5_000), ("bad", 900), ("fresh", 10)):
        shop.owner.execute(f"CREATE TABLE {name} (n int)")
        shop.owner.execute(f"ALTER TABLE {name} OWNER TO {TOCSIN}")
        shop.owner.execute(f"INSERT INTO {name} SELECT generate_series(1, {rows})")
    shop.owner.execute("SELECT pg_stat_force_next_flush()")
    assert act("analyze", shop.step(), most=1)["found"] == 2
    assert act("analyze", shop.step())["found"] == 1
    assert analyzed(shop) == {"worst", "bad"}


def test_a_table_we_may_not_analyze_is_permanent_and_says_what_it_takes(orders: Shop) -> None:
    failed = failure("analyze", orders.step(), table="orders")
    assert failed.outcome is Outcome.PERMANENT
    assert "pg_maintain" in str(failed)
    assert analyzed(orders) == set()


@pytest.mark.parametrize("table", ["nothing", "orders; DROP TABLE orders", "Orders", "public.orders"])
def test_a_table_that_the_catalogue_does_not_know_is_permanent(orders: Shop, table: str) -> None:
    assert failure("analyze", orders.step(), table=table).outcome is Outcome.PERMANENT


def test_a_lock_is_not_waited_for_longer_than_others_can_stand(orders: Shop) -> None:
    orders.owner.execute(f"ALTER TABLE orders OWNER TO {TOCSIN}")
    (other,) = orders.open(1, user=TOCSIN, application="migration")
    other.execute("BEGIN")
    other.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
    failed = failure("analyze", orders.step(timeout_s=30), table="orders")
    assert (failed.outcome, "holds the lock" in str(failed)) == (Outcome.TEMPORARY, True)


def test_stopped_in_between_nothing_more_is_analyzed(orders: Shop) -> None:
    orders.owner.execute(f"ALTER TABLE orders OWNER TO {TOCSIN}")
    assert failure("analyze", orders.step(allowed=lambda: False), table="orders").outcome is Outcome.REFUSED
    assert analyzed(orders) == set()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("read", {"query": "SELECT 1"}),
        ("read", {"query": "a", "values": {"x": {"nested": 1}}}),
        ("read", {"query": "a", "most": 1_000_000}),
        ("analyze", {"table": "x" * 64}),
        ("analyze", {"table": "a\0b"}),
        ("connections", {"query": "SELECT 1"}),
        ("end_idle", {"most": 0}),
        ("cancel_long", {"older_than_s": -1}),
        ("dump", {"file": "/etc/passwd"}),
    ],
)
def test_parameters_that_do_not_fit_are_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        postgres.ACTIONS[name].params.model_validate(params)


def analyzed(shop: Shop) -> set[str]:
    rows = shop.owner.execute("SELECT relname FROM pg_stat_user_tables WHERE last_analyze IS NOT NULL")
    return {name for (name,) in rows}


def quoted(name: str) -> Any:
    return '"' + name.replace('"', '""') + '"'
