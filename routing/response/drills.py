"""Fire drills: pages that come by the calendar, marked as drills all the way, whose answer is what is measured.

A drill is an incident of its own: nothing joins it, nothing repairs it, and no clock but its escalation runs. An
acknowledgement ends it well. When the last step of its policy brought none it ends too, as a finding; the last
resort is never called for it.
"""

import msgspec

from routing import duration
from routing.calendar import hours, recurring
from routing.decision import Table
from routing.draft import Draft
from routing.incident import Incident, Phase
from routing.instant import HOUR, iso
from routing.policy import Drill
from routing.reason import Reason
from routing.response import callees, closing, escalation, notify
from routing.severity import Severity
from routing.timer import Timer, Wake

NOBODY = "nobody"
"""Who ended a drill that was not answered."""
PUT_OFF_MS = HOUR


def watch(draft: Draft) -> None:
    """A policy goes live: each comes when it says now, but for what is overdue already."""
    for rule in draft.policy.drills:
        known = draft.timer(Wake.DRILL, rule.name)
        if known is None or known.at > draft.now:
            _wake(draft, rule, _next(draft, rule))


def due(draft: Draft, timer: Timer) -> None:
    """Its time has come; not while something is really broken, and not outside of its hours."""
    rule = next((each for each in draft.policy.drills if each.name == timer.subject), None)
    if rule is None:
        return
    if rule.hours is not None and not hours.contains(rule.hours, draft.now):
        _wake(draft, rule, hours.next_start(rule.hours, draft.now))
    elif _is_bad(draft):
        _wake(draft, rule, draft.now + PUT_OFF_MS)
    else:
        draft.put_fact(_last(rule), str(timer.at))
        _wake(draft, rule, _next(draft, rule))
        _begin(draft, rule)


def review(draft: Draft) -> None:
    """Look at every drill this entry changed: whether it is answered, or spent."""
    for incident in draft.changed_incidents():
        if not incident.drill or incident.phase is Phase.RESOLVED:
            continue
        if incident.phase is Phase.ACKNOWLEDGED:
            _answered(draft, incident)
        elif incident.escalation is not None and incident.escalation.exhausted:
            _unanswered(draft, incident)


def _begin(draft: Draft, rule: Drill) -> Incident:
    number = int(draft.fact("incidents") or "0") + 1
    draft.put_fact("incidents", str(number))
    incident = Incident(
        id=f"INC-{number}",
        number=number,
        title=f"DRILL: {rule.title}",
        severity=rule.severity,
        phase=Phase.TRIGGERED,
        group="",
        opened_at=draft.now,
        changed_at=draft.now,
        labels={"kind": "drill", "drill": rule.name, "severity": str(rule.severity)},
        route=draft.policy.route.name,
        policy_version=draft.policy.version,
        escalation=draft.policy.escalations[rule.escalation].begun,
        opened_by=f"drill {rule.name}",
        drill=rule.name,
    )
    draft.put_incident(incident)
    reason = Reason(text="it comes by the calendar", rule=f"drill {rule.name}", origin=str(rule.origin))
    draft.note(incident.id, f"a drill begins: {rule.title}", reason)
    return escalation.page(draft, incident, "this is a drill")


def _answered(draft: Draft, incident: Incident) -> None:
    took = duration.text(max(1000, (draft.now - incident.opened_at) // 1000 * 1000))
    what = f"the drill is over: {incident.acknowledged_by} answered after {took}. Thank you"
    _end(draft, incident, incident.acknowledged_by, what)


def _unanswered(draft: Draft, incident: Incident) -> None:
    paged = ", ".join(incident.paged) or "nobody could be paged"
    _end(draft, incident, NOBODY, f"FINDING: nobody answered the drill (paged: {paged})")


def _end(draft: Draft, incident: Incident, by: str, what: str) -> None:
    incident = closing.resolve(draft, incident, by, what)
    rule = next((each for each in draft.policy.drills if each.name == incident.drill), None)
    names = [each.contact.name for each in callees.resolve(draft, rule.inform).people] if rule else []
    others = [name for name in names if name not in incident.paged]
    if others:
        incident = notify.tell_each(draft, incident, others, f"{incident.title}: {what}")
    draft.put_incident(msgspec.structs.replace(incident, changed_at=draft.now))


def _is_bad(draft: Draft) -> bool:
    return any(
        isinstance(each, Incident)
        and each.phase is not Phase.RESOLVED
        and each.severity <= Severity.SEV1
        and not each.drill
        for each in draft.state.tables[Table.INCIDENT].values()
    )


def _next(draft: Draft, rule: Drill) -> int:
    """The first time it comes after now, and after the last time it came, whatever a clock says."""
    return recurring.next_after(rule.recurs, max(draft.now, int(draft.fact(_last(rule)) or 0)))


def _wake(draft: Draft, rule: Drill, at: int) -> None:
    draft.wake(Wake.DRILL, rule.name, at, what=f"drill {rule.name}: {rule.title}, due {iso(at)}")


def _last(rule: Drill) -> str:
    return f"drill:{rule.name}"
