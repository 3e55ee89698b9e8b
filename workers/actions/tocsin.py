"""Tocsin itself: is its configuration well, do its runbooks do what they say of themselves, are its people reached,
how much waits, and how an incident went.

What is looked at is what is in force, wherever the worker runs, not the files of its machine. It has no settings.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from pydantic import BaseModel, ConfigDict, Field

from ledger import policies, views
from ledger.catalogue import catalogue
from ledger.connection import connect
from ledger.keys import Keys
from ledger.settings import from_env
from ledger.views import Store
from ledger.views.reports import markdown
from ledger.views.reports.incident import facts
from routing.decision import Table
from routing.entry import Outcome
from routing.errors import ActionError, ConfigError
from routing.instant import DAY, MINUTE, parse_iso
from routing.load import RUNBOOKS, examine
from routing.policy import Method, Policy
from routing.ports import Action, Step
from routing.response.proofs import proof_key, stop_key
from routing.schema.runbook_tests import read_tests
from routing.simulation.proving import Proved, prove
from routing.state import Fact
from workers.queues import Queues

TITLE = "Tocsin itself"
SETTINGS = ()

_MOST_SHOWN = 50
_MOST_LINES = 60
"""Of the timeline in a draft."""


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Nothing(_Params):
    """No parameters."""


class Contacts(_Params):
    """`older_than_days`: who was last shown to be reached longer ago counts as open again; 0: never."""

    older_than_days: int = Field(default=0, ge=0, le=3_650)


class Report(_Params):
    incident: str = Field(pattern=r"^INC-[0-9]{1,12}$")


def configuration(step: Step, _: Nothing) -> dict[str, Any]:
    """What `tocsin check` warns of: {"ok", "version", "warnings": how many, "shown": [text]}."""
    del step
    with _opened() as store:
        policy, files = _in_force(store)
    try:
        found = [str(each) for each in examine(files, catalogue(), {}, secrets=False).warnings]
    except ConfigError as error:  # it went live under a release that took it
        found = [str(each) for each in error.faults]
    return {"ok": not found, "version": policy.version, "warnings": len(found), "shown": found[:_MOST_SHOWN]}


def runbooks(step: Step, _: Nothing) -> dict[str, Any]:
    """What `tocsin runbook test` finds, while the step's time lasts.

    {"ok", "runbooks", "off": ids of those that change nothing, "tests", "failed": how many, "shown": [{"runbook",
    "test", "at", "failure"}]}
    """
    with _opened() as store:
        policy, files = _in_force(store)
    proved = list(_proved(step, policy, files))
    failed = [each for each in proved if each.failure]
    return {
        "ok": not failed,
        "runbooks": len(policy.runbooks),
        "off": [each.id for each in policy.runbooks if each.mode in {"off", "dry_run"}],
        "tests": len(proved),
        "failed": len(failed),
        "shown": [_failure(each) for each in failed[:_MOST_SHOWN]],
    }


def contacts(step: Step, params: Contacts) -> dict[str, Any]:
    """What `tocsin contacts verify` finds, without anybody's address.

    {"ok", "methods", "open": how many, "shown": [{"contact", "channel", "why"}]}
    """
    with _opened() as store:
        policy, _ = _in_force(store)
        facts = store.records(Table.FACT, Fact)
    oldest = step.now - params.older_than_days * DAY if params.older_than_days else 0
    found = [
        {"contact": contact.name, "channel": method.channel, "why": _why_open(method, facts, oldest)}
        for contact in policy.contacts.values()
        for method in contact.methods
    ]
    left = [each for each in found if each["why"]]
    return {"ok": not left, "methods": len(found), "open": len(left), "shown": left[:_MOST_SHOWN]}


def backlog(step: Step, _: Nothing) -> dict[str, Any]:
    """{"undecided": {"control", "urgent", "bulk", "all"}, "oldest_s", "outbox", "timers_overdue", "dead_letters",
    "jobs": {"dispatch", "urgent", "deliver", "remediate"}}; a lane is counted up to 1,000.
    """
    with _opened() as store:
        found = views.backlog(store.client, store.keys, step.now)
        return {**found, "jobs": Queues(store.client).lengths()}


def report(step: Step, params: Report) -> dict[str, Any]:
    """A report on an incident as far as the record tells it, without anybody's address. What a person has not written
    yet says so.

    {"incident", "severity", "status", "minutes_open", "minutes_to_acknowledge", "alerts", "told", "runs", "summary":
    one sentence, "draft": Markdown}; minutes are null of what has not happened
    """
    with _opened() as store:
        whole = store.whole(params.incident)
        if whole is None:
            raise ActionError(f"there is no incident {params.incident}", outcome=Outcome.PERMANENT)
        shown = facts(whole, store.review(whole.incident), step.now)
    incident = whole.incident
    answered = (incident.acknowledged_at - incident.opened_at) // MINUTE if incident.acknowledged_at else None
    return {
        **{key: shown[key] for key in ("incident", "severity", "status")},
        "minutes_open": shown["open_ms"] // MINUTE,
        "minutes_to_acknowledge": answered,
        "alerts": len(whole.alerts),
        "told": list(incident.paged),
        "runs": [{"runbook": run.runbook, "ended": str(run.phase), "why": run.why} for run in whole.runs],
        "summary": shown["sentence"],
        "draft": markdown.post_incident(shown, "UTC", _MOST_LINES),
    }


@contextmanager
def _opened() -> Iterator[Store]:
    """Raises ActionError, TEMPORARY, when nothing answers."""
    settings = from_env()
    try:
        with connect(settings) as client:
            yield Store(client, Keys(), settings.data_dir / "archive.db")
    except redis.RedisError as error:
        raise ActionError(f"our own database: {error}", outcome=Outcome.TEMPORARY) from error


def _in_force(store: Store) -> tuple[Policy, dict[str, str]]:
    """The policy and the texts of its files. Raises ActionError."""
    policy = policies.current(store.client, store.keys)
    if policy is None:
        raise ActionError("no configuration is in force", outcome=Outcome.PERMANENT)
    return policy, policies.files_of(store.client, store.keys, policy.version)


def _proved(step: Step, policy: Policy, files: dict[str, str]) -> Iterator[Proved]:
    """Raises ActionError when the step's time is up before all were played."""
    for name, text in files.items():
        for test in read_tests(name, text, policy) if RUNBOOKS in name else ():
            if step.left() <= 0:
                raise ActionError("time was up before all tests were played", outcome=Outcome.TEMPORARY)
            yield prove(policy, test)


