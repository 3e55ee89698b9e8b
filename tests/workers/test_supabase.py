"""Supabase's actions against a stand-in with a project that changes and a database that runs SQL."""

import json
from collections.abc import Iterator
from typing import Any

import hostile
import pytest
from examples import examples
from hypothesis import HealthCheck, given
from supabase_standin import REF, SupabaseStandin, secret_of
from vendor_server import Misbehaviour

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import HOUR, MINUTE, iso
from routing.ports import Step
from workers.actions import supabase
from workers.credentials import NoCredentialsError, as_text

IDLE = "select id, who from sessions where idle_s >= $1 order by id limit $2"
QUERIES: dict[str, dict[str, Any]] = {
    "idle": {
        "sql": IDLE,
        "params": [
            {"name": "idle_s", "type": "integer", "least": 60},
            {"name": "limit", "type": "integer", "most": 20, "default": 10},
        ],
    },
    "of": {"sql": "select id, who from sessions where who = $1", "params": [{"name": "who", "most": 20_000}]},
    "count": {"sql": "select count(*) as n from sessions"},
    "writes": {"sql": "delete from sessions returning id"},
    "short": {"sql": "select $1 as it, $2 as at", "params": [{"name": "it"}]},
}
LOGS = {"source": "postgres_logs"}
READS: dict[str, dict[str, Any]] = {
    "project": {}, "health": {}, "read_sql": {"query": "count"}, "backups": {}, "advisors": {}, "logs": LOGS, "pool": {},
    "machine": {}, "try_keys": {"works": "default_secret"},
}  # fmt: skip


@pytest.fixture
def standin() -> Iterator[SupabaseStandin]:
    with SupabaseStandin() as server:
        yield server


def step(standin: SupabaseStandin, timeout_s: float = 2.0, **changes: Any) -> Step:
    given = as_text({**standin.settings(), "queries": QUERIES})
    fields = {"settings": given, "idempotency_key": "", "now": now_ms(), **changes}
    return Step(timeout_s=timeout_s, **fields)


def run(name: str, standin: SupabaseStandin, /, **params: Any) -> dict[str, Any]:
    return act(name, step(standin), **params)


def act(name: str, at: Step, /, **params: Any) -> dict[str, Any]:
    action = supabase.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def failure(name: str, at: Step, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, **params)
    return failed.value


def sent(standin: SupabaseStandin) -> Any:
    return json.loads(standin.calls[-1].body)


def test_a_project_is_well_only_when_it_is_active_and_healthy(standin: SupabaseStandin) -> None:
    assert run("project", standin)["ok"]
    standin.project.status = "RESTORING"
    found = run("project", standin)
    assert (found["ok"], found["status"], found["region"]) == (False, "RESTORING", "eu-central-1")


def test_health_names_the_services_that_are_ill_and_why(standin: SupabaseStandin) -> None:
    assert run("health", standin)["ok"]
    standin.project.services = {"pooler": "UNHEALTHY"}
    found = run("health", standin)
    assert (found["ok"], found["unhealthy"]) == (False, ["pooler"])
    assert found["services"]["pooler"] == {"status": "UNHEALTHY", "error": "pooler does not answer"}
    assert standin.calls[-1].query["services"] == ["db", "rest", "pooler", "auth"]


def test_a_service_that_nothing_is_told_of_is_not_well(standin: SupabaseStandin) -> None:
    standin.project.services = {"auth": ""}
    assert run("health", standin)["unhealthy"] == ["auth"]
    assert run("health", standin, services=["db"])["ok"]


def test_a_named_query_is_run_with_its_parameters_bound(standin: SupabaseStandin) -> None:
    found = run("read_sql", standin, query="idle", params={"idle_s": "3600"})
    assert found == {"query": "idle", "count": 2, "rows": [{"id": 2, "who": "app"}, {"id": 3, "who": "cron"}]}
    assert sent(standin) == {"query": IDLE, "parameters": [3600, 10]}
    assert run("read_sql", standin, query="idle", params={"idle_s": 60, "limit": 1})["count"] == 1


