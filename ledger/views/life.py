"""Why: the whole life of one thing, from the wire to whoever acknowledged it, with the reasons in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from ledger import dead
from ledger.views import entries, incidents
from ledger.views.entries import Seen
from ledger.views.incidents import Shown
from ledger.views.store import Store, Whole
from ledger.views.times import iso
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import AlertCommand, AnyEntry, Opened, Signal
from routing.event import whole_of
from routing.incident import Moment, Verdict
from routing.run import Run

_ENTRY = re.compile(r"[cub]\d+-\d+(\.r\d+)?|dl-[0-9a-f]+\.r\d+")
_INCIDENT = re.compile(r"(INC-\d+)(?:-(d\d+)|-(r\d+)(?:/.+)?)?")


@dataclass(frozen=True, slots=True)
class Life:
    """`stages` are in order: {at, stage, what, reasons, facts}. `incident` is "" where none came of it."""

    kind: str
    """event, entry, incident, delivery, notice, run or dead letter"""
    id: str
    incident: str
    stages: Sequence[Shown] = field(default_factory=tuple)

    def shown(self) -> Shown:
        return {"kind": self.kind, "id": self.id, "incident": self.incident, "life": list(self.stages)}


def why(
    store: Store, asked: str, sources: Sequence[str] = (), searched: int = entries.SEARCHED
) -> list[Life]:
    """Every life this id may mean; none when nothing is known by it. `sources` are the configured ones.

    So many live entries are `searched` for a vendor's id that is remembered nowhere else.

    The id of an event, an incident, a delivery, a run or a dead letter, or the vendor's own of an event.
    """
    asked = asked.strip()
    if named := _INCIDENT.fullmatch(asked):
        return _of_incident(store, named[1], asked, named[2] or "", named[3] or "")
    if asked.startswith("notice-"):
        return _of_notice(store, asked)
    if asked.startswith("dl-") and not _ENTRY.fullmatch(asked):
        return _of_dead(store, asked)
    ids = (
        [asked]
        if _ENTRY.fullmatch(asked)
        else entries.ids_of_vendor_id(store, list(sources), asked, searched)
    )
    found = [entries.find(store, entry_id) for entry_id in ids]
    return [_of_entry(store, seen) for seen in found if seen is not None]


def _of_entry(store: Store, seen: Seen) -> Life:
    incident = seen.verdict.incident if seen.verdict else ""
    whole = store.whole(incident) if incident else None
    kind = "event" if isinstance(seen.entry, Signal) else "entry"
    rest = _course(whole, whole.deliveries, whole.runs) if whole else []
    if seen.verdict and seen.verdict.did == "held" and isinstance(seen.entry, Signal):
        rest = _completed(store, seen.entry)
    return Life(kind, seen.id, incident, [*_beginning(seen), *rest])


def _completed(store: Store, hint: Signal) -> list[Shown]:
    """What became of the event once its rest was there."""
    ids = entries.ids_of_vendor_id(store, [hint.event.source], whole_of(hint.event.vendor_id))
    found = [seen for each in ids if (seen := entries.find(store, each)) is not None]
    return [stage for seen in found for stage in _of_entry(store, seen).stages]


def _of_incident(store: Store, incident_id: str, asked: str, delivery: str, run: str) -> list[Life]:
    whole = store.whole(incident_id)
    if whole is None:
        return []
    part = asked.partition("/")[0]
    deliveries = [one for one in whole.deliveries if not (delivery or run) or one.id == part]
    runs = [one for one in whole.runs if not (delivery or run) or one.id == part]
    if (delivery and not deliveries) or (run and not runs):
        return []
    opened_by = next((moment.entry for moment in whole.timeline if moment.entry), "")
    seen = entries.find(store, opened_by) if opened_by else None
    kind = "delivery" if delivery else "run" if run else "incident"
    return [
        Life(
            kind, part, incident_id, [*(_beginning(seen) if seen else ()), *_course(whole, deliveries, runs)]
        )
    ]


def _of_notice(store: Store, notice: str) -> list[Life]:
    found = store.records(Table.NOTICE, Delivery).get(notice)
    return [Life("notice", notice, "", [_delivery(found)])] if found else []


def _of_dead(store: Store, letter_id: str) -> list[Life]:
    letter = dead.get(store.client, store.keys, letter_id) or store.settled(letter_id)
    if letter is None:
        return []
    stages = [
        _stage(
            letter.at, "given up", f"{letter.kind}: {letter.why}",
            source=letter.source, bytes=len(letter.raw), headers=letter.headers, times=letter.tries,
            subject=letter.subject,
        )
    ]  # fmt: skip
    if letter.edited_at:
        stages.append(_stage(letter.edited_at, "edited", f"its body was edited by {letter.edited_by}"))
    if letter.changed_at:
        stages.append(_stage(letter.changed_at, str(letter.status), f"{letter.status} by {letter.by}"))
    return [Life("dead letter", letter.id, letter.incident, stages)]


def _beginning(seen: Seen) -> list[Shown]:
    entry = seen.entry
    if not isinstance(entry, Signal):
        return [_stage(entry.at, "received", _said(entry), lane=seen.lane.value, entry=_facts(entry))]
    event = entry.event
    stages = [
        _stage(
            entry.at, "received", f"received from {event.source}" + (_size(seen)),
            id=seen.id, lane=seen.lane.value, headers=seen.headers, archived=seen.archived,
        ),
        _verified(seen, entry),
        _stage(
            entry.at, "normalised", f"{event.kind} ({event.status}): {event.title}",
            vendor_id=event.vendor_id, key=event.key, happened_at=iso(event.starts_at), summary=event.summary,
            labels=event.labels, details=event.details, link=event.link,
        ),
    ]  # fmt: skip
    return [*stages, *_judged(seen)]


def _size(seen: Seen) -> str:
    return f", {seen.body_bytes} bytes" if seen.body_bytes >= 0 else ""


def _verified(seen: Seen, entry: Signal) -> Shown:
    event = entry.event
    if entry.replay_of:
        what = f"replayed by {entry.by or 'somebody'} from {entry.replay_of}, which had been verified before"
        return _stage(entry.at, "verified", what, replay_of=entry.replay_of)
    if entry.found:
        what = _FOUND.get(entry.found, "found by us").format(vendor=event.vendor)
        return _stage(entry.at, "verified", what, found=entry.found, completes=entry.completes)
    if not seen.headers:
        return _stage(entry.at, "verified", f"not from outside: said by {entry.by or event.source} itself")
    signed = sorted(name for name in seen.headers if "signature" in name)
    how = f"signature in {', '.join(signed)}" if signed else "the source's token or address"
    return _stage(
        entry.at, "verified", f"authentic by {how}, as {event.vendor} does it; checked before it was read"
    )


def _judged(seen: Seen) -> list[Shown]:
    verdict = seen.verdict
    if verdict is None:
        if seen.decided:
            what = "decided without a verdict; see `tocsin dead list`: it may have been set aside"
        else:
            what = "not decided yet; if this stays so, see `tocsin status`"
        return [_stage(0, "waiting", what)]
    classified = _stage(
        verdict.at, "classified", str(verdict.severity) if verdict.severity is not None else "no severity",
        reasons=[incidents.reason(one) for one in verdict.reasons], policy=verdict.policy,
    )  # fmt: skip
    return [classified, _stage(verdict.at, "decided", became(verdict), fingerprint=verdict.fingerprint)]


_FOUND = {
    "polling": "found by polling: {vendor} had not brought it, and was asked what we missed",
    "retrieval": "found by retrieval: {vendor} was asked for the rest of what it had only hinted at",
}

_DID = {
    "recorded": "recorded; it opens nothing by itself",
    "counted": "counted; the threshold is not reached",
    "expected": "came as expected",
    "opened": "opened {incident}",
    "joined": "joined {incident} as another alert",
    "repeated": "deduplicated into {incident}: that alert is firing already",
    "resolved": "resolved its alert in {incident}",
    "reopened": "reopened {incident}",
    "silenced": "silenced",
    "acknowledged": "acknowledged {incident}",
    "noted": "noted at {incident}",
    "remembered": "remembered: it counts once its alert is reported, if that was sent before it",
    "stale": "changed nothing: it is older than what is known",
    "ignored": "changed nothing: nothing of it is open",
    "paused": "set aside: its source is paused",
    "held": "held until its rest is retrieved",
    "undecidable": "set aside as a dead letter: its fold failed",
}


def became(verdict: Verdict) -> str:
    """What a verdict says, in words."""
    return _DID.get(verdict.did, verdict.did).format(incident=verdict.incident or "an incident")


def _course(whole: Whole, deliveries: Sequence[Delivery], runs: Sequence[Run]) -> list[Shown]:
    """The incident's own life: its timeline, its runs and its deliveries, by time."""
    stages = [
        *(_moment(one) for one in whole.timeline),
        *(_run(one) for one in runs),
        *(_delivery(one) for one in deliveries),
    ]
    return sorted(stages, key=lambda stage: stage["at"] or "")