def _failure(proved: Proved) -> dict[str, str]:
    test = proved.test
    return {
        "runbook": test.runbook,
        "test": test.scenario.title,
        "at": str(test.origin),
        "failure": proved.failure,
    }


def _why_open(method: Method, facts: dict[str, Fact], oldest: int) -> str:
    """Why nobody knows that the method reaches its contact; "" when somebody does."""
    if method.is_placeholder:
        return "to be filled in"
    if stop := facts.get(stop_key(method.channel, method.address)):
        return f"stopped, {stop.value}"
    proof = facts.get(proof_key(method.channel, method.address))
    if proof is None:
        return "never verified"
    return f"last {proof.value}" if _proven_at(proof.value) < oldest else ""


def _proven_at(proof: str) -> int:
    """Of "answered INC-1-d1 at 2026-01-07T12:00:00Z"; 0 where it does not say."""
    try:
        return parse_iso(proof.rpartition(" at ")[2])
    except ValueError:
        return 0


def _plan(what: str) -> Callable[[Step, BaseModel], dict[str, Any]]:
    return lambda _, params: {"would": {"read": what, **params.model_dump()}}


ACTIONS = {
    "configuration": Action(Nothing, mutates=False, run=configuration, plan=_plan("configuration")),
    "runbooks": Action(Nothing, mutates=False, run=runbooks, plan=_plan("runbooks")),
    "contacts": Action(Contacts, mutates=False, run=contacts, plan=_plan("contacts")),
    "report": Action(Report, mutates=False, run=report, plan=_plan("report")),
    "backlog": Action(Nothing, mutates=False, run=backlog, plan=_plan("backlog")),
}
