"""The audit of a repair: who did what by which rule, with what, what was asked and answered, and how it was verified."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Ask, Desk, Run
from redis import Redis
from small_policy import HERE, POLICY, ROLLBACK, firing
from vendor_server import Reply, VendorServer
from vercel_standin import VercelStandin
from workshop import bench

from ledger import outbox, wire
from ledger.clock import now_ms
from routing.effect import Step
from routing.entry import Lane
from routing.policy import RunbookStep, Verify
from workers import redaction, remediate

SECRET = "sk_live_" + "a1B2c3D4e5F6"
MADE = "POST /v1/projects/prj_1/rollback/dpl_good answered 201"


def step(name: str, action: str, *, mutates: bool = False, **params: str) -> RunbookStep:
    return RunbookStep(name, action, params, 5_000, mutates, HERE)


@pytest.fixture
def vercel() -> Iterator[VercelStandin]:
    with VercelStandin() as server:
        yield server


@pytest.fixture
def page() -> Iterator[VendorServer]:
    """At /orders it says much, and what nobody should keep."""
    much = {"token": "hunter2-of-the-shop", "said": f"use {SECRET}", "rows": ["x" * 1000] * 100}
    with VendorServer(lambda asked: Reply(200, much if asked.path == "/orders" else {})) as server:
        yield server


@pytest.fixture
def repaired(redis: Redis, redis_url: str, tmp_path: Path, vercel: VercelStandin, page: VendorServer) -> Desk:
    """INC-1, whose run looked, went back and looked again, by a worker's own code; decided by the real fold."""
    orders = f"{page.url}/orders?api_key={SECRET}"
    book = replace(
        ROLLBACK,
        diagnose=(step("look", "http.get_json", url=orders),),
        guards=(),
        remediate=(step("rollback", "vercel.rollback", mutates=True, project="prj_1", to="dpl_good"),),
        verify=Verify(
            step("verify", "http.get_json", url=f"{page.url}/well"), "status == `200`", 1_000, 0, 60_000
        ),
    )
    policy = replace(POLICY, runbooks=(book,))
    worker = bench(
        redis, actions={"vercel": dict(vercel.settings()), "http": {"allow_private": True}}, runbooks=(book,)
    )
    desk = Desk(redis_url, tmp_path, policy)
    desk.publish()
    desk.policy = policy
    desk.append(firing("api-broken", at=now_ms()))
    while steps := [
        each.effect for each in outbox.pending(redis, worker.keys) if isinstance(each.effect, Step)
    ]:
        remediate.carry_out(worker, steps[0].id, steps[0].attempt)
        desk.fold()
    return desk


def test_every_step_is_shown_with_what_was_given_asked_and_answered(repaired: Desk, ask: Ask) -> None:
    shown = ask("incidents", "show", "INC-1")
    (run,) = shown["runs"]
    assert (run["status"], shown["resolved_by"]) == ("succeeded", "runbook rollback")
    look, change, verify = run["steps"]
    assert (change["params"], change["output"]) == (
        {"project": "prj_1", "to": "dpl_good"},
        {"requested": True, "to": "dpl_good"},
    )
    assert change["request"] == f"GET /v9/projects/prj_1 answered 200; {MADE}"
    assert (look["request"], verify["status"]) == ("GET /orders answered 200", "ok")
    (life,) = ask("why", "INC-1-r1")
    (told,) = [each["facts"] for each in life["life"] if each["stage"] == "runbook"]
    assert told["steps"] == run["steps"]


def test_what_is_kept_is_bounded_and_holds_no_secret(repaired: Desk, run: Run, ask: Ask) -> None:
    (look, *_) = ask("incidents", "show", "INC-1")["runs"][0]["steps"]
    assert (look["output"]["truncated"], len(look["output"]["head"]) < redaction.MAX_BYTES) == (True, True)
    assert redaction.GONE in look["params"]["url"]
    for told in (
        run("incidents", "show", "INC-1"),
        run("why", "INC-1"),
        run("incidents", "show", "INC-1", "--json"),
    ):
        assert not [
            secret
            for secret in (SECRET, "hunter2-of-the-shop", "standin-vercel-token")
            if secret in told.stdout
        ]
    entries = wire.call(repaired.client, "XRANGE", repaired.keys.log(Lane.CONTROL), "-", "+")
    assert SECRET not in str(entries), "neither does the log"


def test_a_person_reads_the_steps_of_a_run(repaired: Desk, run: Run) -> None:
    for told in (run("incidents", "show", "INC-1").stdout, run("why", "INC-1-r1").stdout):
        assert "project: prj_1, to: dpl_good" in told
        assert MADE in told


def test_the_timeline_names_who_which_rule_what_was_asked_and_how_it_was_verified(
    repaired: Desk, ask: Ask
) -> None:
    timeline = ask("incidents", "show", "INC-1")["timeline"]
    whats = [moment["what"] for moment in timeline]
    (changed,) = [moment for moment in timeline if "rollback: rollback found" in moment["what"]]
    rule, asked = changed["reasons"]
    assert (changed["by"], rule["rule"], rule["origin"]) == ("w1", "step rollback", str(HERE))
    assert rule["text"] == 'vercel.rollback with {"project":"prj_1","to":"dpl_good"}'
    assert asked["text"].endswith(MADE)
    assert any(what.startswith("rollback: verify found") for what in whats)
    assert "runbook rollback succeeded: the symptom is gone: 1 good checks in a row" in whats


def test_a_change_that_was_refused_is_in_the_timeline_too(
    repaired: Desk, ask: Ask, redis: Redis, vercel: VercelStandin
) -> None:
    """Nothing of what was said before is touched by it."""
    before = redis.lrange(repaired.keys.timeline("INC-1"), 0, -1)
    policy = replace(repaired.policy, runbooks=(replace(repaired.policy.runbooks[0], id="again"),))
    repaired.policy = policy
    worker = bench(
        redis,
        actions={"vercel": dict(vercel.settings()), "http": {"allow_private": True}},
        runbooks=policy.runbooks,
    )
    repaired.append(firing("api-broken", at=now_ms(), starts_at=now_ms()))
    for kill in (False, True):
        if kill:
            redis.set(worker.keys.kill, b"on")
        (effect,) = [
            each.effect for each in outbox.pending(redis, worker.keys) if isinstance(each.effect, Step)
        ]
        remediate.carry_out(worker, effect.id, effect.attempt)
        repaired.fold()
    timeline = ask("incidents", "show", "INC-1")["timeline"]
    (refused,) = [
        moment for moment in timeline if "again: rollback refused: the kill switch is on" in moment["what"]
    ]
    assert refused["reasons"][0]["rule"] == "step rollback"
    after = redis.lrange(repaired.keys.timeline("INC-1"), 0, -1)
    assert (after[: len(before)], len(after) > len(before)) == (before, True)