def _moment(one: Moment) -> Shown:
    reasons = [incidents.reason(why) for why in one.reasons]
    return _stage(
        one.at, "incident", one.what, reasons=reasons, by=one.by, client=one.client, entry=one.entry
    )


def _run(one: Run) -> Shown:
    what = f"runbook {one.runbook} on {one.target} ({one.mode}): {one.phase}"
    return _stage(one.started_at, "runbook", what, **incidents.run(one))


def _delivery(one: Delivery) -> Shown:
    what = f"{one.purpose} to {one.contact} by {one.channel}: {one.progress}"
    return _stage(one.created_at, "delivery", what, **incidents.delivery(one))


def _said(entry: AnyEntry) -> str:
    by = (entry.by or "somebody") + (f", {entry.client}" if entry.client else "")
    if isinstance(entry, Opened):
        return f"opened by hand by {by}: {entry.title}"
    if isinstance(entry, AlertCommand):
        return f"{entry.verb.value} asked for by {by} via {entry.via}"
    return f"{type(entry).__name__.lower()} by {by}"


def _facts(entry: AnyEntry) -> Shown:
    found: Shown = msgspec.to_builtins(entry)
    return found


def _stage(at: int, stage: str, what: str, /, *, reasons: Sequence[Shown] = (), **facts: object) -> Shown:
    known = {name: value for name, value in facts.items() if value not in (None, "", {}, [])}
    return {"at": iso(at), "stage": stage, "what": what, "reasons": list(reasons), "facts": known}
