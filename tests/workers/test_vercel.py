"""Vercel's actions against a stand-in whose deployments really switch."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from vendor_server import Misbehaviour
from vercel_standin import VercelStandin

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import vercel
from workers.credentials import NoCredentialsError

ROLLBACK = "/v1/projects/prj_1/rollback/dpl_good"


@pytest.fixture
def standin() -> Iterator[VercelStandin]:
    with VercelStandin() as server:
        yield server


def run(name: str, standin: VercelStandin, **params: Any) -> dict[str, Any]:
    return act(name, step(standin), project="prj_1", **params)


def step(standin: VercelStandin, timeout_s: float = 2.0, **changes: Any) -> Step:
    fields = {"settings": standin.settings(), "idempotency_key": "", "now": now_ms(), **changes}
    return Step(timeout_s=timeout_s, **fields)


def act(name: str, at: Step, **params: Any) -> dict[str, Any]:
    action = vercel.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def failure(name: str, at: Step, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, project="prj_1", **params)
    return failed.value


def test_deployments_tell_what_is_live_how_old_by_whom_and_where_back_to(standin: VercelStandin) -> None:
    found = run("deployments", standin)
    assert found["current"]["uid"] == "dpl_bad"
    assert found["current"]["age_minutes"] == 12
    assert found["current"]["creator"] == "dora"
    assert found["candidate"]["uid"] == "dpl_good"
    assert found["alias"]["status"] == "none"


def test_an_old_deployment_promoted_just_now_is_young(standin: VercelStandin) -> None:
    standin.project.deployments[0].created = now_ms() - 86_400_000
    assert run("deployments", standin)["current"]["age_minutes"] == 1440
    standin.shown_changes = {"aliasAssigned": now_ms() - 5 * 60_000}
    assert run("deployments", standin)["current"]["age_minutes"] == 5


def test_what_is_live_is_not_what_was_built_last(standin: VercelStandin) -> None:
    run("rollback", standin, to="dpl_good")
    standin.deploy("dpl_newer")
    found = run("deployments", standin)
    assert (found["current"]["uid"], found["candidate"]["uid"]) == ("dpl_good", "dpl_old")


def test_without_an_earlier_deployment_there_is_no_candidate(standin: VercelStandin) -> None:
    del standin.project.deployments[1:]
    assert run("deployments", standin)["candidate"] is None


def test_a_rollback_switches_and_leaves_new_deployments_unassigned(standin: VercelStandin) -> None:
    assert run("rollback", standin, to="dpl_good") == {"requested": True, "to": "dpl_good"}
    assert (standin.live, standin.project.auto_assign) == ("dpl_good", False)
    assert standin.changes == [ROLLBACK]


def test_a_rollback_that_is_done_already_is_not_asked_for_again(standin: VercelStandin) -> None:
    run("rollback", standin, to="dpl_good")
    assert run("rollback", standin, to="dpl_good")["already"]
    assert standin.changes == [ROLLBACK]


def test_a_rollback_under_way_is_not_asked_for_again_and_its_progress_can_be_read(
    standin: VercelStandin,
) -> None:
    standin.settle_ms = 150
    run("rollback", standin, to="dpl_good")
    assert run("rollback", standin, to="dpl_good")["already"]
    assert run("alias_status", standin)["status"] == "in-progress"
    assert standin.changes == [ROLLBACK]
    until = time.monotonic() + 5
    while run("alias_status", standin)["status"] != "succeeded":
        assert time.monotonic() < until
    assert run("alias_status", standin)["current"] == "dpl_good"


@pytest.mark.parametrize(
    "how",
    [Misbehaviour(delay_s=30), Misbehaviour(hang_up=True), Misbehaviour(delay_s=30, garbage=True)],
    ids=["30 s", "hangs up", "30 s and garbage"],
)
def test_silence_after_a_rollback_is_settled_by_looking(standin: VercelStandin, how: Misbehaviour) -> None:
    standin.misbehave(Misbehaviour(**{**how.__dict__, "path": "rollback"}))
    found = act("rollback", step(standin, 0.4), project="prj_1", to="dpl_good")
    assert found["already"]
    assert standin.changes == [ROLLBACK]


def test_silence_that_looking_does_not_explain_stays_unknown(standin: VercelStandin) -> None:
    standin.misbehave(Misbehaviour(status=504, path="rollback"))
    assert failure("rollback", step(standin), to="dpl_good").outcome is Outcome.UNKNOWN
    assert standin.changes == []


def test_silence_while_nobody_can_look_stays_unknown(standin: VercelStandin) -> None:
    standin.misbehave(Misbehaviour())
    standin.misbehave(Misbehaviour(hang_up=True, path="rollback"), Misbehaviour(status=500))
    assert failure("rollback", step(standin), to="dpl_good").outcome is Outcome.UNKNOWN


def test_another_rollback_under_way_may_be_waited_for(standin: VercelStandin) -> None:
    standin.settle_ms = 60_000
    run("rollback", standin, to="dpl_old")
    assert failure("rollback", step(standin), to="dpl_good").outcome is Outcome.TEMPORARY


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=400), Outcome.PERMANENT),
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=402), Outcome.PERMANENT),
        (Misbehaviour(status=403), Outcome.PERMANENT),
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(status=409), Outcome.TEMPORARY),
        (Misbehaviour(status=410), Outcome.PERMANENT),
        (Misbehaviour(status=422), Outcome.PERMANENT),
        (Misbehaviour(status=429, retry_after="9"), Outcome.TEMPORARY),
        (Misbehaviour(status=500), Outcome.TEMPORARY),
        (Misbehaviour(status=502), Outcome.UNKNOWN),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(status=504), Outcome.UNKNOWN),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Misbehaviour) else str(value),
)
def test_every_refusal_of_a_rollback_has_its_class(
    standin: VercelStandin, how: Misbehaviour, outcome: Outcome
) -> None:
    standin.misbehave(Misbehaviour(**{**how.__dict__, "path": "rollback"}))
    failed = failure("rollback", step(standin), to="dpl_good")
    assert failed.outcome is outcome
    assert failed.retry_after_ms == (9_000 if how.retry_after else 0)
    assert standin.changes == []


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(status=429), Outcome.TEMPORARY),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(status=504), Outcome.TEMPORARY),
        (Misbehaviour(garbage=True), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY),
        (Misbehaviour(delay_s=30), Outcome.TEMPORARY),
    ],
    ids=["401", "404", "429", "503", "504", "garbage", "hangs up", "30 s"],
)
@pytest.mark.parametrize("name", ["deployments", "alias_status"])
def test_every_refusal_of_a_look_has_its_class(
    standin: VercelStandin, name: str, how: Misbehaviour, outcome: Outcome
) -> None:
    standin.misbehave(how)
    assert failure(name, step(standin, 0.4)).outcome is outcome


def test_an_answer_of_another_shape_is_nothing_known(standin: VercelStandin) -> None:
    standin.misbehave(Misbehaviour(not_ok=True), Misbehaviour(not_ok=True))
    found = run("deployments", standin)
    assert (found["current"], found["candidate"]) == (None, None)


def test_a_promotion_makes_new_deployments_go_live_again(standin: VercelStandin) -> None:
    run("rollback", standin, to="dpl_good")
    assert run("promote", standin, deployment="dpl_bad") == {"requested": True, "deployment": "dpl_bad"}
    assert (standin.live, standin.project.auto_assign) == ("dpl_bad", True)


def test_promoting_what_is_live_already_is_a_success(standin: VercelStandin) -> None:
    assert run("promote", standin, deployment="dpl_bad")["already"]
    assert standin.changes == []


@pytest.mark.parametrize(
    ("name", "params"), [("rollback", {"to": "dpl_good"}), ("promote", {"deployment": "dpl_good"})]
)
def test_permission_is_asked_for_right_before_the_change(
    standin: VercelStandin, name: str, params: dict[str, str]
) -> None:
    failed = failure(name, step(standin, allowed=lambda: False), **params)
    assert failed.outcome is Outcome.REFUSED
    assert standin.changes == []


def test_a_teams_project_is_asked_for_as_the_teams() -> None:
    with VercelStandin(team="team_1") as standin:
        run("rollback", standin, to="dpl_good")
        assert {call.query["teamId"][0] for call in standin.calls} == {"team_1"}


def test_a_wrong_token_is_permanent_says_what_to_check_and_is_not_shown(standin: VercelStandin) -> None:
    settings = standin.settings(token="not-the-token")
    failed = failure("deployments", step(standin, settings=settings))
    assert failed.outcome is Outcome.PERMANENT
    assert "token" in str(failed)
    assert "not-the-token" not in str(failed)


def test_without_a_token_nothing_is_asked(standin: VercelStandin) -> None:
    failed = failure("deployments", step(standin, settings={"base_url": standin.url}))
    assert isinstance(failed, NoCredentialsError)
    assert "VERCEL_TOKEN" in str(failed)
    assert standin.calls == []


@pytest.mark.parametrize("value", ["../../v1/teams", "..", ".", "a/b", "a?b", "", "x" * 200, "dpl good"])
def test_an_id_cannot_lead_elsewhere(value: str) -> None:
    with pytest.raises(ValueError, match="to"):
        vercel.Rollback(project="prj_1", to=value)


@pytest.mark.parametrize("name", list(vercel.ACTIONS))
def test_every_action_can_say_what_it_would_ask_without_asking(standin: VercelStandin, name: str) -> None:
    action = vercel.ACTIONS[name]
    all_needed: dict[str, dict[str, Any]] = {
        "rollback": {"to": "dpl_good"}, "promote": {"deployment": "dpl_good"}, "runtime_log": {"deployment": "dpl_good"},
        "block_ip": {"ip": "8.8.4.4"}, "rate_limit": {"limit": 5}, "set_env": {"key": "MODE", "value": "x"}, "variable": {"key": "MODE"},
    }  # fmt: skip
    needed = all_needed.get(name, {})
    given = {"deployment": "dpl_bad"} if name in {"cancel", "build_log"} else {"project": "prj_1", **needed}
    assert action.plan is not None
    planned = action.plan(step(standin), action.params(**given))
    assert (planned["would"]["method"] != "GET") is action.mutates
    assert planned["would"]["url"].startswith(standin.url)
    assert standin.calls == []
