"""Runbooks: what would trigger each, how much of its limits is used, breakers, runs, its tests, starting one, stops."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

import click
from starlette.routing import Route

from console.doing import incidents as acting
from console.doing import runbooks as doing
from console.doing.entries import Done
from console.pages.runs import brief
from console.refusals import Undecided
from console.runbooks import played_tests, shown
from console.serving.navigation import Nav
from console.serving.view import Facts, NotFound, View, act, page, trial
from console.trust.acts import Act
from ledger import policies
from ledger.switches import killed
from ledger.views.parts import Parts
from ledger.views.under_way import under_way
from routing.automation import guards
from routing.automation.stops import FREEZE, KILL
from routing.decision import Table
from routing.entry import SwitchSet, Verb
from routing.incident import Incident
from routing.instant import DAY, HOUR
from routing.policy import Runbook
from routing.run import Run, RunPhase, TargetRecord

NAV = Nav("Runbooks", "/runbooks", 45)
LOOKED_THROUGH = 60
"""So many incidents, the newest first, are looked through for runs, until there are as many runs."""
MOST = 20
BRIEF = 400
"""Characters of what each step brought: the run's own page has all of it."""
_EVERYTHING = "@"


def ask(view: View) -> Facts:
    runs, going, policy = _runs(view), under_way(view.context.store), view.context.policy
    records = view.context.store.records(Table.TARGET, TargetRecord)
    last = {run.runbook: run for run, _ in sorted([*runs, *going], key=lambda each: each[0].started_at)}
    return {
        **_stops(view),
        "rows": [
            {**shown(each), "used": _used(records.get(each.id), view.now), "open": _open(records, each.id, view.now),
             "limit": each.limits.everywhere, "last": last.get(each.id), "levels": _levels(each)}
            for each in policy.runbooks
        ],
        "all": _used(records.get(_EVERYTHING), view.now),
        "waiting": _shown([found for found in going if found[0].phase is RunPhase.WAITING]),
        "going": _shown([found for found in going if found[0].phase is not RunPhase.WAITING]),
        "runs": _shown([found for found in runs if found[0].phase.over][:MOST]),
        "kept": "kept" in view.query,
    }  # fmt: skip


def ask_one(view: View) -> Facts:
    book = _known(view)
    going = [found for found in under_way(view.context.store) if found[0].runbook == book.id]
    over = [found for found in _runs(view) if found[0].runbook == book.id and found[0].phase.over]
    records = view.context.store.records(Table.TARGET, TargetRecord)
    mine = {key.partition("@")[2]: record for key, record in records.items() if key.startswith(f"{book.id}@")}
    return {
        **_stops(view),
        "book": book,
        "levels": _levels(book),
        "used": _used(records.get(book.id), view.now),
        "targets": [_target(book, name, record, view.now) for name, record in sorted(mine.items())],
        "runs": _shown([*going, *over[:MOST]]),
        "open": [(one.id, one.title[:60]) for one in islice(view.context.store.open_incidents(), 50)],
        "tests": _tests(view, book) if "test" in view.form else None,
    }


def _known(view: View) -> Runbook:
    try:
        return doing.known(view.context, view.path["id"])
    except click.UsageError as error:
        raise NotFound(f"no runbook {view.path['id'][:40]!r}") from error


def _levels(book: Runbook) -> list[str]:
    return [str(level) for level in book.when_severity]


def _stops(view: View) -> Facts:
    switches = view.context.store.records(Table.SWITCH, SwitchSet)
    hours = view.context.policy.freeze
    return {
        "killed": killed(view.site.client, view.site.keys),
        "kill": switches.get(KILL),
        "frozen": switches.get(FREEZE),
        "frozen_hours": hours.name if hours else "",
    }


def _runs(view: View) -> list[tuple[Run, Incident]]:
    """Of the newest incidents, the latest first."""
    store = view.context.store
    newest = list(islice(store.incidents(), LOOKED_THROUGH))
    found: list[tuple[Run, Incident]] = []
    for incident, retired in _with_runs(view, newest):
        runs, _ = Parts(store, incident.id, retired).latest(Table.RUN, Run, MOST)
        found += [(run, incident) for run in runs]
        if len(found) >= LOOKED_THROUGH:
            break
    return sorted(found, key=lambda each: -each[0].started_at)