@pytest.mark.parametrize(
    ("query", "params", "said"),
    [
        ("idle", {}, "idle_s is missing"),
        ("idle", {"idle_s": 59}, "idle_s: less than 60"),
        ("idle", {"idle_s": 60, "limit": 21}, "limit: more than 20"),
        ("idle", {"idle_s": "60; drop table sessions"}, "idle_s: is no whole number"),
        ("idle", {"idle_s": True}, "idle_s: is no whole number"),
        ("idle", {"idle_s": 60, "offset": 1}, "offset is no parameter"),
        ("of", {"who": "x" * 20_001}, "who: longer than 20000"),
        ("of", {"who": "a\0b"}, "who: holds a character"),
        ("nobody", {}, "nothing called nobody in supabase.queries in config/actions.yaml, there are count"),
        ("short", {"it": "x"}, "$1, $2 for 1 params"),
    ],
)
def test_what_cannot_be_bound_is_not_asked(
    standin: SupabaseStandin, query: str, params: dict[str, Any], said: str
) -> None:
    failed = failure("read_sql", step(standin), query=query, params=params)
    assert failed.outcome is Outcome.PERMANENT
    assert said in str(failed)
    assert standin.calls == []


def test_a_query_that_writes_is_refused_where_reading_is_meant(standin: SupabaseStandin) -> None:
    failed = failure("read_sql", step(standin), query="writes")
    assert failed.outcome is Outcome.PERMANENT
    assert "readonly" in str(failed)
    assert len(standin.rows("select * from sessions")) == 3


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile.values)
def test_a_value_is_only_ever_a_value(standin: SupabaseStandin, value: str) -> None:
    """It finds the row that holds it, and is neither in the text of the SQL nor in the address."""
    standin.per_minute = 10_000
    if "\0" in value:
        assert "holds a character" in str(
            failure("read_sql", step(standin), query="of", params={"who": value})
        )
        return
    standin.database.execute("insert into sessions (who) values (?)", (value,))
    found = run("read_sql", standin, query="of", params={"who": value})
    assert value in {row["who"] for row in found["rows"]}
    assert sent(standin) == {"query": QUERIES["of"]["sql"], "parameters": [value]}
    assert standin.calls[-1].path == f"/v1/projects/{REF}/database/query/read-only"
    run("logs", standin, **LOGS, contains=value[:1000])
    assert standin.calls[-1].path == f"/v1/projects/{REF}/analytics/endpoints/logs.all"
    assert standin.calls[-1].query["sql"] == [
        "select id, timestamp, event_message from postgres_logs order by timestamp desc limit 200"
    ]


