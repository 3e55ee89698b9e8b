"""The runbooks that scale, as they ship: a Supabase that really changes, and a program that puts load on staging."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shipped
from carrying import Carried
from redis import Redis
from supabase_standin import REF, TOKEN, SupabaseStandin

from ledger.clock import now_ms
from routing.entry import Verb
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import RunPhase

POOL, COMPUTE = "PATCH config/database/pooler", "PATCH billing/addons"
REFUSED = "(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 15000ms in Transaction mode"


@pytest.fixture
def supabase() -> Iterator[SupabaseStandin]:
    with SupabaseStandin(
        schema="create table server (percent float); insert into server values (41.0);"
    ) as made:
        made.project.pool_size = 20
        yield made


@pytest.fixture
def place(redis: Redis, supabase: SupabaseStandin) -> Carried:
    """What PostgreSQL is asked in earnest, SQLite does not know."""
    text = shipped.files()["config/actions.yaml"]
    asked = text[text.index("          select count(*)::int as used") : text.index("      long_running:")]
    environ = {"SUPABASE_ACCESS_TOKEN": TOKEN, "SUPABASE_PROJECT_REF": REF, "SUPABASE_BASE_URL": supabase.url}
    return Carried(redis, environ, {"actions.yaml": ((asked, "          select percent from server\n"),)})


def is_full(supabase: SupabaseStandin, percent: float) -> None:
    supabase.database.execute("update server set percent = ?", (percent,))


def refuses(supabase: SupabaseStandin, *minutes_ago: float) -> None:
    lines = [(now_ms() - round(ago * MINUTE), REFUSED) for ago in minutes_ago]
    supabase.project.logs["supavisor_logs"] = [*lines, (now_ms() - SECOND, "client connected")]


def test_a_pool_that_clients_wait_for_is_a_quarter_larger_for_six_hours(
    place: Carried, supabase: SupabaseStandin
) -> None:
    refuses(supabase, 3, 2)
    place.alert("PoolExhausted")
    run = place.run("pool-size")
    assert (run.phase, supabase.project.pool_size) == (RunPhase.SUCCEEDED, 25)
    assert place.incident.resolved_by == "runbook pool-size"
    assert place.incident.paged == []
    place.passes(6 * HOUR + MINUTE)
    assert (supabase.project.pool_size, supabase.changes) == (20, [POOL, POOL])


@pytest.mark.parametrize(
    ("percent", "minutes_ago", "why"),
    [(41, (30,), "must have waited in vain"), (88, (1,), "must have room")],
)
def test_a_pool_stays_as_it_is_where_more_of_it_would_help_nobody(
    place: Carried, supabase: SupabaseStandin, percent: float, minutes_ago: tuple[float, ...], why: str
) -> None:
    is_full(supabase, percent)
    refuses(supabase, *minutes_ago)
    place.alert("PoolExhausted")
    run = place.run("pool-size")
    assert (run.phase, why in run.why) == (RunPhase.STOPPED, True)
    place.passes(11 * MINUTE)
    assert supabase.changes == [], "a larger machine is asked for at most"
    assert place.incident.paged


def test_who_waits_for_the_larger_pool_still_is_no_repair(place: Carried, supabase: SupabaseStandin) -> None:
    refuses(supabase, 0.2)
    place.alert("PoolExhausted")
    run = place.run("pool-size")
    assert (run.phase, supabase.changes) == (RunPhase.FAILED, [POOL])
    assert place.incident.paged


def test_a_larger_machine_is_taken_once_who_pays_has_agreed(
    place: Carried, supabase: SupabaseStandin
) -> None:
    is_full(supabase, 82)
    place.alert("CapacityLow", service="database")
    place.passes(5 * MINUTE)
    assert supabase.changes == []
    is_full(supabase, 82)
    place.says(Verb.APPROVE, "cto")
    place.passes(10 * SECOND)
    assert (supabase.project.compute, supabase.changes) == ("ci_medium", [COMPUTE])
    is_full(supabase, 37)
    assert place.run("server-size").phase is RunPhase.SUCCEEDED
    assert "60.01 USD a month" in place.incident.followups[0].text


@pytest.mark.parametrize(
    ("runs", "answer", "phase", "why"),
    [
        ("ci_small", Verb.DENY, RunPhase.REFUSED, "denied by cto"),
        ("ci_small", Verb.NOTE, RunPhase.REFUSED, "no answer means no"),
        ("ci_large", Verb.NOTE, RunPhase.STOPPED, "a larger machine"),
    ],
)
def test_no_machine_is_taken_without_a_yes_or_where_none_is_larger(
    place: Carried, supabase: SupabaseStandin, runs: str, answer: Verb, phase: RunPhase, why: str
) -> None:
    supabase.project.compute = runs
    is_full(supabase, 82)
    place.alert("CapacityLow", service="database")
    place.passes(MINUTE)
    place.says(answer, "cto")
    run = place.run("server-size", 4 * HOUR)
    assert (run.phase, why in run.why, supabase.changes) == (phase, True, [])


@pytest.mark.parametrize(
    ("host", "p95_ms", "phase"),
    [
        ("staging.shop.example", 640, RunPhase.SUCCEEDED),
        ("staging.shop.example", 9_000, RunPhase.FAILED),
        ("shop.example", 640, RunPhase.STOPPED),
    ],
)
def test_load_is_put_on_staging_alone_and_what_it_bore_is_read(
    redis: Redis, tmp_path: Path, host: str, p95_ms: int, phase: RunPhase
) -> None:
    log = tmp_path / "load"
    programs = {
        "load-test-plan": says({"host": host}),
        "load-test": {**python(f"import sys; open({str(log)!r}, 'w').write(' '.join(sys.argv[2:]))")},
        "load-test-results": says({"p95_ms": p95_ms, "error_percent": 0.1}),
    }
    place = Carried(redis, {}, {"actions.yaml": (("programs: {}", f"programs: {json.dumps(programs)}"),)})
    place.alert("LoadTestDue")
    place.passes(MINUTE)
    place.says(Verb.APPROVE, "anna" if "anna" in asked(place) else "ben")
    assert place.run("load-test", 5 * HOUR).phase is phase
    assert (log.read_text() if log.exists() else "") == (
        "" if phase is RunPhase.STOPPED else f"{host} 1000 10m"
    )


def asked(place: Carried) -> list[str]:
    approval = place.runs[-1].approval
    return approval.asked if approval else []


def python(code: str) -> dict[str, Any]:
    return {"path": sys.executable, "arguments": ["-I", "-S", "-c", code, "--"]}


def says(found: dict[str, Any]) -> dict[str, Any]:
    return {**python(f"print({json.dumps(found)!r})"), "reads": True}
