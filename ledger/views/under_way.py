"""Runs that are not over, whatever incident they belong to: found by the timers that each of them has."""

from collections import defaultdict
from collections.abc import Iterator

from ledger import wire
from ledger.timers import subjects
from ledger.views.store import Store
from routing.decision import Table
from routing.incident import Incident
from routing.record import decode
from routing.run import Run, RunPhase
from routing.timer import Wake

Found = list[tuple[Run, Incident]]


def under_way(store: Store) -> Found:
    """The latest first, each with its incident. That a run which is not over has a deadline, the auditor sees to."""
    found = [each for each in _with(store, Wake.RUN_DEADLINE) if not each[0].phase.over]
    return sorted(found, key=lambda each: -each[0].started_at)


def waiting(store: Store) -> Found:
    """Those that wait for a yes, the one first that is denied first: of all others nothing is read."""
    found = [each for each in _with(store, Wake.APPROVAL) if each[0].phase is RunPhase.WAITING]
    return sorted(found, key=lambda each: each[0].approval.until_at if each[0].approval else 0)


def _with(store: Store, wake: Wake) -> Iterator[tuple[Run, Incident]]:
    """What has a timer of this kind."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for run in subjects(store.client, store.keys, wake):
        ids[run.rpartition("-r")[0]].append(run)
    if not ids:
        return
    incidents = list(ids)
    pipe = store.client.pipeline(transaction=False)
    wire.queue(pipe, "HMGET", store.keys.state(Table.INCIDENT), *incidents)
    for incident, runs in ids.items():
        wire.queue(pipe, "HMGET", store.keys.owned(incident, Table.RUN), *runs)
    owners, *pages = pipe.execute()
    for owner, page in zip(owners, pages, strict=True):
        for raw in page:
            if raw is not None and owner is not None:
                yield decode(Run, raw), decode(Incident, owner)
