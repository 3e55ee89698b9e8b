"""PostgreSQL's actions on a real server, with the sessions of a real application."""

import subprocess
import sys

import pytest
from acting import act, failure
from postgres_server import PASSWORD
from redis import Redis
from shop import BLIND, TOCSIN, WEB, Shop, alive
from small_policy import HERE
from working import until
from workshop import bench, rollback

from routing.entry import Outcome
from routing.policy import Probe, Secret
from routing.ports import Step
from routing.probing import Look
from workers import looking, remediate
from workers.actions import postgres
from workers.credentials import NoCredentialsError
from workers.journal import journal
from workers.postgres import failures


def test_connections_tells_how_full_the_server_is_and_by_whom(shop: Shop) -> None:
    before = act("connections", shop.step())["total"]
    shop.open(12)
    shop.open(3, application="jobs")
    shop.busy(2, application="reports")
    found = act("connections", shop.step())
    assert (found["total"], found["max"], found["percent"]) == (before + 17, 100, before + 17.0)
    assert found["by_state"]["active"] == 2
    assert found["groups"][0] == {"role": WEB, "application": "web", "state": "idle", "count": 12}
    assert len(act("connections", shop.step(), top=2)["groups"]) == 2


def test_connections_tells_what_of_them_is_old(shop: Shop) -> None:
    shop.open(4)
    shop.busy(2)

    def aged() -> bool:
        found = act("connections", shop.step(), idle_older_than_s=1, active_longer_than_s=1)
        return (found["idle_old"], found["active_long"]) >= (4, 2)

    young = act("connections", shop.step())
    assert (young["idle_old"], young["active_long"]) == (0, 0)
    assert until(aged)


@pytest.mark.parametrize("name", ["connections", "end_idle", "cancel_long"])
def test_half_a_picture_is_refused_and_says_what_to_grant(shop: Shop, name: str) -> None:
    shop.open(1)
    settings = {"url": shop.server.url(user=BLIND), "app_roles": f'["{WEB}"]'}
    failed = failure(name, shop.step(settings=settings))
    assert failed.outcome is Outcome.PERMANENT
    assert "GRANT pg_monitor" in str(failed)


def test_a_server_that_is_full_still_lets_us_look(shop: Shop) -> None:
    with pytest.raises(Exception, match="remaining connection slots"):
        shop.open(100)
    found = act("connections", shop.step())
    assert found["percent"] >= 93
    refused = failure("connections", shop.step(settings={"url": shop.server.url(user=BLIND)}))
    assert refused.outcome is Outcome.TEMPORARY
    assert "pg_use_reserved_connections" in str(refused)


@pytest.mark.parametrize(
    ("changed", "outcome", "said"),
    [
        ({"password": "wrong"}, Outcome.PERMANENT, "check POSTGRES_URL"),
        ({"user": "nobody-known"}, Outcome.PERMANENT, "check POSTGRES_URL"),
        ({"database": "nowhere"}, Outcome.PERMANENT, "does not exist"),
    ],
)
def test_an_address_that_is_refused_is_permanent_and_its_password_is_not_shown(
    shop: Shop, changed: dict[str, str], outcome: Outcome, said: str
) -> None:
    url = shop.server.url(**{"user": TOCSIN, **changed})
    failed = failure("connections", shop.step(settings={"url": url}))
    assert (failed.outcome, PASSWORD in str(failed)) == (outcome, False)
    assert said in str(failed)


@pytest.mark.parametrize(
    "url", ["postgres:/web:hunter2@db", "hunter2", "postgresql://web:hunter2@db/shop?unheard=of"]
)
def test_what_is_no_address_is_permanent_and_not_shown(shop: Shop, url: str) -> None:
    failed = failure("connections", shop.step(settings={"url": url}))
    assert failed.outcome is Outcome.PERMANENT
    assert "hunter2" not in str(failed)


def test_nobody_there_may_be_tried_again(shop: Shop) -> None:
    url = "postgresql://web:hunter2@127.0.0.1:1/shop"
    failed = failure("connections", shop.step(settings={"url": url}))
    assert (failed.outcome, "hunter2" in str(failed)) == (Outcome.TEMPORARY, False)


def test_without_an_address_nothing_is_asked() -> None:
    at = Step(settings={}, timeout_s=1, idempotency_key="", now=0)
    failed = failure("connections", at)
    assert isinstance(failed, NoCredentialsError)
    assert "POSTGRES_URL" in str(failed)