@pytest.mark.parametrize("value", hostile.VALUES[:-1])
@pytest.mark.parametrize(
    ("name", "field"), [("project", "ref"), ("read_sql", "query"), ("logs", "source"), ("health", "services")]
)
def test_what_stands_in_an_address_is_not_free_text(name: str, field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        supabase.ACTIONS[name].params(**{**READS[name], field: [value] if field == "services" else value})


def test_backups_tell_how_old_the_newest_is_and_how_far_back_one_can_go(standin: SupabaseStandin) -> None:
    now = now_ms()
    standin.project.backups = [
        {"id": 1, "is_physical_backup": False, "status": "COMPLETED", "inserted_at": iso(now - 30 * HOUR)},
        {"id": 2, "is_physical_backup": False, "status": "COMPLETED", "inserted_at": iso(now - 6 * HOUR)},
        {"id": 3, "is_physical_backup": False, "status": "FAILED", "inserted_at": iso(now - HOUR)},
    ]
    found = run("backups", standin)
    assert (found["pitr"], found["failed"], found["age_minutes"]) == (False, 1, 360)
    assert (found["earliest_at"], found["latest_at"]) == (now - 30 * HOUR, now - 6 * HOUR)
    assert [each["id"] for each in found["backups"]] == [3, 2, 1]


def test_with_point_in_time_recovery_its_bounds_count(standin: SupabaseStandin) -> None:
    now_s = now_ms() // 1000
    standin.project.pitr = True
    standin.project.physical = {
        "earliest_physical_backup_date_unix": now_s - 86_400, "latest_physical_backup_date_unix": now_s - 120,
    }  # fmt: skip
    found = run("backups", standin)
    assert (found["pitr"], found["age_minutes"]) == (True, 2)
    assert (found["earliest_at"], found["latest_at"]) == ((now_s - 86_400) * 1000, (now_s - 120) * 1000)


@pytest.mark.parametrize(
    ("minutes_ago", "pitr", "reaches"),
    [(30, True, True), (1, True, False), (1500, True, False), (30, False, False)],
)
def test_whether_one_can_go_back_to_an_instant(
    standin: SupabaseStandin, minutes_ago: int, pitr: bool, reaches: bool
) -> None:
    now_s = now_ms() // 1000
    standin.project.pitr = pitr
    standin.project.physical = {
        "earliest_physical_backup_date_unix": now_s - 86_400, "latest_physical_backup_date_unix": now_s - 120,
    }  # fmt: skip
    at = (now_s - 60 * minutes_ago) * 1000
    found = run("backups", standin, at=iso(at))
    assert (found["at"], found["reaches"], found["lost_minutes"]) == (at, reaches, minutes_ago)


@pytest.mark.parametrize(
    "at", ["2026-11-28T09:00", "yesterday", "1764321600000", "{{ x }}", "2026-11-28T09:00+01:00; --"]
)
def test_an_instant_says_its_offset(at: str) -> None:
    with pytest.raises(ValueError, match="at"):
        supabase.ACTIONS["backups"].params(at=at)
    supabase.ACTIONS["backups"].params(at="2026-11-28T09:00+01:00")


def test_without_any_backup_there_is_no_age(standin: SupabaseStandin) -> None:
    found = run("backups", standin)
    assert (found["latest_at"], found["age_minutes"], found["backups"]) == (None, None, [])


def keyed(standin: SupabaseStandin, **keys: str) -> Step:
    given = {**standin.settings(), "project_url": standin.url, "keys": keys}
    return Step(settings=as_text(given), timeout_s=5.0, idempotency_key="", now=now_ms())


def test_keys_are_tried_at_the_project_itself(standin: SupabaseStandin) -> None:
    old, new = standin.project.keys[0], {**standin.project.keys[0], "id": "2", "name": "next"}
    standin.project.keys.append(new)
    at = keyed(standin, default_secret=secret_of(old))
    found = act("try_keys", at, works="next", refused="default_secret")
    assert found == {"works": True, "works_status": 200, "refused": False, "refused_status": 200}
    standin.project.keys.remove(old)
    found = act("try_keys", at, works="next", refused="default_secret")
    assert found == {"works": True, "works_status": 200, "refused": True, "refused_status": 401}
    assert secret_of(new) not in json.dumps([found, [call.path for call in standin.calls]])


def test_of_a_key_that_nobody_knows_nothing_is_said(standin: SupabaseStandin) -> None:
    unknown = {"works": None, "works_status": 0, "refused": None, "refused_status": 0}
    assert act("try_keys", keyed(standin), works="none_such", refused="default_secret") == unknown
    assert act("try_keys", keyed(standin), refused="default_secret") == unknown


def test_no_keys_at_all_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="name a key"):
        supabase.ACTIONS["try_keys"].params()


def lint(name: str, level: str, table: str = "") -> dict[str, Any]:
    return {
        "name": name, "title": name.title(), "level": level, "facing": "EXTERNAL", "categories": ["SECURITY"],
        "description": "d", "detail": "d", "remediation": "see the docs", "cache_key": f"{name}_{table}",
        **({"metadata": {"schema": "public", "name": table, "type": "table"}} if table else {}),
    }  # fmt: skip


def test_advisors_tell_the_worst_first_and_only_count_what_matters_less(standin: SupabaseStandin) -> None:
    standin.project.lints = {
        "security": [
            lint("auth_otp_long_expiry", "WARN"),
            lint("rls_disabled_in_public", "ERROR", "payments"),
        ],
        "performance": [lint("unused_index", "INFO", "bookings")],
    }
    found = run("advisors", standin)
    assert (found["errors"], found["warnings"], found["count"]) == (1, 1, 3)
    assert [(each["name"], each["kind"]) for each in found["findings"]] == [
        ("rls_disabled_in_public", "security"), ("auth_otp_long_expiry", "security"),
    ]  # fmt: skip
    assert found["findings"][0]["where"] == "public.payments"
    assert len(run("advisors", standin, least="INFO")["findings"]) == 3
    assert run("advisors", standin, kinds=["performance"])["count"] == 1


