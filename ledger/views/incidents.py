"""Incidents as they are shown: a page of them, and everything about one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.phases import OPEN
from ledger.views.store import Store, Whole
from ledger.views.times import iso
from routing.delivery import Delivery
from routing.incident import Alert, Deploy, FollowUp, Incident, Moment, Phase
from routing.noise.mute import name_of
from routing.reason import Reason
from routing.run import Approval, Run, StepState
from routing.severity import Severity

Shown = dict[str, Any]
"""JSON-able; times ISO 8601 UTC."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents to list. Empty means any."""

    phases: frozenset[Phase] = frozenset()
    at_least: Severity | None = None
    team: str = ""
    service: str = ""
    text: str = ""
    """Part of the title, in any case."""

    def wants(self, incident: Incident) -> bool:
        return (
            (not self.phases or incident.phase in self.phases)
            and (self.at_least is None or incident.severity <= self.at_least)
            and self.team in {"", incident.team}
            and self.service in {"", incident.service}
            and self.text.lower() in incident.title.lower()
        )


@dataclass(frozen=True, slots=True)
class Page:
    """`after` is what to ask for next; "" when this was the last page."""

    rows: Sequence[Shown] = field(default_factory=tuple)
    after: str = ""


def page(store: Store, wanted: Wanted, limit: int, after: str = "", *, most: int = 0) -> Page:
    """Newest first. `after` is the id the page before ended with.

    Not more than `most` incidents are read if not 0: where few of them match, a page has fewer rows than there
    could be, and `after` says where to go on. Raises ValueError when it is not an incident's id.
    """
    rows: list[Shown] = []
    last = ""
    for read, (incident, archived) in enumerate(_candidates(store, wanted, after)):
        if len(rows) == limit or (most and read == most):
            return Page(rows, last)
        last = incident.id
        if wanted.wants(incident):
            rows.append(summary(incident, archived=archived))
    return Page(rows)


def _candidates(store: Store, wanted: Wanted, after: str) -> Iterator[tuple[Incident, bool]]:
    below = number_of(after) if after else 0
    if wanted.phases and wanted.phases <= frozenset(OPEN):
        return ((incident, False) for incident in store.open_incidents(wanted.phases, below))
    return store.incidents(below)


def number_of(incident_id: str) -> int:
    """12 of "INC-12". Raises ValueError, saying what an id looks like."""
    word, _, digits = incident_id.partition("-")
    if word != "INC" or not digits.isdigit():
        raise ValueError(f"not an incident's id: {incident_id!r}; ids look like INC-12")
    return int(digits)


def summary(incident: Incident, *, archived: bool = False) -> Shown:
    """One line of the listing."""
    return {
        "id": incident.id,
        "title": incident.title,
        "severity": str(incident.severity),
        "status": incident.phase.value,
        "team": incident.team,
        "service": incident.service,
        "opened_at": iso(incident.opened_at),
        "acknowledged_at": iso(incident.acknowledged_at),
        "acknowledged_by": incident.acknowledged_by,
        "resolved_at": iso(incident.resolved_at),
        "resolved_by": incident.resolved_by,
        "respond_by": iso(incident.respond_by),
        "resolve_by": iso(incident.resolve_by),
        "next_action": (
            {"at": iso(incident.next_action.at), "what": incident.next_action.what}
            if incident.next_action
            else None
        ),
        "events": incident.events,
        "firing": incident.firing,
        "archived": archived,
    }


def detail(whole: Whole, effects: Sequence[Incident] = ()) -> Shown:
    """Everything about one incident: what `tocsin incidents show ID --json` prints. `effects`: of the store."""
    incident = whole.incident
    return {
        **summary(incident, archived=whole.archived),
        "summary": incident.summary,
        "labels": incident.labels,
        "route": incident.route,
        "policy_version": incident.policy_version,
        "escalation": _escalation(incident),
        "paged": incident.paged,
        "suspect": _deploy(incident.suspect) if incident.suspect else None,
        "suspects": [_deploy(one) for one in (incident.suspect, *incident.suspects) if one is not None],
        "silenced_by": name_of(incident.silenced_by) if incident.silenced_by else "",
        "cause": incident.cause,
        "effects": [{"id": one.id, "title": one.title, "status": one.phase.value} for one in effects],
        "flapping": incident.flapping,
        "tried": incident.tried,
        "held_until": iso(incident.held_until),
        "snoozed_until": iso(incident.snoozed_until),
        "merged_into": incident.merged_into,
        "process": _process(incident),
        "reopened": incident.reopened,
        "drill": incident.drill,
        "followups": [_followup(one) for one in incident.followups],
        "alerts": [alert(one) for one in whole.alerts],
        "deliveries": [delivery(one) for one in whole.deliveries],
        "runs": [run(one) for one in whole.runs],
        "timeline": [moment(one) for one in whole.timeline],
    }