@pytest.mark.parametrize("name", ["connections", "end_idle", "dump"])
def test_in_the_sandbox_a_step_only_says_what_it_would_do(redis: Redis, shop: Shop, name: str) -> None:
    """Nobody has set POSTGRES_URL."""
    idle = shop.open(1)
    at = bench(redis, actions={"postgres": {"url": Secret("POSTGRES_URL"), "spared_roles": ["admin"]}})
    mutates = postgres.ACTIONS[name].mutates
    effect = at.put(rollback(action=f"postgres.{name}", params={}, mutates=mutates))
    remediate.carry_out(at, effect.id, effect.attempt)
    done = at.done()
    assert (done.outcome, done.output["dry_run"], done.output["why"]) == (
        Outcome.OK,
        True,
        "POSTGRES_URL not set",
    )
    assert alive(idle) == idle


def test_a_probe_sees_a_server_fill_up(redis: Redis, shop: Shop) -> None:
    at = bench(
        redis,
        actions={"postgres": {"url": Secret("POSTGRES_URL"), "spared_roles": ["admin"]}},
        environ={"POSTGRES_URL": shop.url},
    )
    probe = Probe(
        name="database-connections", action="postgres.connections", params={}, every_ms=30_000, timeout_ms=5_000,
        ok="percent < `80`", fails=3, of=4, recovers=2, kind="DatabaseConnections", title="full", origin=HERE,
    )  # fmt: skip
    assert looking.look(at, at.given, probe).look is Look.WELL
    shop.open(80)
    assert looking.look(at, at.given, probe).look is Look.ILL


def test_the_audit_tells_what_was_asked(shop: Shop) -> None:
    with journal() as lines:
        act("connections", shop.step())
    assert lines[0] == "SELECT connections answered 1 rows"


@pytest.mark.parametrize(
    ("sqlstate", "reading", "changing"),
    [
        ("", Outcome.TEMPORARY, Outcome.UNKNOWN),
        ("57P01", Outcome.TEMPORARY, Outcome.UNKNOWN),
        ("57014", Outcome.TEMPORARY, Outcome.TEMPORARY),
        ("55P03", Outcome.TEMPORARY, Outcome.TEMPORARY),
        ("40P01", Outcome.TEMPORARY, Outcome.TEMPORARY),
        ("53300", Outcome.TEMPORARY, Outcome.TEMPORARY),
        ("08006", Outcome.TEMPORARY, Outcome.TEMPORARY),
        ("42501", Outcome.PERMANENT, Outcome.PERMANENT),
        ("42P01", Outcome.PERMANENT, Outcome.PERMANENT),
        ("XX001", Outcome.PERMANENT, Outcome.PERMANENT),
    ],
)
def test_every_class_of_refusal_has_its_outcome(sqlstate: str, reading: Outcome, changing: Outcome) -> None:
    assert failures.classify(sqlstate, mutates=False) is reading
    assert failures.classify(sqlstate, mutates=True) is changing


@pytest.mark.parametrize("name", list(postgres.ACTIONS))
def test_every_action_can_say_what_it_would_do_without_asking(name: str) -> None:
    action = postgres.ACTIONS[name]
    nowhere = Step(settings={"url": "postgresql://nowhere.invalid"}, timeout_s=1, idempotency_key="", now=0)
    assert action.plan is not None
    needed = {"query": "orders"} if name == "read" else {}
    planned = action.plan(nowhere, action.params.model_validate(needed))
    assert planned["would"][("do" if action.mutates else "ask")]
    assert planned.get("affects") == (0 if action.mutates else None)


def test_naming_the_actions_does_not_load_the_driver() -> None:
    """`tocsin check` and every process that publishes a policy would pay half a second for it."""
    found = loaded("import ledger.catalogue; ledger.catalogue.catalogue()")
    assert "workers.actions.postgres" in found
    assert "psycopg" not in found


def test_the_receiver_does_not_load_the_driver() -> None:
    found = loaded("import receiver.serve, receiver.commands, receiver.app")
    assert "receiver.app" in found
    assert [name for name in found if name.startswith(("psycopg", "workers"))] == []


def loaded(code: str) -> set[str]:
    """Names of the modules that a new process has afterwards."""
    code = f"{code}; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())