def test_logs_are_of_the_window_that_was_asked_for(standin: SupabaseStandin) -> None:
    now = now_ms()
    standin.project.logs["postgres_logs"] = [
        (now - 20 * MINUTE, "too early"), (now - 10 * MINUTE, "connection refused"), (now - MINUTE, "checkpoint"),
    ]  # fmt: skip
    found = run("logs", standin, **LOGS)
    assert found["lines"] == [
        {"at": now - MINUTE, "text": "checkpoint"}, {"at": now - 10 * MINUTE, "text": "connection refused"},
    ]  # fmt: skip
    assert (found["count"], found["full"]) == (2, False)
    assert run("logs", standin, **LOGS, limit=1)["full"]
    assert run("logs", standin, **LOGS, contains="refused")["count"] == 1
    assert (
        run("logs", standin, **LOGS, minutes=1440, until_at=now - 15 * MINUTE)["lines"][0]["text"]
        == "too early"
    )


def test_a_window_of_more_than_a_day_is_refused_before_asking(standin: SupabaseStandin) -> None:
    with pytest.raises(ValueError, match="minutes"):
        run("logs", standin, **LOGS, minutes=1441)
    assert standin.calls == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("backend error", Outcome.PERMANENT),
        ({"code": 400, "message": "syntax error"}, Outcome.PERMANENT),
        ({"code": 429, "message": "quota exceeded"}, Outcome.TEMPORARY),
        ({"code": 503, "message": "backend error"}, Outcome.TEMPORARY),
    ],
)
def test_a_search_that_failed_within_a_200_is_a_failure(
    standin: SupabaseStandin, error: Any, outcome: Outcome
) -> None:
    standin.log_error = error
    failed = failure("logs", step(standin), **LOGS)
    assert failed.outcome is outcome
    assert "error" in str(failed) or "quota" in str(failed)


def test_the_pool_is_as_large_as_it_was_set_or_as_supabase_chooses(standin: SupabaseStandin) -> None:
    assert run("pool", standin) == {"size": None, "mode": "transaction", "max_clients": None}
    standin.project.pool_size = 15
    assert run("pool", standin)["size"] == 15


def test_the_next_larger_machine_is_the_next_dearer_one(standin: SupabaseStandin) -> None:
    larger = {"variant": "ci_medium", "monthly": 60.01}
    assert run("machine", standin) == {"variant": "ci_small", "monthly": 15.04, "larger": larger}
    standin.project.compute = "ci_large"
    assert run("machine", standin)["larger"] is None
    standin.project.compute = ""
    assert run("machine", standin) == {"variant": "", "monthly": None, "larger": None}


@pytest.mark.parametrize(
    ("how", "outcome", "advice"),
    [
        (Misbehaviour(status=400), Outcome.PERMANENT, "not accepted"),
        (Misbehaviour(status=401), Outcome.PERMANENT, "SUPABASE_ACCESS_TOKEN"),
        (Misbehaviour(status=402), Outcome.PERMANENT, "plan"),
        (Misbehaviour(status=403), Outcome.PERMANENT, "role"),
        (Misbehaviour(status=404), Outcome.PERMANENT, "SUPABASE_PROJECT_REF"),
        (Misbehaviour(status=409), Outcome.TEMPORARY, "under way"),
        (Misbehaviour(status=422), Outcome.PERMANENT, "outside"),
        (Misbehaviour(status=429, retry_after="9"), Outcome.TEMPORARY, "too often"),
        (Misbehaviour(status=500), Outcome.TEMPORARY, "500"),
        (Misbehaviour(status=503), Outcome.TEMPORARY, "503"),
        (Misbehaviour(status=504), Outcome.TEMPORARY, "504"),
        (Misbehaviour(garbage=True), Outcome.TEMPORARY, "not JSON"),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY, "broke"),
        (Misbehaviour(delay_s=30), Outcome.TEMPORARY, "no answer within 0.4 s"),
    ],
    ids=[
        "400",
        "401",
        "402",
        "403",
        "404",
        "409",
        "422",
        "429",
        "500",
        "503",
        "504",
        "garbage",
        "hangs up",
        "30 s",
    ],
)
@pytest.mark.parametrize("name", READS)
def test_every_refusal_of_a_look_has_its_class_and_says_what_to_do(
    standin: SupabaseStandin, name: str, how: Misbehaviour, outcome: Outcome, advice: str
) -> None:
    standin.misbehave(how)
    failed = failure(name, step(standin, 0.4 if how.delay_s else 5.0), **READS[name])
    assert (failed.outcome, advice in str(failed)) == (outcome, True), failed
    assert failed.retry_after_ms == (9_000 if how.retry_after else 0)


