"""One runbook step, from the claim to the result in the log, on a real server and against a real Vercel stand-in."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis
from site_standin import SiteStandin
from supabase_standin import SupabaseStandin
from vendor_server import Misbehaviour, Reply, VendorServer
from vercel_standin import VercelStandin
from workshop import Bench, bench, rollback

from ledger import locks
from ledger.clock import now_ms
from routing.entry import Outcome
from routing.policy import Secret, Setting
from workers import redaction, remediate

ROLLBACK = "/v1/projects/prj_1/rollback/dpl_good"


@pytest.fixture
def vercel() -> Iterator[VercelStandin]:
    with VercelStandin() as server:
        yield server


@pytest.fixture
def at(redis: Redis, vercel: VercelStandin) -> Bench:
    private: dict[str, Setting] = {"allow_private": True}
    return bench(redis, actions={"vercel": dict(vercel.settings()), "http": private})


def carry_out(at: Bench, **changes: Any) -> None:
    effect = at.put(rollback(**changes))
    remediate.carry_out(at, effect.id, effect.attempt)


def look(action: str, **params: Any) -> dict[str, Any]:
    """Changes that make the step a reading one."""
    return {"action": action, "params": params, "mutates": False, "lock": ""}


def free(at: Bench, target: str = "vercel:site") -> bool:
    return isinstance(locks.take(at.client, at.keys, target, "somebody else", 1_000, 9), locks.Taken)


def test_a_change_is_claimed_made_once_and_its_audit_is_in_the_log(at: Bench, vercel: VercelStandin) -> None:
    carry_out(at)
    done = at.done()
    assert (done.outcome, done.by) == (Outcome.OK, "w1")
    assert done.output == {"requested": True, "to": "dpl_good"}
    assert done.request == f"GET /v9/projects/prj_1 answered 200; POST {ROLLBACK} answered 201"
    assert vercel.changes == [ROLLBACK]
    assert free(at)


def test_sql_of_the_configuration_is_run_with_a_runbooks_values_bound(redis: Redis) -> None:
    sql = "select who from sessions where idle_s > $1"
    with SupabaseStandin() as supabase:
        queries = {"idle": {"sql": sql, "params": [{"name": "idle_s", "type": "integer"}]}}
        at = bench(redis, actions={"supabase": {**supabase.settings(), "queries": queries}})
        carry_out(at, **look("supabase.read_sql", query="idle", params={"idle_s": "5000"}))
        assert at.done().output["rows"] == [{"who": "cron"}]
        hostile = look("supabase.read_sql", query="idle", params={"idle_s": "5000 or true"})
        carry_out(at, id="INC-1-r1/hostile", **hostile)
        assert (at.done().outcome, "no whole number" in at.done().error) == (Outcome.PERMANENT, True)
        assert len(supabase.calls) == 1


def test_a_change_is_not_begun_when_looking_has_used_up_the_steps_time(
    at: Bench, vercel: VercelStandin
) -> None:
    vercel.misbehave(Misbehaviour(delay_s=1.5), Misbehaviour(delay_s=1.5))
    carry_out(at, action="vercel.redeploy", params={"project": "prj_1"}, timeout_ms=2_500)
    assert (at.done().outcome, "longer timeout" in at.done().error) == (Outcome.TEMPORARY, True)
    assert vercel.changes == []


def test_two_workers_with_the_same_job_change_once(at: Bench, vercel: VercelStandin) -> None:
    carry_out(at)
    remediate.carry_out(at, "INC-1-r1/rollback", 1)
    assert vercel.changes == [ROLLBACK]


def test_nested_settings_reach_an_action_with_their_secrets_resolved(redis: Redis) -> None:
    tool: dict[str, Setting] = {
        "path": sys.executable,
        "arguments": ["-I", "-S", "-c", "import os; print(os.environ['SHOP_TOKEN'].upper())", "--"],
        "env": {"SHOP_TOKEN": Secret("SHOP_TOKEN")},
    }
    step = {
        "action": "command.run",
        "params": {"program": "tool", "arguments": ["--all"]},
        "timeout_ms": 20_000,
    }
    at = bench(redis, actions={"command": {"programs": {"tool": tool}}}, environ={"SHOP_TOKEN": "shop-1"})
    carry_out(at, **step)
    assert (at.done().outcome, at.done().request) == (Outcome.OK, "tool ended with 0")
    assert at.done().output["stdout"] == "SHOP-1\n"
    unset = bench(redis, actions={"command": {"programs": {"tool": tool}}})
    carry_out(unset, id="INC-2-r1/tool", run="INC-2-r1", **step)
    assert unset.done().output["dry_run"]
    assert "SHOP_TOKEN not set" in unset.done().output["why"]


def test_a_repeat_after_a_crash_looks_first(at: Bench, vercel: VercelStandin) -> None:
    carry_out(at)
    carry_out(at, attempt=2, repeat=True)
    assert at.done().output["already"]
    assert vercel.changes == [ROLLBACK]


def test_the_kill_switch_stops_a_change_and_not_a_look(at: Bench, vercel: VercelStandin) -> None:
    at.client.set(at.keys.kill, b"on")
    carry_out(at)
    assert (at.done().outcome, at.done().error) == (Outcome.REFUSED, "the kill switch is on")
    carry_out(at, id="INC-1-r1/look", **look("vercel.deployments", project="prj_1"))
    assert at.done().outcome is Outcome.OK
    assert vercel.changes == []


def test_each_attempt_of_a_step_is_counted_by_its_action_and_outcome(at: Bench) -> None:
    carry_out(at)
    carry_out(at, id="INC-1-r1/planned", dry_run=True)
    at.client.set(at.keys.kill, b"on")
    carry_out(at, id="INC-1-r1/stopped")
    assert at.counted() == {
        f'tocsin_steps_total{{action="vercel.rollback",outcome="{outcome}"}}': 1
        for outcome in ("ok", "dry_run", "refused")
    }


def test_the_kill_switch_is_read_once_more_right_before_the_call(at: Bench, vercel: VercelStandin) -> None:
    """It is thrown while the action still looks at the state."""
    answer = vercel.answer

    def throw(asked: Any) -> Reply:
        at.client.set(at.keys.kill, b"on")
        return answer(asked)

    vercel.answer = throw  # type: ignore[method-assign]
    carry_out(at)
    assert at.done().outcome is Outcome.REFUSED
    assert vercel.changes == []
    assert free(at)


def test_a_lock_that_went_to_another_run_meanwhile_stops_the_call(at: Bench, vercel: VercelStandin) -> None:
    answer = vercel.answer

    def steal(asked: Any) -> Reply:
        at.client.delete(at.keys.lock("vercel:site"))
        locks.take(at.client, at.keys, "vercel:site", "INC-2-r1", 60_000, 9)
        return answer(asked)

    vercel.answer = steal  # type: ignore[method-assign]
    carry_out(at)
    assert at.done().outcome is Outcome.REFUSED
    assert vercel.changes == []
    assert not free(at)


def test_a_locked_target_is_refused_and_says_who_holds_it(at: Bench, vercel: VercelStandin) -> None:
    locks.take(at.client, at.keys, "vercel:site", "INC-7-r1", 60_000, 9)
    carry_out(at)
    assert at.done().outcome is Outcome.REFUSED
    assert "INC-7-r1" in at.done().error
    assert vercel.changes == []


def test_what_was_found_before_another_run_had_the_target_is_not_acted_upon(
    at: Bench, vercel: VercelStandin
) -> None:
    looked_at = now_ms() - 1_000
    carry_out(at, looked_at=looked_at)
    carry_out(
        at,
        id="INC-2-r1/rollback",
        run="INC-2-r1",
        params={"project": "prj_1", "to": "dpl_old"},
        looked_at=looked_at,
    )
    assert (at.done().outcome, at.done().stale, at.done().request) == (Outcome.REFUSED, True, "")
    assert at.done().error == "run INC-1-r1 had vercel:site since this one looked at it"
    assert vercel.changes == [ROLLBACK]


def test_more_changes_at_once_than_allowed_are_refused(
    redis: Redis, at: Bench, vercel: VercelStandin
) -> None:
    at = bench(redis, actions={"vercel": dict(vercel.settings())}, max_running=1)
    locks.take(at.client, at.keys, "another:target", "INC-7-r1", 60_000, 9)
    carry_out(at)
    assert (at.done().outcome, vercel.changes) == (Outcome.REFUSED, [])


@pytest.mark.parametrize(
    ("how", "outcome", "given_back"),
    [
        (Misbehaviour(status=422, path="rollback"), Outcome.PERMANENT, True),
        (Misbehaviour(status=429, retry_after="9", path="rollback"), Outcome.TEMPORARY, True),
        (Misbehaviour(status=504, path="rollback"), Outcome.UNKNOWN, False),
    ],
    ids=["422", "429", "504"],
)
def test_the_lock_is_given_back_unless_nobody_knows_what_happened(
    at: Bench, vercel: VercelStandin, how: Misbehaviour, outcome: Outcome, *, given_back: bool
) -> None:
    vercel.misbehave(how)
    carry_out(at)
    done = at.done()
    assert done.outcome is outcome
    assert done.retry_after_ms == (9_000 if how.retry_after else 0)
    assert f"POST {ROLLBACK} answered {how.status}" in done.request
    assert free(at) is given_back


def test_a_dry_run_looks_for_real_and_says_what_it_would_change(at: Bench, vercel: VercelStandin) -> None:
    carry_out(at, dry_run=True)
    done = at.done()
    assert done.outcome is Outcome.OK
    assert done.output == {
        "dry_run": True,
        "why": "dry run",
        "would": {"method": "POST", "url": f"{vercel.url}{ROLLBACK}"},
    }
    carry_out(at, id="INC-1-r1/look", dry_run=True, **look("vercel.deployments", project="prj_1"))
    assert at.done().output["current"]["uid"] == "dpl_bad"
    assert vercel.changes == []


@pytest.mark.parametrize("settings", [{"token": Secret("VERCEL_TOKEN")}, {}], ids=["unset", "not named"])
@pytest.mark.parametrize("changes", [{}, look("vercel.deployments", project="prj_1")], ids=["change", "look"])
def test_without_a_token_every_step_only_says_what_it_would_ask(
    redis: Redis, vercel: VercelStandin, settings: dict[str, Setting], changes: dict[str, Any]
) -> None:
    at = bench(redis, actions={"vercel": {**settings, "base_url": vercel.url}})
    carry_out(at, **changes)
    done = at.done()
    assert (done.outcome, done.output["dry_run"]) == (Outcome.OK, True)
    assert "VERCEL_TOKEN" in done.output["why"]
    assert done.output["would"]["url"].startswith(vercel.url)
    assert vercel.calls == []


def test_a_dry_run_that_cannot_know_its_parameters_yet_still_tells_the_step(at: Bench) -> None:
    carry_out(at, dry_run=True, params={"project": "prj_1", "to": None})
    assert at.done().output["would"] == {
        "action": "vercel.rollback",
        "params": {"project": "prj_1", "to": None},
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"params": {"project": "../x", "to": "dpl_good"}}, "project"),
        ({"params": {"project": "prj_1"}}, "to"),
        ({"action": "vercel.explode"}, "vercel.explode"),
        ({"action": "pigeon.send"}, "pigeon.send"),
    ],
)
def test_a_step_that_cannot_be_is_permanent_and_says_why(
    at: Bench, vercel: VercelStandin, changes: dict[str, Any], said: str
) -> None:
    carry_out(at, **changes)
    assert at.done().outcome is Outcome.PERMANENT
    assert said in at.done().error
    assert vercel.changes == []
    assert free(at)


def test_an_action_that_changes_is_guarded_even_if_its_step_does_not_say_so(
    at: Bench, vercel: VercelStandin
) -> None:
    at.client.set(at.keys.kill, b"on")
    carry_out(at, mutates=False, lock="")
    assert (at.done().outcome, vercel.changes) == (Outcome.REFUSED, [])
    at.client.delete(at.keys.kill)
    carry_out(at, id="INC-1-r1/dry", mutates=False, lock="", dry_run=True)
    assert (at.done().output["dry_run"], vercel.changes) == (True, [])


def test_a_site_that_is_ill_is_found_out(at: Bench) -> None:
    with SiteStandin() as site:
        site.healthy = False
        carry_out(at, **look("http.probe", url=site.url, count=3, every_ms=1))
    assert (at.done().output["failures"], at.done().output["last"]["status"]) == (3, 503)


def test_what_is_kept_of_an_output_is_bounded_and_has_no_secret(at: Bench) -> None:
    body = {"client_secret": "hunter2", "note": "see sk_live_" + "a1B2c3D4e5F6"}
    with VendorServer(lambda _: Reply(200, body)) as page:
        carry_out(at, **look("http.get_json", url=page.url))
    assert at.done().output["body"] == {"client_secret": redaction.GONE, "note": f"see {redaction.GONE}"}
    with VendorServer(lambda _: Reply(200, {"rows": ["x" * 1000] * 100})) as page:
        carry_out(at, id="INC-1-r1/big", **look("http.get_json", url=page.url))
    assert at.done().output["truncated"]