def delivery(one: Delivery) -> Shown:
    return {
        "id": one.id,
        "incident": one.incident,
        "contact": one.contact,
        "channel": one.channel,
        "address": one.address,
        "kind": one.purpose.value,
        "status": one.progress.value,
        "attempts": one.attempt,
        "repeat": one.repeat,
        "provider_id": one.provider_id,
        "answer": one.answer,
        "error": one.error,
        "sandbox": one.sandbox,
        "why": one.why,
        "title": one.message.title,
        "held": one.held,
        "carrier": one.carrier,
        "at": iso(one.created_at),
        "changed_at": iso(one.changed_at),
    }


def run(one: Run) -> Shown:
    return {
        "id": one.id,
        "incident": one.incident,
        "runbook": one.runbook,
        "version": one.runbook_version,
        "target": one.target,
        "mode": one.mode,
        "status": one.phase.value,
        "why": one.why,
        "requested_by": one.requested_by,
        "inputs": dict(one.inputs),
        "follows": one.follows,
        "approval": _approval(one.approval) if one.approval else None,
        "approved_by": one.approved_by,
        "started_at": iso(one.started_at),
        "deadline_at": iso(one.deadline_at),
        "ended_at": iso(one.ended_at),
        "steps": [_step(step) for step in one.steps],
    }


def moment(one: Moment) -> Shown:
    return {
        "at": iso(one.at),
        "what": one.what,
        "by": one.by,
        "client": one.client,
        "reasons": [reason(why) for why in one.reasons],
        "entry": one.entry,
        "policy": one.policy,
    }


def reason(why: Reason) -> Shown:
    return {"text": why.text, "rule": why.rule, "origin": why.origin}


def alert(one: Alert) -> Shown:
    return {
        "fingerprint": one.fingerprint,
        "source": one.source,
        "kind": one.kind,
        "status": "firing" if one.firing else "resolved",
        "count": one.count,
        "title": one.title,
        "summary": one.summary,
        "severity": str(one.severity),
        "first_seen": iso(one.first_seen_at),
        "last_seen": iso(one.last_seen_at),
        "resolved_at": iso(one.resolved_at),
        "flapping": one.flapping,
        "why": one.why,
        "labels": one.labels,
        "link": one.link,
    }


def _approval(one: Approval) -> Shown:
    return {
        "why": one.why, "until": iso(one.until_at), "people": one.people, "asked": one.asked, "granted": one.granted,
    }  # fmt: skip


def _step(step: StepState) -> Shown:
    return {
        "id": step.id,
        "action": step.action,
        "mutates": step.mutates,
        "attempts": step.attempt,
        "status": step.outcome or ("running" if step.began_at else "waiting"),
        "output": step.output,
        "error": step.error,
        "request": step.request,
        "params": step.params,
        "repeat": step.repeat,
        "began_at": iso(step.began_at),
        "ended_at": iso(step.ended_at),
    }


def _escalation(incident: Incident) -> Shown | None:
    found = incident.escalation
    if found is None:
        return None
    return {
        "policy": found.policy,
        "step": found.stage + 1,
        "steps": len(found.stages),
        "round": found.round,
        "repeat": found.repeat,
        "exhausted": found.exhausted,
        "awaited": found.awaited,
        "acked": found.acked,
        "origin": found.origin,
    }


def _deploy(suspect: Deploy) -> Shown:
    return {
        "id": suspect.id,
        "project": suspect.project,
        "service": suspect.service,
        "by": suspect.by,
        "at": iso(suspect.at),
        "link": suspect.link,
        "change": suspect.change,
    }


def _followup(one: FollowUp) -> Shown:
    return {
        "id": one.id,
        "text": one.text,
        "opened_at": iso(one.opened_at),
        "remind_at": iso(one.remind_at),
        "done_at": iso(one.done_at),
        "to": [f"{kind} {name}" for kind, name in one.to],
        "evidence": one.run,
    }


def _process(incident: Incident) -> dict[str, Any] | None:
    """How far it has come in the process by which it is run; None when it is not."""
    course = incident.course
    if course is None:
        return None
    return {
        "phase": course.passage,
        "since": iso(course.since_at),
        "until": iso(course.until_at) if course.until_at else None,
        "roles": dict(course.roles),
        "update_due_at": iso(course.update_due_at) if course.update_due_at else None,
        "regressions": list(course.regressions),
    }
