"""What becomes of an event: classified, counted, deduplicated, grouped, opened, joined or resolved."""

from dataclasses import dataclass

import msgspec

from routing import classify, lifecycle, routes, thresholds
from routing.classify import Classified
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Signal
from routing.event import Event, Status
from routing.fingerprint import fingerprint, of_threshold
from routing.incident import Alert, Deploy, Incident, Phase, Verdict, Window
from routing.instant import HOUR, MINUTE
from routing.policy import Threshold
from routing.reason import Reason
from routing.severity import Severity
from routing.state import Fact
from routing.timer import Wake

SETTLE_MS = 5 * MINUTE
"""After we closed an incident, its sender may go on reporting what it has not noticed yet for this long."""
TOMBSTONE_MS = HOUR
"""A resolve that came before its own firing is remembered this long."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A firing condition, wherever it comes from: an event or a threshold crossed by many."""

    fingerprint: str
    source: str
    kind: str
    title: str
    summary: str
    severity: Severity
    team: str
    service: str
    labels: dict[str, str]
    at: int
    """When we got to know (ms)."""
    reasons: tuple[Reason, ...]
    starts_at: int = 0
    ends_at: int = 0
    link: str = ""


def signal(draft: Draft, entry: Signal) -> None:
    """Fold one event. Its verdict says what became of it."""
    event = entry.event
    if draft.find(Table.SWITCH, f"pause:{event.source}", msgspec.Struct) is not None:  # type: ignore[type-var]
        _verdict(draft, "paused", reason=Reason(text=f"source {event.source} is paused"))
        return
    classified = classify.classify(draft.policy, event)
    counted = _count(draft, event, classified, entry.at)
    if classified.handling == "deploy":
        _deployed(draft, event, classified, entry.at)
    elif event.status is Status.RESOLVED:
        _resolved(draft, event, classified, entry.at)
    elif classified.handling == "alert":
        _firing(draft, _condition(event, classified, entry.at))
    elif not counted:
        _verdict(draft, "recorded", severity=classified.severity, reasons=classified.reasons)


def _condition(event: Event, classified: Classified, at: int) -> Condition:
    return Condition(
        fingerprint=fingerprint(event, classified.service),
        source=event.source,
        kind=event.kind,
        title=event.title,
        summary=event.summary,
        severity=classified.severity,
        team=classified.team,
        service=classified.service,
        labels=classified.labels,
        at=at,
        reasons=tuple(classified.reasons),
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        link=event.link,
    )


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────


def _count(draft: Draft, event: Event, classified: Classified, at: int) -> bool:
    """Count the event in every threshold it matches; true when it decided the event's verdict."""

    def window(key: str) -> Window | None:
        return draft.find(Table.WINDOW, key, Window)

    counted = thresholds.count(draft.policy, event, classified.labels, window, at)
    for count in counted:
        draft.put(Table.WINDOW, count.key, count.window)
        draft.wake(Wake.EXPIRE, f"window:{count.key}", at + count.threshold.window_ms)
        known = draft.alert(_threshold_fingerprint(count.threshold, classified.labels))
        if count.crossed or (known is not None and _is_live(draft, known)):
            _firing(draft, _crossing(count.threshold, event, classified, at, count.reason))
        else:
            _verdict(
                draft, "counted", severity=classified.severity, reasons=[*classified.reasons, count.reason]
            )
    return bool(counted)


def _threshold_fingerprint(threshold: Threshold, labels: dict[str, str]) -> str:
    return of_threshold(threshold.name, tuple(labels.get(name, "") for name in threshold.by))


def _crossing(
    threshold: Threshold, event: Event, classified: Classified, at: int, reason: Reason
) -> Condition:
    labels = {
        **{name: classified.labels.get(name, "") for name in threshold.by},
        **threshold.labels,
        "source": event.source,
        "kind": threshold.name,
        "severity": str(threshold.severity),
        "team": threshold.team,
        "service": threshold.service or classified.service,
    }
    return Condition(
        fingerprint=_threshold_fingerprint(threshold, classified.labels),
        source=event.source,
        kind=threshold.name,
        title=threshold.title,
        summary=reason.text,
        severity=threshold.severity,
        team=threshold.team or classified.team,
        service=labels["service"],
        labels=labels,
        at=at,
        reasons=(reason,),
    )


# ── firing ───────────────────────────────────────────────────────────────────────────────────────────


def _firing(draft: Draft, condition: Condition) -> None:
    alert = draft.alert(condition.fingerprint)
    if alert is not None and _is_live(draft, alert):
        _repeated(draft, alert, condition)
    elif _is_stale(draft, alert, condition):
        reason = Reason(text="it reports a state from before the resolve we already have")
        _verdict(draft, "stale", condition.fingerprint, alert.incident if alert else "", reason=reason)
    else:
        _fired(draft, alert, condition)


def _is_live(draft: Draft, alert: Alert) -> bool:
    incident = draft.incident(alert.incident)
    return alert.firing and incident is not None and incident.phase is not Phase.RESOLVED