def test_an_answer_of_another_shape_is_no_good_news(standin: SupabaseStandin) -> None:
    standin.misbehave(*[Misbehaviour(not_ok=True)] * 7)
    assert not run("project", standin)["ok"]
    for name in ("health", "read_sql", "pool"):
        assert failure(name, step(standin), **READS[name]).outcome is Outcome.TEMPORARY
    assert run("backups", standin)["latest_at"] is None


def test_who_asks_too_often_is_told_in_how_many_seconds_to_ask_again(standin: SupabaseStandin) -> None:
    standin.per_minute = 2
    run("pool", standin)
    run("pool", standin)
    failed = failure("pool", step(standin))
    assert failed.outcome is Outcome.TEMPORARY
    assert 50_000 < failed.retry_after_ms <= 60_000
    assert run("project", standin)["ok"], "each endpoint has its own share"


def test_sql_that_fails_is_not_asked_again_and_the_rate_limits_reset_is_no_reason_to_wait(
    standin: SupabaseStandin,
) -> None:
    standin.database.execute("drop table sessions")
    failed = failure("read_sql", step(standin), query="count")
    assert (failed.outcome, failed.retry_after_ms) == (Outcome.PERMANENT, 0)
    assert "no such table" in str(failed)


def test_a_wrong_token_is_permanent_and_is_not_shown(standin: SupabaseStandin) -> None:
    token = "sbp_" + "f" * 40
    given = as_text({**standin.settings(token=token), "queries": QUERIES})
    failed = failure("project", step(standin, settings=given))
    assert failed.outcome is Outcome.PERMANENT
    assert "SUPABASE_ACCESS_TOKEN" in str(failed)
    assert token not in str(failed)


@pytest.mark.parametrize("name", READS)
def test_without_a_token_nothing_is_asked(standin: SupabaseStandin, name: str) -> None:
    given = as_text({"base_url": standin.url, "ref": REF, "queries": QUERIES})
    failed = failure(name, step(standin, settings=given), **READS[name])
    assert isinstance(failed, NoCredentialsError)
    assert "SUPABASE_ACCESS_TOKEN" in str(failed)
    assert standin.calls == []


def test_a_runbooks_own_project_goes_before_the_configured_one(standin: SupabaseStandin) -> None:
    failed = failure("project", step(standin), ref="z" * 20)
    assert "SUPABASE_PROJECT_REF" in str(failed)
    assert standin.calls[-1].path == f"/v1/projects/{'z' * 20}"
    nobody = failure("project", step(standin, settings=standin.settings(ref="")))
    assert (nobody.outcome, "no project" in str(nobody)) == (Outcome.PERMANENT, True)


@pytest.mark.parametrize("name", READS)
def test_every_look_can_say_what_it_would_ask_without_asking(standin: SupabaseStandin, name: str) -> None:
    action = supabase.ACTIONS[name]
    assert action.plan is not None
    planned = action.plan(step(standin), action.params(**READS[name]))
    assert planned["would"]["method"] == ("POST" if name == "read_sql" else "GET")
    assert planned["would"]["url"].startswith(f"{standin.url}/v1/projects/{REF}")
    assert standin.calls == []
