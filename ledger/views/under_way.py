"""Runs that are not over, whatever incident they belong to: found by the timer that each of them has."""

from collections import defaultdict

from ledger import wire
from ledger.timers import subjects
from ledger.views.store import Store
from routing.decision import Table
from routing.incident import Incident
from routing.record import decode
from routing.run import Run
from routing.timer import Wake


def under_way(store: Store) -> list[tuple[Run, Incident]]:
    """The latest first, each with its incident. That a run which is not over has a deadline, the auditor sees to."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for run in subjects(store.client, store.keys, Wake.RUN_DEADLINE):
        ids[run.rpartition("-r")[0]].append(run)
    if not ids:
        return []
    incidents = list(ids)
    pipe = store.client.pipeline(transaction=False)
    wire.queue(pipe, "HMGET", store.keys.state(Table.INCIDENT), *incidents)
    for incident, runs in ids.items():
        wire.queue(pipe, "HMGET", store.keys.owned(incident, Table.RUN), *runs)
    owners, *pages = pipe.execute()
    found = [
        (run, decode(Incident, owner))
        for owner, page in zip(owners, pages, strict=True)
        for run in (decode(Run, raw) for raw in page if raw is not None)
        if owner is not None and not run.phase.over
    ]
    return sorted(found, key=lambda each: -each[0].started_at)
