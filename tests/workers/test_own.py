"""What Tocsin can tell of itself: its configuration, its runbooks' own tests, how its people are reached."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
import shipped
from redis import Redis

from ledger import policies
from ledger.clock import now_ms
from ledger.keys import Keys
from routing.entry import Outcome
from routing.errors import ActionError
from routing.incident import Incident, Moment, Phase
from routing.instant import DAY, MINUTE, iso
from routing.load import load
from routing.ports import Step
from routing.record import encode
from routing.response.proofs import proof_key
from routing.run import Run, RunPhase
from routing.severity import Severity
from routing.state import Fact
from workers.actions import tocsin

NEEDED: dict[str, dict[str, Any]] = {"report": {"incident": "INC-7"}}
METHODS = sum(len(each.methods) for each in shipped.policy().contacts.values())


@pytest.fixture(autouse=True)
def _here(redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a worker finds its own database."""
    del redis
    monkeypatch.setenv("TOCSIN_REDIS_URL", redis_url)
    monkeypatch.setenv("TOCSIN_DATA", str(tmp_path))


def publish(redis: Redis, **edits: tuple[str, str]) -> None:
    """By file: what is replaced in the shipped one."""
    files = shipped.files()
    for name, (old, new) in edits.items():
        key = f"config/{name.replace('__', '/')}.yaml"
        assert old in files[key]
        files[key] = files[key].replace(old, new)
    policy = load(files, shipped.vendors())
    policies.publish(redis, Keys(), files, shipped.vendors(), policy, "test")


def act(name: str, **params: Any) -> dict[str, Any]:
    action = tocsin.ACTIONS[name]
    step = Step(settings={}, timeout_s=60, idempotency_key="", now=now_ms(), **params.pop("at", {}))
    found: dict[str, Any] = action.run(step, action.params(**params))
    return found


def test_the_shipped_configuration_names_what_is_hardly_meant(redis: Redis) -> None:
    publish(redis)
    found = act("configuration")
    assert found["version"] == shipped.policy().version
    assert (found["ok"], len(found["shown"])) == (found["warnings"] == 0, found["warnings"])


def test_what_the_configuration_is_warned_of_is_told_with_its_place(redis: Redis) -> None:
    publish(redis, severity=("""match: ['kind="BookingFailing"']""", """match: ['kind="SiteDown"']"""))
    found = act("configuration")
    assert not found["ok"]
    (shown,) = found["shown"]
    assert "config/severity.yaml:" in shown
    assert "site-down" in shown


def test_every_test_of_every_runbook_is_played(redis: Redis) -> None:
    publish(redis)
    found = act("runbooks")
    assert (found["ok"], found["failed"], found["shown"], found["off"]) == (True, 0, [], [])
    assert found["runbooks"] == len(shipped.policy().runbooks)
    assert found["tests"] > 4 * 8


def test_a_test_that_fails_is_told_with_its_place(redis: Redis) -> None:
    publish(
        redis,
        runbooks__attack=('require: "health.failures >= `1`"', 'require: "health.failures >= `9`"'),
        runbooks__memory=("mode: auto", "mode: dry_run"),
    )
    found = act("runbooks")
    assert (found["ok"], found["failed"], found["off"]) == (False, 2, ["memory"])
    (first, _) = found["shown"]
    assert (first["runbook"], first["at"].split(":")[0]) == ("attack", "config/runbooks/attack.yaml")
    assert "expected it succeeded, and it stopped" in first["failure"]


def test_no_half_of_the_tests_counts_as_all_of_them(redis: Redis) -> None:
    publish(redis)
    with pytest.raises(ActionError, match="before all tests") as failed:
        act("runbooks", at={"left": lambda: 0.0})
    assert failed.value.outcome is Outcome.TEMPORARY


def test_who_was_never_shown_to_be_reached_is_named_without_an_address(redis: Redis) -> None:
    publish(redis)
    found = act("contacts")
    assert (found["ok"], found["methods"]) == (False, METHODS)
    assert {each["why"] for each in found["shown"]} <= {"to be filled in", "never verified"}
    assert "@" not in repr(found)
    assert "+48" not in repr(found)


