"""What changes a project at Vercel besides going back: never twice, never past a stop, never too much."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import hostile
import pytest
from examples import examples
from hypothesis import HealthCheck, given
from vendor_server import Misbehaviour
from vercel_standin import Deployment, VercelStandin

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import HOUR, MINUTE
from routing.ports import Step
from workers.actions import vercel
from workers.credentials import NoCredentialsError, as_text
from workers.deadline import Deadline

IP = "8.8.4.4"
SETTINGS: dict[str, Any] = {
    "never_block": ["9.9.9.0/24", "2620:fe::fe"],
    "values": {"key": "s3cret", "none": ""},
}
FIREWALL = "PATCH /v1/security/firewall/config"
CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "redeploy": ({"project": "prj_1"}, "POST /v13/deployments"),
    "cancel": ({"deployment": "dpl_new"}, "PATCH /v12/deployments/dpl_new/cancel"),
    "block_ip": ({"project": "prj_1", "ip": IP, "note": "INC-1"}, FIREWALL),
    "unblock_ip": ({"project": "prj_1", "id": "entry_ours"}, FIREWALL),
    "rate_limit": ({"project": "prj_1", "path": "/api/", "limit": 100, "note": "INC-1"}, FIREWALL),
    "lift_rate_limit": ({"project": "prj_1", "id": "rule_ours"}, FIREWALL),
    "attack_mode": ({"project": "prj_1"}, "POST /v1/security/attack-mode"),
    "set_env": ({"project": "prj_1", "key": "MODE", "value": "calm"}, "PATCH /v9/projects/prj_1/env/env_1"),
}
ONE_OF_EACH = pytest.mark.parametrize(
    ("name", "params", "change"), [(name, *each) for name, each in CHANGES.items()], ids=list(CHANGES)
)


@pytest.fixture
def standin() -> Iterator[VercelStandin]:
    with VercelStandin() as server:
        project = server.project
        project.deployments.insert(0, Deployment("dpl_new", now_ms(), candidate=False, state="BUILDING"))
        project.firewall.configured = True
        project.firewall.ips.append(entry("entry_ours", "8.8.8.8", "tocsin: INC-0"))
        project.firewall.rules.append({"id": "rule_ours", "name": "tocsin: INC-0 /"})
        project.env = [
            variable("env_1", "MODE", "plain", "normal"),
            variable("env_2", "KEY", "encrypted", "…"),
        ]
        yield server


def entry(number: str, ip: str, notes: str, action: str = "deny") -> dict[str, Any]:
    return {"id": number, "hostname": "*", "ip": ip, "action": action, "notes": notes}


def variable(number: str, key: str, kind: str, value: str, *targets: str) -> dict[str, Any]:
    found = {"id": number, "key": key, "type": kind, "value": value, "updatedAt": 1}
    return {**found, "target": list(targets) or ["production"]}


def step(standin: VercelStandin, timeout_s: float = 2.0, **changes: Any) -> Step:
    given = as_text({**standin.settings(), **SETTINGS})
    fields: dict[str, Any] = {"settings": given, "idempotency_key": "", "now": now_ms(), **changes}
    return Step(timeout_s=timeout_s, **fields)


def run(name: str, standin: VercelStandin, /, **params: Any) -> dict[str, Any]:
    return act(name, step(standin), **params)


def act(name: str, at: Step, /, **params: Any) -> dict[str, Any]:
    action = vercel.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def failure(name: str, at: Step, /, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, **params)
    return failed.value


def goes_wrong(standin: VercelStandin, change: str, how: Misbehaviour) -> None:
    """Only the change does; what is asked before it and after it is answered."""
    method, path = change.split()
    standin.misbehave(replace(how, method=method, path=f"{path} "))


@ONE_OF_EACH
def test_each_changes_the_project_once_and_a_repeat_finds_it_done(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    assert "already" not in run(name, standin, **params)
    assert run(name, standin, **params)["already"]
    assert standin.changes == [change.split()[1]]


@ONE_OF_EACH
@pytest.mark.parametrize(
    "how",
    [Misbehaviour(delay_s=30), Misbehaviour(hang_up=True)],
    ids=["30 s", "hangs up"],
)
def test_silence_after_a_change_is_settled_by_looking(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str, how: Misbehaviour
) -> None:
    goes_wrong(standin, change, how)
    assert act(name, step(standin, 5.0, left=lambda: 1.0), **params)["already"]
    assert standin.changes == [change.split()[1]]


@ONE_OF_EACH
def test_silence_that_looking_does_not_explain_stays_unknown(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    goes_wrong(standin, change, Misbehaviour(status=504))
    assert failure(name, step(standin), **params).outcome is Outcome.UNKNOWN
    assert standin.changes == []


@ONE_OF_EACH
def test_silence_while_nobody_can_look_stays_unknown(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    goes_wrong(standin, change, Misbehaviour(hang_up=True, ill_after=True))
    assert failure(name, step(standin), **params).outcome is Outcome.UNKNOWN
    assert standin.changes == [change.split()[1]]


@ONE_OF_EACH
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.PERMANENT),
        (401, Outcome.PERMANENT),
        (402, Outcome.PERMANENT),
        (403, Outcome.PERMANENT),
        (404, Outcome.PERMANENT),
        (409, Outcome.TEMPORARY),
        (429, Outcome.TEMPORARY),
        (500, Outcome.TEMPORARY),
        (502, Outcome.UNKNOWN),
        (503, Outcome.TEMPORARY),
    ],
)
def test_every_refusal_of_a_change_has_its_class(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str, status: int, outcome: Outcome
) -> None:
    goes_wrong(standin, change, Misbehaviour(status=status, retry_after="9"))
    failed = failure(name, step(standin), **params)
    assert (failed.outcome, failed.retry_after_ms) == (outcome, 9_000)
    assert standin.changes == []


@ONE_OF_EACH
def test_permission_is_asked_for_right_before_the_change(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    assert failure(name, step(standin, allowed=lambda: False), **params).outcome is Outcome.REFUSED
    assert standin.changes == []


@ONE_OF_EACH
def test_without_a_token_nothing_is_asked(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    given = as_text({"base_url": standin.url, **SETTINGS})
    assert isinstance(failure(name, step(standin, settings=given), **params), NoCredentialsError)
    assert standin.calls == []


@ONE_OF_EACH
def test_no_change_is_begun_once_the_steps_time_is_used_up(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    failed = failure(name, step(standin, left=lambda: 0.0), **params)
    assert (failed.outcome, "longer timeout" in str(failed)) == (Outcome.TEMPORARY, True)
    assert standin.changes == []


@ONE_OF_EACH
def test_silence_that_used_up_the_steps_time_is_settled_by_a_last_look(
    standin: VercelStandin, name: str, params: dict[str, Any], change: str
) -> None:
    goes_wrong(standin, change, Misbehaviour(delay_s=30))
    assert act(name, step(standin, 30, left=Deadline(1.5).rest), **params)["already"]
    assert standin.changes == [change.split()[1]]


# redeploy, cancel


def test_what_is_live_is_built_again_and_goes_live_when_it_is_done(standin: VercelStandin) -> None:
    found = run("redeploy", standin, project="prj_1")
    assert (found["of"], found["needs_promotion"]) == ("dpl_bad", False)
    asked = standin.calls[-1]
    assert (asked.query["forceNew"], json.loads(asked.body)) == (
        ["1"],
        {"name": "site", "deploymentId": "dpl_bad", "target": "production", "meta": {"action": "redeploy"}},
    )
    standin.finish(found["deployment"])
    assert standin.live == found["deployment"]


def test_a_redeploy_of_the_same_step_that_is_done_is_known_by_its_key(standin: VercelStandin) -> None:
    keyed = step(standin, idempotency_key="INC-1:redeploy")
    first = act("redeploy", keyed, project="prj_1")
    standin.finish(first["deployment"])
    again = act("redeploy", keyed, project="prj_1")
    assert (again["already"], again["deployment"]) == (True, first["deployment"])
    other = act("redeploy", step(standin, idempotency_key="INC-2:redeploy"), project="prj_1")
    assert other["deployment"] != first["deployment"]


def test_a_redeploy_that_failed_may_be_tried_again(standin: VercelStandin) -> None:
    keyed = step(standin, idempotency_key="INC-1:redeploy")
    first = act("redeploy", keyed, project="prj_1")
    run("cancel", standin, deployment=first["deployment"])
    assert "already" not in act("redeploy", keyed, project="prj_1")


def test_after_a_rollback_a_redeploy_says_that_it_does_not_go_live_by_itself(standin: VercelStandin) -> None:
    run("rollback", standin, project="prj_1", to="dpl_good")
    found = run("redeploy", standin, project="prj_1")
    assert (found["of"], found["needs_promotion"]) == ("dpl_good", True)
    standin.finish(found["deployment"])
    assert standin.live == "dpl_good"


def test_what_is_ready_cannot_be_canceled(standin: VercelStandin) -> None:
    failed = failure("cancel", step(standin), deployment="dpl_bad")
    assert (failed.outcome, "READY" in str(failed)) == (Outcome.PERMANENT, True)
    assert standin.changes == []


# the firewall


def test_a_blocked_address_is_out_until_that_block_is_removed(standin: VercelStandin) -> None:
    found = run("block_ip", standin, project="prj_1", ip=IP, note="INC-1")
    assert (found["ip"], found["affects"], IP in standin.project.firewall.blocked()) == (IP, 1, True)
    assert json.loads(standin.calls[-2].body) == {
        "action": "ip.insert",
        "id": None,
        "value": {"hostname": "*", "ip": IP, "action": "deny", "notes": "tocsin: INC-1"},
    }
    run("unblock_ip", standin, project="prj_1", id=found["id"])
    assert standin.project.firewall.blocked() == {"8.8.8.8"}


def test_a_project_without_a_firewall_gets_one(standin: VercelStandin) -> None:
    standin.project.firewall.configured = False
    assert run("block_ip", standin, project="prj_1", ip=IP)["id"]


def test_somebody_elses_block_is_enough_and_is_never_taken_back(standin: VercelStandin) -> None:
    standin.project.firewall.ips.append(entry("theirs", IP, "a person"))
    found = run("block_ip", standin, project="prj_1", ip=IP, note="INC-1")
    assert (found["already"], found["id"]) == (True, "")
    assert run("unblock_ip", standin, project="prj_1", id="")["already"]
    assert failure("unblock_ip", step(standin), project="prj_1", id="theirs").outcome is Outcome.REFUSED
    assert standin.changes == []


def test_an_entry_that_only_logs_blocks_nobody(standin: VercelStandin) -> None:
    standin.project.firewall.ips.append(entry("theirs", IP, "a person", "log"))
    assert "already" not in run("block_ip", standin, project="prj_1", ip=IP)


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1", "192.168.1.7", "172.16.0.0/24", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "203.0.113.9", "192.0.0.0/24", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1",
        "9.9.9.9", "9.9.9.0/24", "2620:fe::fe", "2620:fe::/48", "::ffff:9.9.9.9",
    ],
)  # fmt: skip
def test_what_is_not_public_or_ours_is_never_blocked(standin: VercelStandin, ip: str) -> None:
    assert failure("block_ip", step(standin), project="prj_1", ip=ip).outcome is Outcome.REFUSED
    assert standin.calls == []


@pytest.mark.parametrize(
    "ip", ["0.0.0.0/0", "8.8.0.0/16", "8.0.0.0/23", "::/0", "2600::/32", "8.8.8.8/24", "8.8.8", "008.8.8.8"]
)
def test_too_much_at_once_or_no_address_at_all_is_not_taken(ip: str) -> None:
    with pytest.raises(ValueError, match="ip"):
        vercel.ACTIONS["block_ip"].params(project="prj_1", ip=ip)


def test_addresses_are_written_in_one_way(standin: VercelStandin) -> None:
    assert run("block_ip", standin, project="prj_1", ip="::ffff:8.8.4.4")["ip"] == IP
    assert run("block_ip", standin, project="prj_1", ip="8.8.4.0/24")["affects"] == 256
    assert run("block_ip", standin, project="prj_1", ip="2a00:1450:0:0::1")["ip"] == "2a00:1450::1"


def test_nothing_is_blocked_while_nobody_has_said_what_to_spare(standin: VercelStandin) -> None:
    failed = failure("block_ip", step(standin, settings=standin.settings()), project="prj_1", ip=IP)
    assert (failed.outcome, "vercel.never_block" in str(failed)) == (Outcome.REFUSED, True)
    assert standin.calls == []


def test_a_rate_limit_holds_below_its_path_and_is_lifted_by_its_id(standin: VercelStandin) -> None:
    found = run("rate_limit", standin, project="prj_1", path="/api/", limit=100, window_s=30, note="INC-1")
    assert (found["limit"], found["window_s"]) == (100, 30)
    rule = standin.project.firewall.rules[-1]
    assert rule["name"] == "tocsin: INC-1 /api/"
    assert rule["conditionGroup"] == [{"conditions": [{"type": "path", "op": "pre", "value": "/api/"}]}]
    assert rule["action"]["mitigate"]["rateLimit"] == {
        "algo": "fixed_window", "window": 30, "limit": 100, "keys": ["ip"], "action": "rate_limit",
    }  # fmt: skip
    run("lift_rate_limit", standin, project="prj_1", id=found["id"])
    assert [each["id"] for each in standin.project.firewall.rules] == ["rule_ours"]


def test_a_rule_of_somebody_else_is_not_lifted(standin: VercelStandin) -> None:
    standin.project.firewall.rules.append({"id": "theirs", "name": "bots"})
    assert failure("lift_rate_limit", step(standin), project="prj_1", id="theirs").outcome is Outcome.REFUSED


# attack mode


def test_attack_mode_always_has_an_end_and_is_taken_back(standin: VercelStandin) -> None:
    at = step(standin)
    found = act("attack_mode", at, project="prj_1", for_minutes=30)
    assert found == {"enabled": True, "was": False, "until": at.now + 30 * MINUTE}
    firewall = standin.project.firewall
    assert (firewall.attack, firewall.attack_until) == (True, at.now + 30 * MINUTE)
    assert run("attack_mode", standin, project="prj_1", enabled=found["was"])["enabled"] is False
    assert firewall.attack is False


def test_attack_mode_that_ends_too_early_is_prolonged_and_one_without_an_end_left_alone(
    standin: VercelStandin,
) -> None:
    firewall, now = standin.project.firewall, now_ms()
    firewall.attack, firewall.attack_until = True, now + 10 * MINUTE
    assert run("attack_mode", standin, project="prj_1")["until"] > now + 50 * MINUTE
    firewall.attack_until = None
    found = run("attack_mode", standin, project="prj_1")
    assert (found["already"], found["was"], found["until"]) == (True, True, None)
    assert len(standin.changes) == 1


def test_attack_mode_that_has_ended_is_off(standin: VercelStandin) -> None:
    standin.project.firewall.attack, standin.project.firewall.attack_until = True, now_ms() - HOUR
    assert run("attack_mode", standin, project="prj_1")["was"] is False


@pytest.mark.parametrize("minutes", [0, -1, 1441])
def test_attack_mode_is_for_a_day_at_most(minutes: int) -> None:
    with pytest.raises(ValueError, match="for_minutes"):
        vercel.ACTIONS["attack_mode"].params(project="prj_1", for_minutes=minutes)


# variables


def test_a_plain_variable_is_set_and_set_back(standin: VercelStandin) -> None:
    found = run("set_env", standin, project="prj_1", key="MODE", value="calm")
    assert found == {"key": "MODE", "id": "env_1", "was": "normal"}
    run("set_env", standin, project="prj_1", key="MODE", value=found["was"])
    assert standin.project.env[0]["value"] == "normal"


def test_a_secret_comes_from_the_configuration_and_is_not_put_out(standin: VercelStandin) -> None:
    found = run("set_env", standin, project="prj_1", key="KEY", secret="key")
    assert (found["was"], "s3cret" in json.dumps(found)) == (None, False)
    assert standin.project.env[1]["value"] == "s3cret"
    for name in ("none", "nobody"):
        failed = failure("set_env", step(standin), project="prj_1", key="KEY", secret=name)
        assert f"{name} in vercel.values" in str(failed)


@pytest.mark.parametrize(
    ("key", "secret", "value", "ready", "same"),
    [
        ("MODE", "calm", "normal", True, False), ("MODE", "normal", "normal", True, True),
        ("MODE", "empty", "normal", False, None), ("MODE", "", "normal", False, None), ("KEY", "calm", None, True, None),
    ],
)  # fmt: skip
def test_a_variable_is_compared_with_what_it_may_be_set_to(
    standin: VercelStandin, key: str, secret: str, value: str | None, ready: bool, same: bool | None
) -> None:
    values = {"calm": "calm", "normal": "normal", "empty": ""}
    at = step(standin, settings=as_text({**standin.settings(), "values": values}))
    action = vercel.ACTIONS["variable"]
    found = action.run(at, action.params(project="prj_1", key=key, secret=secret))
    assert found == {"key": key, "value": value, "ready": ready, "same": same}
    assert standin.changes == []


def test_only_a_variable_of_production_that_there_is_once_is_set(standin: VercelStandin) -> None:
    standin.project.env.append(variable("env_3", "MODE", "plain", "x", "preview"))
    run("set_env", standin, project="prj_1", key="MODE", value="calm")
    assert standin.project.env[2]["value"] == "x"
    assert "no variable OTHER" in str(
        failure("set_env", step(standin), project="prj_1", key="OTHER", value="x")
    )
    standin.project.env.append(variable("env_4", "MODE", "plain", "y"))
    assert "more than one" in str(failure("set_env", step(standin), project="prj_1", key="MODE", value="z"))


@pytest.mark.parametrize("params", [{}, {"value": "x", "secret": "key"}])
def test_a_variable_has_one_value(params: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="value or secret"):
        vercel.ACTIONS["set_env"].params(project="prj_1", key="MODE", **params)


# what a payload may hold


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile.values)
def test_free_text_is_only_ever_text(standin: VercelStandin, value: str) -> None:
    """It stands in the body as itself, and the address is the one it would be without it."""
    run("set_env", standin, project="prj_1", key="MODE", value=value)
    assert standin.project.env[0]["value"] == value
    blocked = run("block_ip", standin, project="prj_1", ip=IP, note=value[:150])
    assert standin.project.firewall.ips[-1]["notes"] == f"tocsin: {value[:150]}"
    run("unblock_ip", standin, project="prj_1", id=blocked["id"])
    limit = run("rate_limit", standin, project="prj_1", limit=5, note=value[:100])
    run("lift_rate_limit", standin, project="prj_1", id=limit["id"])
    changed = {call.path for call in standin.calls if call.method == "PATCH"}
    assert changed <= {"/v9/projects/prj_1/env/env_1", "/v1/security/firewall/config"}


@pytest.mark.parametrize("value", hostile.VALUES)
@pytest.mark.parametrize(
    ("name", "field"),
    [("redeploy", "project"), ("cancel", "deployment"), ("block_ip", "ip"), ("block_ip", "project"),
     ("rate_limit", "limit"), ("attack_mode", "project"), ("set_env", "key"), ("set_env", "project")],
)  # fmt: skip
def test_what_stands_in_an_address_is_not_free_text(name: str, field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        vercel.ACTIONS[name].params(**{**CHANGES[name][0], field: value})


@pytest.mark.parametrize("value", hostile.VALUES[:-1])
def test_neither_is_what_takes_something_back(value: str) -> None:
    for name in ("unblock_ip", "lift_rate_limit"):
        with pytest.raises(ValueError, match="id"):
            vercel.ACTIONS[name].params(project="prj_1", id=value)