def _is_stale(draft: Draft, alert: Alert | None, condition: Condition) -> bool:
    """Older than what we know: a firing overtaken by its own resolve, or a sender that lags behind us."""
    happened = condition.starts_at or condition.at
    tombstone = draft.fact(f"resolved:{condition.fingerprint}")
    if tombstone and happened <= int(tombstone):
        return True
    if alert is None:
        return False
    if not alert.firing:
        return happened <= alert.resolved_at
    incident = draft.incident(alert.incident)
    return incident is not None and _lags(incident, alert, condition)


def _lags(incident: Incident, alert: Alert, condition: Condition) -> bool:
    """We closed the incident; the sender still repeats the very same alert within the settling time."""
    same = condition.starts_at == alert.starts_at
    return same and condition.at - incident.resolved_at < SETTLE_MS


def _repeated(draft: Draft, alert: Alert, condition: Condition) -> None:
    """Still firing: counted, nobody is told again."""
    incident = draft.incident(alert.incident)
    if incident is None:
        return
    draft.put_alert(
        msgspec.structs.replace(
            alert,
            count=alert.count + 1,
            last_seen_at=max(alert.last_seen_at, condition.at),
            # A newer occurrence, so that a late resolve of an older one does not end it.
            starts_at=max(alert.starts_at, condition.starts_at),
            severity=min(alert.severity, condition.severity),
        )
    )
    _expect_end(draft, condition, incident.id)
    incident = msgspec.structs.replace(incident, events=incident.events + 1)
    draft.put_incident(incident)
    if condition.severity < incident.severity:
        lifecycle.worsen(draft, incident, condition.severity, condition.labels, *condition.reasons)
    reason = Reason(text=f"same as {incident.id}: fingerprint {alert.fingerprint} is firing there")
    _verdict(draft, "repeated", alert.fingerprint, incident.id, severity=condition.severity, reason=reason)


def _fired(draft: Draft, known: Alert | None, condition: Condition) -> None:
    """A new condition, or one that is back: reopen, join or open."""
    matched = routes.match(draft.policy, condition.labels)[0]
    group = routes.group_key(matched.route, condition.labels)
    reasons = (*condition.reasons, *matched.reasons)
    past = draft.incident(known.incident) if known else None
    if past is not None and past.phase is Phase.RESOLVED and group not in draft.state.open_groups:
        since = draft.now - past.resolved_at
        if since < matched.route.reopen_ms:
            why = Reason(text=f"fired again {since // 1000} s after it was resolved")
            incident = lifecycle.reopen(draft, past, condition.labels, group, why)
            _enter(draft, condition, incident, "reopened", reasons, add=1)
            return
    current = draft.incident(draft.state.open_groups.get(group, ""))
    if current is not None:
        _join(draft, condition, current, group, reasons)
        return
    opening = lifecycle.Opening(
        title=condition.title,
        summary=condition.summary,
        severity=condition.severity,
        team=condition.team,
        service=condition.service,
        labels=condition.labels,
        reasons=tuple(reasons),
    )
    incident = lifecycle.open_incident(draft, matched.route, opening)
    _enter(draft, condition, incident, "opened", reasons, add=0)


def _join(
    draft: Draft, condition: Condition, incident: Incident, group: str, reasons: tuple[Reason, ...]
) -> None:
    if condition.severity < incident.severity:
        incident = lifecycle.worsen(draft, incident, condition.severity, condition.labels, *condition.reasons)
    else:
        incident = lifecycle.unmuted(draft, incident, condition.labels)
    if incident.alerts < NOTED_JOINS:
        why = Reason(text=f"it shares the group {group}")
        draft.note(incident.id, f"joined by {condition.title}", why)
    _enter(draft, condition, incident, "joined", reasons, add=1)


NOTED_JOINS = 20
"""Joins beyond this many are counted, not written into the timeline one by one."""


def _enter(
    draft: Draft,
    condition: Condition,
    incident: Incident,
    did: str,
    reasons: tuple[Reason, ...],
    *,
    add: int,
) -> None:
    """Put the alert into its incident; `add` is 0 where the incident already counts it."""
    known = draft.alert(condition.fingerprint)
    again = known is not None and known.incident == incident.id
    draft.put_alert(
        Alert(
            fingerprint=condition.fingerprint,
            incident=incident.id,
            source=condition.source,
            kind=condition.kind,
            title=condition.title,
            severity=condition.severity,
            firing=True,
            count=known.count + 1 if known and again else 1,
            first_seen_at=known.first_seen_at if known and again else condition.at,
            last_seen_at=condition.at,
            starts_at=condition.starts_at,
            summary=condition.summary,
            labels=condition.labels,
            link=condition.link,
        )
    )
    if add:
        current = draft.incident(incident.id) or incident
        draft.put_incident(
            msgspec.structs.replace(
                current,
                firing=current.firing + 1,
                alerts=current.alerts + (0 if again else 1),
                events=current.events + 1,
            )
        )
    _expect_end(draft, condition, incident.id)
    _verdict(
        draft, did, condition.fingerprint, incident.id, severity=condition.severity, reasons=list(reasons)
    )