def test_a_proof_counts_for_as_long_as_is_asked(redis: Redis) -> None:
    publish(redis, oncall=("anna@example.com", "anna@acme.dev"))
    address = "anna@acme.dev"
    key = proof_key("mail", address)
    redis.hset(
        Keys().state("fact"), key, encode(Fact(value=f"answered INC-1-d1 at {iso(now_ms() - 100 * DAY)}"))
    )
    mine = [
        each for each in act("contacts")["shown"] if (each["contact"], each["channel"]) == ("anna", "mail")
    ]
    assert mine == []
    old = act("contacts", older_than_days=92)
    (mine,) = [each for each in old["shown"] if (each["contact"], each["channel"]) == ("anna", "mail")]
    assert mine["why"].startswith("last answered INC-1-d1 at 20")
    assert act("contacts", older_than_days=200)["open"] == old["open"] - 1


def happened(redis: Redis, lines: int, **changes: Any) -> None:
    """INC-7, in the record: opened, taken, repaired in vain, resolved."""
    at, keys = 1_764_000_000_000, Keys()
    incident = Incident(
        id="INC-7", number=7, title="The site is down", severity=Severity.SEV1, phase=Phase.RESOLVED, group="",
        opened_at=at, changed_at=at, service="site", acknowledged_at=at + 4 * MINUTE, acknowledged_by="anna",
        resolved_at=at + 45 * MINUTE, resolved_by="anna", paged=["anna", "ben"],
    )  # fmt: skip
    redis.hset(keys.state("incident"), "INC-7", encode(msgspec.structs.replace(incident, **changes)))
    run = Run(
        id="INC-7-r1", incident="INC-7", runbook="rollback", runbook_version=1, target="vercel:site", mode="auto",
        phase=RunPhase.FAILED, started_at=at, deadline_at=at, why="its time was up during verify",
    )  # fmt: skip
    redis.hset(keys.owned("INC-7", "run"), run.id, encode(run))
    said = [Moment(at=at + number * MINUTE, what=f"line {number}") for number in range(lines)]
    redis.rpush(keys.timeline("INC-7"), *map(encode, said))


def test_a_report_tells_how_an_incident_went_and_leaves_the_rest_to_a_person(redis: Redis) -> None:
    happened(redis, 3)
    found = act("report", incident="INC-7")
    assert (found["minutes_to_acknowledge"], found["minutes_open"], found["told"]) == (4, 45, ["anna", "ben"])
    assert found["summary"] == (
        "SEV-1 of site, opened 2025-11-24T16:00:00.000Z, taken after 4 min by anna, resolved after 45 min by anna."
    )
    draft = found["draft"]
    assert draft.startswith("# INC-7: The site is down\n")
    assert "- 16:00:00 rollback: failed. its time was up during verify" in draft
    assert "- 24 Nov 16:02:00 line 2" in draft
    assert draft.count("To be written.") == 3


def test_a_report_of_what_goes_on_says_so(redis: Redis) -> None:
    open_ = {"acknowledged_at": 0, "acknowledged_by": "", "resolved_at": 0, "resolved_by": ""}
    happened(redis, 200, phase=Phase.TRIGGERED, **open_)
    found = act("report", incident="INC-7")
    assert (found["minutes_to_acknowledge"], found["minutes_open"] > 60) == (None, True)
    assert "taken by nobody, open for" in found["summary"]
    assert "- ... 140 more in: tocsin incidents show INC-7" in found["draft"]
    assert "line 0\n" in found["draft"]
    assert found["draft"].count("line 199") == 1


def test_of_an_incident_that_nobody_heard_of_there_is_no_report() -> None:
    with pytest.raises(ActionError, match="no incident INC-99") as failed:
        act("report", incident="INC-99")
    assert failed.value.outcome is Outcome.PERMANENT


@pytest.mark.parametrize("name", ["configuration", "runbooks", "contacts"])
def test_without_a_configuration_in_force_nothing_is_told(name: str) -> None:
    with pytest.raises(ActionError, match="no configuration") as failed:
        act(name)
    assert failed.value.outcome is Outcome.PERMANENT


@pytest.mark.parametrize("name", list(tocsin.ACTIONS))
def test_a_database_that_does_not_answer_is_asked_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(ActionError, match="our own database") as failed:
        act(name, **NEEDED.get(name, {}))
    assert failed.value.outcome is Outcome.TEMPORARY


@pytest.mark.parametrize("name", list(tocsin.ACTIONS))
def test_each_says_what_it_would_read(name: str) -> None:
    action = tocsin.ACTIONS[name]
    assert action.plan
    assert action.plan(Step({}, 1, "", 0), action.params(**NEEDED.get(name, {})))["would"]["read"] == name