def _with_runs(view: View, some: Sequence[tuple[Incident, bool]]) -> Iterator[tuple[Incident, bool]]:
    """Those for which anything has run: of most nothing has, and none of them is asked on its own."""
    pipe, keys = view.site.client.pipeline(transaction=False), view.site.keys
    for incident, _ in some:
        pipe.hlen(keys.owned(incident.id, Table.RUN))
    ran = view.context.store.archive.owning([one.id for one, retired in some if retired], Table.RUN)
    for each, size in zip(some, pipe.execute(), strict=True):
        if size or each[0].id in ran:
            yield each


def _shown(found: Sequence[tuple[Run, Incident]]) -> list[Facts]:
    return [brief(run, BRIEF) | {"team": one.team, "title": one.title} for run, one in found]


def _used(record: TargetRecord | None, now: int) -> Mapping[str, int]:
    """How many runs were started in the last hour and day."""
    started = record.started if record else []
    return {"hour": sum(at > now - HOUR for at in started), "day": sum(at > now - DAY for at in started)}


def _open(records: Mapping[str, TargetRecord], book: str, now: int) -> list[str]:
    """The targets whose breaker is open."""
    found = [key for key, record in records.items() if key.startswith(f"{book}@") and record.open_until > now]
    return [key.partition("@")[2] for key in found]


def _target(book: Runbook, name: str, record: TargetRecord, now: int) -> Facts:
    """In the words with which a run would be refused now."""
    permit = guards.permit(record, book.limits, (), "", now, stopped="")
    breaker = "open" if record.open_until > now else "half open" if record.open_until else "closed"
    return {
        "name": name, "used": _used(record, now), "failures": record.failures, "breaker": breaker,
        "refusal": permit.refusal, "open_until": record.open_until if record.open_until > now else 0,
    }  # fmt: skip


def _tests(view: View, book: Runbook) -> list[Facts]:
    """Its own tests, played under a simulated clock with what is in force."""
    policy = view.context.policy
    files = policies.files_of(view.site.client, view.site.keys, policy.version)
    return played_tests(policy, files, (book.id,))


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


def start(view: View) -> str:
    book, incident = _known(view), acting.known(view.context, view.sent("incident"))
    view.need(Act.RUN_RUNBOOK, incident.team)
    inputs = {name: said for name in book.inputs if (said := view.sent(f"input:{name}"))}
    done = _entry(lambda: doing.start(view.context, view.who, book.id, incident.id, inputs))
    return f"/incidents/{incident.id}?said={done}"


def undo(view: View) -> str:
    run = view.path["run"]
    incident = acting.known(view.context, doing.incident_of(run))
    view.need(Act.UNDO_RUN, incident.team)
    done = _entry(lambda: doing.say(view.context, view.who, run, Verb.UNDO))
    return f"/incidents/{incident.id}?said={done}"


def _entry(do: Callable[[], Done]) -> str:
    """The id of what was appended, decided by now or not."""
    try:
        return do().entry
    except Undecided as error:
        return error.entry


def _switches(name: str) -> Callable[[View], str]:
    def do(view: View) -> str:
        on = view.sent("on") == "1"
        try:
            doing.switch(view.context, view.who, name, on=on, reason=view.sent("reason", 500))
        except Undecided:
            return "/runbooks?kept=1"
        return "/runbooks"

    return do


ROUTES = [
    Route("/runbooks", page(Act.READ, "runbooks.html", ask, "now")),
    Route("/runbooks/kill-switch", act(Act.KILL_SWITCH, _switches(KILL)), methods=["POST"]),
    Route("/runbooks/freeze", act(Act.FREEZE, _switches(FREEZE)), methods=["POST"]),
    Route("/runbooks/runs/{run}/undo", act(Act.UNDO_RUN, undo), methods=["POST"]),
    Route("/runbooks/{id}", page(Act.READ, "runbook.html", ask_one, "now"), methods=["GET"]),
    Route("/runbooks/{id}", trial(Act.REHEARSE, "runbook.html", ask_one), methods=["POST"]),
    Route("/runbooks/{id}/run", act(Act.RUN_RUNBOOK, start), methods=["POST"]),
]