def _expect_end(draft: Draft, condition: Condition, incident: str) -> None:
    """A sender that says until when its alert holds resolves it by not renewing it."""
    quiet = next(
        (
            rule.quiet_ms
            for rule in draft.policy.thresholds
            if rule.name == condition.kind and condition.fingerprint.startswith("v1:")
        ),
        0,
    )
    subject = f"{incident}/{condition.fingerprint}"
    if condition.ends_at > condition.at:
        what = f"resolve {condition.title} unless it is reported again"
        draft.wake(Wake.EXPIRE, subject, condition.ends_at, incident=incident, what=what)
    elif quiet and draft.timer(Wake.QUIET, subject) is None:
        what = f"resolve {condition.title} if it stays quiet"
        draft.wake(Wake.QUIET, subject, condition.at + quiet, incident=incident, what=what)


# ── resolving ────────────────────────────────────────────────────────────────────────────────────────


def _resolved(draft: Draft, event: Event, classified: Classified, at: int) -> None:
    mark = fingerprint(event, classified.service)
    ended = event.ends_at or at
    alert = draft.alert(mark)
    if alert is None or (not alert.firing and alert.resolved_at >= ended):
        _remember_resolve(draft, mark, ended)
        reason = Reason(text="nothing of it is open; remembered, in case its firing comes late")
        _verdict(draft, "ignored", mark, alert.incident if alert else "", reason=reason)
        return
    if alert.firing and alert.starts_at > ended:
        reason = Reason(text="it resolves an earlier occurrence; the alert has fired again since")
        _verdict(draft, "stale", mark, alert.incident, reason=reason)
        return
    end_alert(draft, alert, ended, "source", f"{event.source} reports it resolved")
    _verdict(draft, "resolved", mark, alert.incident, reasons=list(classified.reasons))


def _remember_resolve(draft: Draft, mark: str, ended: int) -> None:
    key = f"resolved:{mark}"
    draft.put_fact(key, str(max(ended, int(draft.fact(key) or "0"))))
    draft.wake(Wake.EXPIRE, key, draft.now + TOMBSTONE_MS)


def end_alert(draft: Draft, alert: Alert, ended: int, by: str, why: str) -> None:
    """The alert no longer fires; with the last of them the incident is resolved."""
    was_live = _is_live(draft, alert)
    draft.put_alert(msgspec.structs.replace(alert, firing=False, resolved_at=ended, resolved_by=by))
    subject = f"{alert.incident}/{alert.fingerprint}"
    draft.unwake(Wake.EXPIRE, subject)
    draft.unwake(Wake.QUIET, subject)
    incident = draft.incident(alert.incident)
    if incident is None or not was_live:
        return
    incident = msgspec.structs.replace(incident, firing=max(0, incident.firing - 1))
    draft.put_incident(incident)
    if incident.firing == 0:
        lifecycle.resolve(draft, incident, by, "all its alerts are resolved", Reason(text=why))
    elif incident.alerts <= NOTED_JOINS:
        draft.note(incident.id, f"{alert.title} resolved, {incident.firing} still firing", Reason(text=why))


def quiet_due(draft: Draft, alert: Alert) -> None:
    """A threshold's alert resolves when nothing more was counted for its quiet time."""
    rule = next((rule for rule in draft.policy.thresholds if rule.name == alert.kind), None)
    quiet = rule.quiet_ms if rule else 0
    if not _is_live(draft, alert):
        return
    if alert.last_seen_at + quiet > draft.now:
        subject = f"{alert.incident}/{alert.fingerprint}"
        what = f"resolve {alert.title} if it stays quiet"
        draft.wake(Wake.QUIET, subject, alert.last_seen_at + quiet, incident=alert.incident, what=what)
        return
    end_alert(draft, alert, draft.now, "source", f"nothing more for {quiet // 1000} s")


# ── deployments and bookkeeping ──────────────────────────────────────────────────────────────────────


def _deployed(draft: Draft, event: Event, classified: Classified, at: int) -> None:
    """A production deployment went live: remembered as the suspect of what breaks next."""
    labels = classified.labels
    project = labels.get("project", "") or event.source
    deploy = Deploy(
        id=labels.get("deployment", "") or event.key,
        project=project,
        service=classified.service,
        by=labels.get("author", ""),
        at=min(event.starts_at or at, at),
        link=event.link,
    )
    known = draft.find(Table.DEPLOY, project, Deploy)
    if known is None or known.at <= deploy.at:
        draft.put(Table.DEPLOY, project, deploy)
    _verdict(draft, "recorded", severity=classified.severity, reasons=classified.reasons)


def _verdict(
    draft: Draft,
    did: str,
    mark: str = "",
    incident: str = "",
    *,
    severity: Severity | None = None,
    reasons: list[Reason] | None = None,
    reason: Reason | None = None,
) -> None:
    draft.verdict = Verdict(
        at=draft.now,
        did=did,
        incident=incident,
        fingerprint=mark,
        severity=severity,
        policy=draft.policy.version,
        reasons=[*(reasons or []), *([reason] if reason else [])],
    )


def forget_fact(draft: Draft, key: str) -> None:
    if draft.find(Table.FACT, key, Fact) is not None:
        draft.drop(Table.FACT, key)
