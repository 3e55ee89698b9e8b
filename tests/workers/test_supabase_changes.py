"""Supabase's actions that change something: never twice, never past a stop, and with the way back put out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import hostile
import pytest
from examples import examples
from hypothesis import HealthCheck, given
from supabase_standin import REF, SupabaseStandin
from vendor_server import Misbehaviour

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import HOUR, MINUTE
from routing.ports import Step
from workers.actions import supabase
from workers.credentials import NoCredentialsError, as_text
from workers.deadline import Deadline

SETTINGS: dict[str, Any] = {
    "queries": {
        "no_idle": {
            "sql": "select count(*) = 0 as done from sessions where idle_s > $1",
            "params": [{"name": "idle_s", "type": "integer"}],
        },
    },
    "statements": {
        "end_idle": {
            "sql": "delete from sessions where id in (select id from sessions where idle_s > $1 limit $2) returning id",
            "params": [
                {"name": "idle_s", "type": "integer", "least": 60, "default": 3600},
                {"name": "limit", "type": "integer", "least": 1, "most": 20, "default": 20},
            ],
            "done": "no_idle",
        },
        "rename": {
            "sql": "update sessions set who = $1 where id = 1 returning 41 as affected",
            "params": [{"name": "who", "most": 20_000}],
            "repeatable": True,
        },
        "careless": {"sql": "update sessions set idle_s = idle_s + 1"},
    },
}
POOL = "PATCH config/database/pooler"
SQL = "POST database/query"
POINT = "POST database/backups/restore-point"
PITR = "POST database/backups/restore-pitr"
COMPUTE = "PATCH billing/addons"
KEYS = "POST api-keys"

CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "write_sql": ({"statement": "end_idle"}, SQL),
    "set_pool": ({"size": 40}, POOL),
    "restore_point": ({"name": "before-INC-1"}, POINT),
    "restore_pitr": ({"to": now_ms() - 10 * MINUTE}, PITR),
    "compute": ({"variant": "ci_medium", "max_monthly": 100}, COMPUTE),
    "rotate_key": ({"key": "default_secret", "new": "secret_of_november"}, KEYS),
}
ONE_OF_EACH = pytest.mark.parametrize(
    ("name", "params", "change"), [(name, *each) for name, each in CHANGES.items()], ids=list(CHANGES)
)


@pytest.fixture
def standin() -> Iterator[SupabaseStandin]:
    with SupabaseStandin() as server:
        now_s = now_ms() // 1000
        server.project.pitr = True
        server.project.physical = {
            "earliest_physical_backup_date_unix": now_s - 7 * 86_400,
            "latest_physical_backup_date_unix": now_s - 60,
        }
        yield server


def step(standin: SupabaseStandin, timeout_s: float = 2.0, **changes: Any) -> Step:
    given = as_text({**standin.settings(), **SETTINGS})
    fields = {"settings": given, "idempotency_key": "", "now": now_ms(), **changes}
    return Step(timeout_s=timeout_s, **fields)


def run(name: str, standin: SupabaseStandin, /, **params: Any) -> dict[str, Any]:
    return act(name, step(standin), **params)


def act(name: str, at: Step, /, **params: Any) -> dict[str, Any]:
    action = supabase.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def failure(name: str, at: Step, /, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as failed:
        act(name, at, **params)
    return failed.value


def goes_wrong(standin: SupabaseStandin, change: str, how: Misbehaviour) -> None:
    """Only the change goes wrong; what is asked before it and after it is answered."""
    method, path = change.split()
    standin.misbehave(replace(how, method=method, path=f"{path} "))


@ONE_OF_EACH
def test_each_changes_the_project_once_and_a_repeat_finds_it_done(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    assert "already" not in run(name, standin, **params)
    assert standin.changes == [change]
    if name == "restore_pitr":
        assert "under way" in str(failure(name, step(standin), **params))
    else:
        run(name, standin, **params)
    assert standin.changes == [change]


@ONE_OF_EACH
@pytest.mark.parametrize(
    "how",
    [Misbehaviour(delay_s=30), Misbehaviour(hang_up=True), Misbehaviour(delay_s=30, garbage=True)],
    ids=["30 s", "hangs up", "30 s and garbage"],
)
def test_silence_after_a_change_is_settled_by_looking(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str, how: Misbehaviour
) -> None:
    goes_wrong(standin, change, how)
    act(name, step(standin, 5.0, left=lambda: 1.0), **params)
    assert standin.changes == [change]


@ONE_OF_EACH
def test_silence_that_looking_does_not_explain_stays_unknown(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    goes_wrong(standin, change, Misbehaviour(status=504))
    assert failure(name, step(standin), **params).outcome is Outcome.UNKNOWN
    assert standin.changes == []


@ONE_OF_EACH
def test_silence_while_nobody_can_look_stays_unknown(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    goes_wrong(standin, change, Misbehaviour(hang_up=True, ill_after=True))
    assert failure(name, step(standin), **params).outcome is Outcome.UNKNOWN
    assert standin.changes == [change]


@ONE_OF_EACH
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.PERMANENT),
        (401, Outcome.PERMANENT),
        (403, Outcome.PERMANENT),
        (409, Outcome.TEMPORARY),
        (422, Outcome.PERMANENT),
        (429, Outcome.TEMPORARY),
        (500, Outcome.TEMPORARY),
        (502, Outcome.UNKNOWN),
        (503, Outcome.TEMPORARY),
    ],
)
def test_every_refusal_of_a_change_has_its_class(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str, status: int, outcome: Outcome
) -> None:
    goes_wrong(standin, change, Misbehaviour(status=status, retry_after="9"))
    failed = failure(name, step(standin), **params)
    assert (failed.outcome, failed.retry_after_ms) == (outcome, 9_000)
    assert standin.changes == []


@ONE_OF_EACH
def test_permission_is_asked_for_right_before_the_change(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    assert failure(name, step(standin, allowed=lambda: False), **params).outcome is Outcome.REFUSED
    assert standin.changes == []


@ONE_OF_EACH
def test_no_change_is_begun_once_the_steps_time_is_used_up(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    failed = failure(name, step(standin, left=lambda: 0.0), **params)
    assert (failed.outcome, "longer timeout" in str(failed)) == (Outcome.TEMPORARY, True)
    assert standin.changes == []


@ONE_OF_EACH
def test_silence_that_used_up_the_steps_time_is_settled_by_a_last_look(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    goes_wrong(standin, change, Misbehaviour(delay_s=30))
    act(name, step(standin, 30, left=Deadline(1.5).rest), **params)
    assert standin.changes == [change]


@ONE_OF_EACH
def test_without_a_token_nothing_is_asked(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    given = as_text({"base_url": standin.url, "ref": REF, **SETTINGS})
    assert isinstance(failure(name, step(standin, settings=given), **params), NoCredentialsError)
    assert standin.calls == []


@ONE_OF_EACH
def test_each_can_say_what_it_would_ask_without_asking(
    standin: SupabaseStandin, name: str, params: dict[str, Any], change: str
) -> None:
    action = supabase.ACTIONS[name]
    assert action.mutates
    assert action.plan is not None
    planned = action.plan(step(standin), action.params(**params))["would"]
    method, path = change.split()
    assert (planned["method"], planned["url"]) == (method, f"{standin.url}/v1/projects/{REF}/{path}")
    assert standin.calls == []


def test_a_statement_tells_how_much_it_affected_and_takes_no_more_than_its_limit(
    standin: SupabaseStandin,
) -> None:
    found = run("write_sql", standin, statement="end_idle", params={"limit": 1})
    assert found == {"statement": "end_idle", "affects": 1, "rows": [{"id": 2}]}
    assert len(standin.rows("select * from sessions")) == 2
    assert "limit: more than 20" in str(
        failure("write_sql", step(standin), statement="end_idle", params={"limit": 21})
    )


def test_a_statement_with_nothing_left_to_do_is_not_run(standin: SupabaseStandin) -> None:
    found = run("write_sql", standin, statement="end_idle", params={"idle_s": 10_000})
    assert found == {"statement": "end_idle", "affects": 0, "already": True}
    assert standin.changes == []


def test_silence_of_a_repeatable_statement_may_be_asked_again(standin: SupabaseStandin) -> None:
    goes_wrong(standin, SQL, Misbehaviour(hang_up=True))
    failed = failure("write_sql", step(standin), statement="rename", params={"who": "anna"})
    assert failed.outcome is Outcome.TEMPORARY
    assert run("write_sql", standin, statement="rename", params={"who": "anna"})["affects"] == 41


def test_a_statement_that_does_not_say_how_a_repeat_is_harmless_is_refused(standin: SupabaseStandin) -> None:
    failed = failure("write_sql", step(standin), statement="careless")
    assert failed.outcome is Outcome.PERMANENT
    assert "repeatable" in str(failed)
    assert standin.calls == []


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile.values)
def test_a_value_that_is_written_is_only_ever_a_value(standin: SupabaseStandin, value: str) -> None:
    standin.per_minute = 10_000
    if "\0" in value:
        failure("write_sql", step(standin), statement="rename", params={"who": value})
        return
    run("write_sql", standin, statement="rename", params={"who": value})
    assert standin.rows("select who from sessions where id = 1") == [{"who": value}]
    body = json.loads(standin.calls[-1].body)
    assert body["query"] == SETTINGS["statements"]["rename"]["sql"]
    assert standin.calls[-1].path == f"/v1/projects/{REF}/database/query"


@pytest.mark.parametrize("value", hostile.VALUES)
@pytest.mark.parametrize(
    ("name", "field"),
    [("restore_point", "name"), ("compute", "variant"), ("rotate_key", "key"), ("rotate_key", "new"),
     ("write_sql", "statement"), ("set_pool", "size"), ("restore_pitr", "to")],
)  # fmt: skip
def test_what_stands_in_an_address_or_a_body_is_not_free_text(name: str, field: str, value: str) -> None:
    with pytest.raises(ValueError, match=field):
        supabase.ACTIONS[name].params(**{**CHANGES[name][0], field: value})


def test_a_pool_is_raised_by_a_share_of_what_was_read_and_set_back_to_it(standin: SupabaseStandin) -> None:
    standin.project.pool_size = 15
    found = run("set_pool", standin, percent=25, of=15)
    assert found == {"size": 19, "was": 15}
    again = run("set_pool", standin, percent=25, of=15)
    assert again == {"size": 19, "was": 15, "already": True}
    run("set_pool", standin, size=found["was"])
    assert standin.project.pool_size == 15


def test_a_pool_that_was_never_set_goes_back_to_what_supabase_chooses(standin: SupabaseStandin) -> None:
    found = run("set_pool", standin, size=40)
    assert found == {"size": 40, "was": "default"}
    run("set_pool", standin, size=found["was"])
    assert standin.project.pool_size is None


def test_a_pool_that_somebody_else_changed_is_left_alone(standin: SupabaseStandin) -> None:
    standin.project.pool_size = 50
    failed = failure("set_pool", step(standin), percent=25, of=15)
    assert (failed.outcome, "50 by now, not 15" in str(failed)) == (Outcome.REFUSED, True)
    assert standin.changes == []


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({"percent": 25, "of": 2900}, 3000),
        ({"percent": 25, "of": 40, "most": 45}, 45),
        ({"percent": 1, "of": 10}, 11),
        ({"percent": -90, "of": 3}, 1),
        ({"size": 3000}, 3000),
        ({"size": "default"}, None),
    ],
)
def test_the_size_of_a_pool_is_capped(params: dict[str, Any], wanted: int | None) -> None:
    assert supabase.ACTIONS["set_pool"].params(**params).wanted == wanted  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "params",
    [{}, {"size": 3001}, {"size": 0}, {"percent": 25}, {"size": 5, "percent": 5, "of": 5}, {"of": 5}],
)
def test_a_pool_has_one_size(params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="size"):
        supabase.ACTIONS["set_pool"].params(**params)


def test_a_restore_point_that_failed_is_made_again(standin: SupabaseStandin) -> None:
    standin.project.points = {"other": "AVAILABLE"}
    assert run("restore_point", standin, name="mine") == {"name": "mine", "status": "PENDING"}
    standin.project.points["mine"] = "AVAILABLE"
    assert run("restore_point", standin, name="mine")["already"]
    standin.project.points["mine"] = "FAILED"
    assert failure("restore_point", step(standin), name="mine").outcome is Outcome.TEMPORARY


def test_a_restore_point_is_waited_for_until_one_can_go_back_to_it(standin: SupabaseStandin) -> None:
    standin.project.point_looks = 2
    patient = step(standin, 10, left=Deadline(10).rest)
    assert act("restore_point", patient, name="mine", wait=True)["status"] == "AVAILABLE"
    assert standin.changes == [POINT]


def test_a_restore_point_that_takes_longer_is_waited_for_again(standin: SupabaseStandin) -> None:
    for _ in range(2):
        hurried = step(standin, 3, left=Deadline(3).rest)
        failed = failure("restore_point", hurried, name="mine", wait=True)
        assert (failed.outcome, "still being made" in str(failed)) == (Outcome.TEMPORARY, True)
    assert standin.changes == [POINT]
    standin.project.points["mine"] = "FAILED"
    assert failure("restore_point", step(standin), name="mine", wait=True).outcome is Outcome.TEMPORARY


def test_a_restore_tells_what_is_lost_and_goes_to_that_second(standin: SupabaseStandin) -> None:
    to = now_ms() - 30 * MINUTE
    found = run("restore_pitr", standin, to=to)
    assert found == {"requested": True, "to": to, "lost_minutes": 30}
    assert standin.project.restored_to == [to // 1000]


@pytest.mark.parametrize(
    ("ago", "said"),
    [(8 * 24 * HOUR, "cannot be restored to"), (0, "cannot be restored to"), (-HOUR, "cannot be")],
)
def test_an_instant_out_of_reach_is_refused_before_anything_is_asked(
    standin: SupabaseStandin, ago: int, said: str
) -> None:
    failed = failure("restore_pitr", step(standin), to=now_ms() - ago)
    assert (failed.outcome, said in str(failed)) == (Outcome.PERMANENT, True)
    standin.project.pitr = False
    assert "not enabled" in str(failure("restore_pitr", step(standin), to=now_ms() - HOUR))
    assert standin.changes == []


def test_a_machine_is_changed_within_its_price_and_back(standin: SupabaseStandin) -> None:
    found = run("compute", standin, variant="ci_medium", max_monthly=100)
    assert found == {"variant": "ci_medium", "was": "ci_small", "monthly": 60.01}
    run("compute", standin, variant=found["was"], max_monthly=100)
    assert standin.project.compute == "ci_small"


def test_a_machine_that_is_too_dear_or_not_offered_is_refused(standin: SupabaseStandin) -> None:
    dear = failure("compute", step(standin), variant="ci_large", max_monthly=100)
    assert (dear.outcome, "110.74 USD" in str(dear)) == (Outcome.REFUSED, True)
    unknown = failure("compute", step(standin), variant="ci_huge", max_monthly=100)
    assert (unknown.outcome, "ci_micro, ci_small" in str(unknown)) == (Outcome.PERMANENT, True)
    assert standin.changes == []


def test_a_new_key_is_made_before_the_old_one_goes(standin: SupabaseStandin) -> None:
    made = run("rotate_key", standin, key="default_secret", new="secret_two")
    assert (made["made"], made["revoked"], made["affects"]) == (True, False, 0)
    assert [key["name"] for key in standin.project.keys] == ["default_secret", "secret_two"]
    assert standin.project.keys[1]["secret_jwt_template"] == {"role": "service_role"}
    gone = run("rotate_key", standin, key="default_secret", new="secret_two", revoke=True, compromised=True)
    assert (gone["made"], gone["revoked"], gone["affects"]) == (False, True, 1)
    assert [key["name"] for key in standin.project.keys] == ["secret_two"]
    assert standin.project.compromised == ["default_secret"]
    again = run("rotate_key", standin, key="default_secret", new="secret_two", revoke=True)
    assert (again["made"], again["revoked"]) == (False, False)
    assert [change.split()[0] for change in standin.changes] == ["POST", "DELETE"]


def test_an_old_key_stays_while_the_new_one_is_not_there(standin: SupabaseStandin) -> None:
    goes_wrong(standin, KEYS, Misbehaviour(status=503))
    failure("rotate_key", step(standin), key="default_secret", new="secret_two", revoke=True)
    assert [key["name"] for key in standin.project.keys] == ["default_secret"]


def test_no_key_is_put_out_in_the_clear(standin: SupabaseStandin) -> None:
    found = run("rotate_key", standin, key="default_secret", new="secret_two")
    assert set(found["new"]) == {"id", "name", "type", "prefix"}
    assert all("reveal" not in call.query for call in standin.calls)


def test_the_reason_for_a_revocation_is_only_ever_a_reason(standin: SupabaseStandin) -> None:
    for number, value in enumerate(hostile.VALUES):
        run("rotate_key", standin, key="default_secret" if not number else f"key_{number - 1}", new=f"key_{number}",
            revoke=True, reason=value[:200])  # fmt: skip
        deleted = standin.calls[-1]
        assert deleted.path.startswith(f"/v1/projects/{REF}/api-keys/0b5e8f4e-")
        assert deleted.query.get("reason", [""]) == [value[:200]]


def test_a_key_of_the_old_kind_or_none_at_all_cannot_be_rotated(standin: SupabaseStandin) -> None:
    standin.project.keys[0].update(type="legacy", name="service_role")
    assert "legacy" in str(failure("rotate_key", step(standin), key="service_role", new="secret_two"))
    assert "no key" in str(failure("rotate_key", step(standin), key="nobody", new="secret_two"))
    assert standin.changes == []
