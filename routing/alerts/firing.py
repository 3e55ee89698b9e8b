"""A condition fires: seen before, back again, or new; it repeats, reopens, joins or opens."""

import msgspec

from routing import routes
from routing.alerts import verdicts
from routing.alerts.condition import Condition
from routing.alerts.live import is_live
from routing.automation import joining
from routing.draft import Draft
from routing.incident import Alert, Incident, Phase
from routing.instant import MINUTE
from routing.noise import causing, flapping, grouping, mutes, related
from routing.policy import Route
from routing.reason import Reason
from routing.response import closing, opening, responding
from routing.timer import Wake

SETTLE_MS = 5 * MINUTE
"""After we closed an incident, its sender may go on reporting what it has not noticed yet for this long."""


def take(draft: Draft, condition: Condition) -> None:
    alert = draft.alert(condition.fingerprint)
    if alert is not None and is_live(draft, alert):
        _repeated(draft, alert, condition)
    elif _is_stale(draft, alert, condition):
        reason = Reason(text="it reports a state from before the resolve we already have")
        verdicts.put(draft, "stale", condition.fingerprint, alert.incident if alert else "", reason=reason)
    else:
        _fired(draft, alert, condition)


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
    draft.put_repeated(
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
        responding.worsen(draft, incident, condition.severity, condition.labels, *condition.reasons)
    reason = verdicts.same(incident.id, Reason(text=condition.same))
    verdicts.put(
        draft, "repeated", alert.fingerprint, incident.id, severity=condition.severity, reason=reason
    )


def _fired(draft: Draft, known: Alert | None, condition: Condition) -> None:
    """A new condition, or one that is back: reopen, join or open."""
    matched = routes.match(draft.policy, condition.labels)[0]
    group = routes.group_key(matched.route, condition.labels)
    reasons = (*condition.reasons, *matched.reasons)
    current = draft.incident(draft.state.open_groups.get(group, ""))
    if current is not None:
        why = Reason(text=f"it shares the group {group}")
        _join(draft, condition, current, why, reasons)
    elif (cause := related.cause(draft, condition)) is not None:
        incident = causing.join_group(draft, cause.incident, group)
        _join(draft, condition, incident, cause.reason, reasons, why=cause.reason.text)
    elif not (
        _adopted(draft, condition, matched.route, group, reasons)
        or _reopened(draft, known, condition, matched.route, group, reasons)
    ):
        _open(draft, condition, matched.route, reasons)


def _adopted(
    draft: Draft, condition: Condition, route: Route, group: str, reasons: tuple[Reason, ...]
) -> bool:
    """Its effects are open already: the first of them becomes its incident, the others wait for that one."""
    effects = related.effects(draft, condition)
    if not effects or mutes.covering(draft, condition.labels) is not None:
        return False
    first = effects[0]
    incident = causing.adopt(draft, effects, condition, route, group)
    others = {each.incident.id: each for each in effects if each.incident.id != incident.id}
    for other in others.values():
        incident = causing.fold(draft, other.incident, draft.incident(incident.id) or incident, other)
    why = verdicts.same(incident.id, first.reason)
    _enter(draft, condition, incident, "joined", (*reasons, why), add=1)
    return True


def _reopened(
    draft: Draft,
    known: Alert | None,
    condition: Condition,
    route: Route,
    group: str,
    reasons: tuple[Reason, ...],
) -> bool:
    """The same problem is back soon after it was resolved."""
    past = draft.incident(known.incident) if known else None
    if past is None or past.phase is not Phase.RESOLVED:
        return False
    since = draft.now - past.resolved_at
    if since >= route.reopen_ms:
        return False
    again = f"{condition.same}, and it fired again {since // 1000} s after it was resolved"
    why = verdicts.same(past.id, Reason(text=again))
    incident = closing.reopen(draft, past, condition.labels, group, why)
    _enter(draft, condition, incident, "reopened", (*reasons, why), add=1)
    return True


def _open(draft: Draft, condition: Condition, route: Route, reasons: tuple[Reason, ...]) -> None:
    news = opening.Opening(
        title=condition.title,
        summary=condition.summary,
        severity=condition.severity,
        rules=tuple(reason.rule for reason in condition.reasons if reason.rule),
        team=condition.team,
        service=condition.service,
        labels=condition.labels,
        reasons=tuple(reasons),
    )
    incident = opening.open_incident(draft, route, news)
    _enter(draft, condition, incident, "opened", reasons, add=0)


NOTED_JOINS = 20
"""Joins beyond this many are counted, not written into the timeline one by one."""


def _join(
    draft: Draft,
    condition: Condition,
    incident: Incident,
    because: Reason,
    reasons: tuple[Reason, ...],
    *,
    why: str = "",
) -> None:
    if condition.severity < incident.severity:
        incident = responding.worsen(
            draft, incident, condition.severity, condition.labels, *condition.reasons
        )
    else:
        incident = responding.unmuted(draft, incident, condition.labels)
    because = verdicts.same(incident.id, because)
    if incident.alerts < NOTED_JOINS:
        draft.note(incident.id, f"joined by {condition.title}", because)
    _enter(draft, condition, incident, "joined", (*reasons, because), add=1, why=why)
    joining.start(draft, draft.incident(incident.id) or incident, condition.labels)


def _enter(
    draft: Draft,
    condition: Condition,
    incident: Incident,
    did: str,
    reasons: tuple[Reason, ...],
    *,
    add: int,
    why: str = "",
) -> None:
    """Put the alert into its incident; `add` is 0 where the incident already counts it."""
    before = draft.alert(condition.fingerprint)
    known = before if before is not None and before.incident == incident.id else None
    current = draft.incident(incident.id) or incident
    told = ""
    if did == "joined" and current.told_at != draft.now:
        current, told = grouping.changed(draft, current, known, condition.fingerprint)
    changes = flapping.changes(draft, before, condition.at) if before is not None else []
    alert = Alert(
        fingerprint=condition.fingerprint,
        incident=incident.id,
        source=condition.source,
        kind=condition.kind,
        title=condition.title,
        severity=condition.severity,
        firing=True,
        count=known.count + 1 if known else 1,
        first_seen_at=known.first_seen_at if known else condition.at,
        again_at=condition.at if known else 0,
        last_seen_at=condition.at,
        starts_at=condition.starts_at,
        summary=condition.summary,
        labels=condition.labels,
        link=condition.link,
        told=told,
        changes=changes,
        flapping=bool(changes) and flapping.flaps(draft, before, changes),
        why=why,
    )
    draft.put_alert(alert)
    if alert.flapping:
        current = flapping.watch(draft, current, alert)
    if add or alert.flapping:
        draft.put_incident(
            msgspec.structs.replace(
                current,
                firing=current.firing + add,
                alerts=current.alerts + (0 if known else add),
                events=current.events + add,
            )
        )
    _expect_end(draft, condition, incident.id)
    verdicts.put(
        draft, did, condition.fingerprint, incident.id, severity=condition.severity, reasons=list(reasons)
    )


def _expect_end(draft: Draft, condition: Condition, incident: str) -> None:
    """A sender that says until when its alert holds resolves it by not renewing it."""
    subject = f"{incident}/{condition.fingerprint}"
    if condition.ends_at > condition.at:
        what = f"resolve {condition.title} unless it is reported again"
        draft.wake(Wake.EXPIRE, subject, condition.ends_at, incident=incident, what=what)
    elif condition.quiet_ms and draft.timer(Wake.QUIET, subject) is None:
        what = f"resolve {condition.title} if it stays quiet"
        draft.wake(Wake.QUIET, subject, condition.at + condition.quiet_ms, incident=incident, what=what)
