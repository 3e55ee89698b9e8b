"""How the alarms of a while were: how fast people answered, whom they woke and when, what was noise, what repaired
itself, and which promises were kept. Of incidents that were opened in that while, live or in the archive.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

from ledger.views.reports import pages
from ledger.views.reports.incident import kept
from ledger.views.store import Store
from ledger.views.times import iso
from routing.decision import Table
from routing.delivery import Delivery
from routing.incident import Incident, Phase
from routing.instant import HOUR
from routing.record import Record
from routing.run import Run, RunPhase
from routing.severity import Severity

Shown = dict[str, Any]
"""JSON-able; times ISO 8601 UTC, lengths in ms."""

NIGHT = frozenset({22, 23, 0, 1, 2, 3, 4, 5, 6})
"""Hours in which whoever is paged is woken."""
_AT_ONCE = 200
_LEAD_MS = HOUR
"""Incidents are numbered as they are decided; a clock that was set back moves none further than this."""
_MOST_SERVICES = 10
_FLAPPED = '"rule":"flapping"'
"""What a timeline's record of flapping holds."""


class Ran(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Of a run what is measured; what its steps brought is passed over."""

    phase: RunPhase


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, with what is measured of it."""

    incident: Incident
    pages: tuple[tuple[str, int], ...]
    """(contact, ms) of each time somebody was paged."""
    messages: int
    runs: tuple[Ran | Run, ...]
    flapped: bool

    @property
    def by_person(self) -> bool:
        """Somebody did something about it."""
        by = self.incident.resolved_by
        return bool(self.incident.acknowledged_at) or not (by in {"", "source"} or by.startswith("runbook "))

    @property
    def by_runbook(self) -> bool:
        """It repaired itself, and nobody had to be there."""
        return self.incident.resolved_by.startswith("runbook ") and not self.incident.acknowledged_at


def cases(
    store: Store, since: int, until: int, done: Callable[[int], Any] = lambda _: None
) -> Iterator[Case]:
    """Incidents opened from `since` until before `until` (ms), newest first; `done` hears how many were read.

    What was merged into another is left out: that one answers for it.
    """
    wanted = (each for each in _opened(store, since, until) if not each[0].merged_into)
    while some := list(islice(wanted, _AT_ONCE)):
        deliveries = store.owned(some, Table.DELIVERY, Delivery)
        runs = store.owned(some, Table.RUN, Ran)
        flapped = store.saying(some, _FLAPPED)
        for incident, _ in some:
            said = [one for one in deliveries[incident.id] if pages.left(one)]
            paged = tuple((contact, each[0].created_at) for contact, each in pages.together(said))
            yield Case(incident, paged, len(said), tuple(runs[incident.id]), incident.id in flapped)
        done(len(some))


def _opened(store: Store, since: int, until: int) -> Iterator[tuple[Incident, bool]]:
    for incident, retired in store.incidents():
        if incident.opened_at < since - _LEAD_MS:
            return
        if since <= incident.opened_at < until and not incident.drill:
            yield incident, retired


def measure(
    found: Sequence[Case], since: int, until: int, now: int, zones: Mapping[str, str], zone: str
) -> Shown:
    """`zones`: contact -> their time zone, `zone` the reader's.

    {"from", "until", "incidents", "acknowledged", "resolved", "pages", "noise", "automation", "promises", "services",
    "days"}
    """
    return {
        "from": iso(since),
        "until": iso(until),
        "incidents": _incidents(found),
        "acknowledged": _lengths([_taken(one.incident) for one in found if one.incident.acknowledged_at]),
        "resolved": _lengths([_lasted(one.incident) for one in found if one.incident.resolved_at]),
        "pages": _pages(found, zones),
        "noise": _noise(found),
        "automation": _automation(found),
        "promises": list(_promises(found, now)),
        "services": [
            {"service": name or "(none)", "incidents": many}
            for name, many in Counter(one.incident.service for one in found).most_common(_MOST_SERVICES)
        ],
        "days": _days(found, zone),
    }  # fmt: skip


def _incidents(found: Sequence[Case]) -> Shown:
    by_severity = Counter(str(one.incident.severity) for one in found)
    return {
        "all": len(found),
        "open": sum(one.incident.phase is not Phase.RESOLVED for one in found),
        "reopened": sum(one.incident.reopened > 0 for one in found),
        "by_severity": {str(each): by_severity[str(each)] for each in Severity},
    }


def _taken(incident: Incident) -> int:
    return incident.acknowledged_at - incident.opened_at


def _lasted(incident: Incident) -> int:
    return incident.resolved_at - incident.opened_at


def _lengths(some: list[int]) -> Shown:
    """MTTA and MTTR are the means; one night of forgetting moves them, and the median not."""
    if not some:
        return {"count": 0, "mean_ms": None, "median_ms": None, "p90_ms": None}
    ordered = sorted(some)
    p90 = ordered[min(len(ordered) - 1, len(ordered) * 9 // 10)]
    return {
        "count": len(some),
        "mean_ms": round(fmean(some)),
        "median_ms": round(median(some)),
        "p90_ms": p90,
    }


def _pages(found: Sequence[Case], zones: Mapping[str, str]) -> Shown:
    paged = [(contact, _hour(at, zones.get(contact, "UTC"))) for one in found for contact, at in one.pages]
    people = Counter(contact for contact, _ in paged)
    nights = Counter(contact for contact, hour in paged if hour in NIGHT)
    hours = Counter(hour for _, hour in paged)
    return {
        "all": len(paged),
        "at_night": nights.total(),
        "messages": sum(one.messages for one in found),
        "people": [
            {"contact": name, "pages": many, "at_night": nights[name], "timezone": zones.get(name, "UTC")}
            for name, many in people.most_common()
        ],
        "hours": [hours[hour] for hour in range(24)],
    }


def _hour(at: int, zone: str) -> int:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).hour


def _noise(found: Sequence[Case]) -> Shown:
    """`without_action`: paged for, and it was over without anybody's doing, or any repair."""
    paged = [one for one in found if one.pages]
    idle = [one for one in paged if one.incident.resolved_by == "source" and not one.by_person]
    return {
        "paged": len(paged),
        "without_action": len(idle),
        "pages_without_action": sum(len(one.pages) for one in idle),
        "ended_by_itself": sum(one.incident.resolved_by == "source" and not one.by_person for one in found),
        "flapping": sum(one.flapped for one in found),
        "share": _share(len(idle), len(paged)),
    }


def _automation(found: Sequence[Case]) -> Shown:
    over = [one for one in found if one.incident.resolved_at]
    repaired = [one for one in over if one.by_runbook]
    ended = Counter(run.phase.words for one in found for run in one.runs)
    return {
        "over": len(over),
        "tried": sum(bool(one.runs) for one in found),
        "repaired": len(repaired),
        "repaired_unseen": sum(not one.pages for one in repaired),
        "share": _share(len(repaired), len(over)),
        "runs": dict(sorted(ended.items())),
    }


def _promises(found: Sequence[Case], now: int) -> Iterator[Shown]:
    for severity in Severity:
        held = [kept(one.incident, now) for one in found if one.incident.severity is severity]
        if held:
            yield {
                "severity": str(severity),
                "response": _held([each for each, _ in held]),
                "resolution": _held([each for _, each in held]),
            }


def _held(some: list[bool | None]) -> Shown:
    counts = Counter(some)
    kept_, missed = counts[True], counts[False]
    return {"kept": kept_, "missed": missed, "running": counts[None], "share": _share(kept_, kept_ + missed)}


def _days(found: Sequence[Case], zone: str) -> dict[str, int]:
    """Days (of the reader's zone) with incidents."""
    at = ZoneInfo(zone)
    counted = Counter(
        datetime.fromtimestamp(one.incident.opened_at / 1000, UTC).astimezone(at).date().isoformat()
        for one in found
    )
    return dict(sorted(counted.items()))


def _share(some: int, whole: int) -> float | None:
    """Of one, to three places; None of nothing."""
    return round(some / whole, 3) if whole else None
