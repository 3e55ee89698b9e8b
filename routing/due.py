"""Timers that came due: what each of them does."""

from collections.abc import Callable

from routing.alerts import absences, combinations, counting, ending, hints, scheduled
from routing.automation import facts, repairs, steps, undoing, walking
from routing.decision import Table
from routing.delivery import Progress
from routing.draft import Draft
from routing.entry import TimerDue
from routing.incident import Incident, Phase
from routing.noise import flapping, grouping, mutes
from routing.response import (
    acknowledging,
    bundling,
    closing,
    controls,
    deadlines,
    deliveries,
    drills,
    escalation,
    followups,
    handoffs,
    informing,
    merging,
    notices,
    promotion,
    rations,
    responding,
    sending,
    snoozing,
    trials,
)
from routing.response.process import cadence, conduct, publicity
from routing.run import Run
from routing.timer import Timer, Wake

# Named once, as in `routing.draft`: asked for again and again.
_TIMER = Table.TIMER


def timer(draft: Draft, entry: TimerDue) -> None:
    """Do what the timer was set for, unless it was cancelled or moved since it came due."""
    known = draft.find(_TIMER, entry.timer, Timer)
    if known is None or known.at > entry.due_at:
        return
    draft.drop(_TIMER, known.id, known.incident)
    draft.touched.add(known.incident)
    _DUE[known.wake](draft, known)


def _escalate(draft: Draft, timer: Timer) -> None:
    incident = _triggered(draft, timer.incident)
    if incident is not None and (mute := mutes.over(draft, incident)) is not None:
        mutes.hold(draft, incident, mute)
    elif incident is not None:
        escalation.advance(draft, incident, "nobody acknowledged in time")


def _hold(draft: Draft, timer: Timer) -> None:
    """What held the page back may be over; whether anything mutes it is asked anew."""
    incident = _triggered(draft, timer.incident)
    if incident is not None:
        responding.release_hold(draft, incident, responding.hold_over(draft, incident))


def _ack_expires(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None and incident.phase is Phase.ACKNOWLEDGED:
        acknowledging.expire(draft, incident)


def _clock(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None:
        deadlines.due(draft, incident, timer)


def _promote(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None:
        promotion.due(draft, incident)


def _resolve_by(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None and incident.phase is not Phase.RESOLVED:
        deadlines.overdue(draft, incident)


def _last_resort(draft: Draft, timer: Timer) -> None:
    incident = _triggered(draft, timer.incident)
    if incident is not None and (mute := mutes.over(draft, incident)) is not None:
        mutes.hold(draft, incident, mute)
    elif incident is not None:
        escalation.advance(draft, incident, "still nobody acknowledged")


def _unclaimed(draft: Draft, timer: Timer) -> None:
    if delivery := draft.delivery(timer.subject):
        deliveries.unclaimed(draft, delivery, timer.tries)
    elif found := _under_way(draft, timer):
        incident, run = found
        steps.again_unclaimed(draft, incident, run, facts.of_run(draft, incident, run), timer.tries + 1)


def _silent(draft: Draft, timer: Timer) -> None:
    if delivery := draft.delivery(timer.subject):
        deliveries.silent(draft, delivery)
    elif found := _under_way(draft, timer):
        incident, run = found
        steps.repeat(draft, incident, run, facts.of_run(draft, incident, run))


def _retry(draft: Draft, timer: Timer) -> None:
    if delivery := draft.delivery(timer.subject):
        deliveries.retry(draft, delivery)
    elif found := _under_way(draft, timer):
        incident, run = found
        steps.dispatch(draft, incident, run, run.at_step, facts.of_run(draft, incident, run))


def _run_deadline(draft: Draft, timer: Timer) -> None:
    run = draft.run(timer.subject)
    incident = draft.incident(timer.incident)
    if run is not None and incident is not None and not run.phase.over:
        repairs.gave_up(draft, incident, run, f"its time was up during {run.phase}")


def _undo(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None:
        undoing.due(draft, incident, timer.subject, timer.tries)


def _approval(draft: Draft, timer: Timer) -> None:
    run = draft.run(timer.subject)
    incident = draft.incident(timer.incident)
    if run is not None and incident is not None:
        repairs.unanswered(draft, incident, run)


def _verify(draft: Draft, timer: Timer) -> None:
    run = draft.run(timer.subject)
    incident = draft.incident(timer.incident)
    if run is not None and incident is not None:
        repairs.after(draft, walking.verify_again(draft, incident, run))


def _quiet(draft: Draft, timer: Timer) -> None:
    alert = draft.alert(timer.subject.partition("/")[2])
    if alert is not None and alert.incident == timer.incident:
        counting.quiet_due(draft, alert)


def _expire(draft: Draft, timer: Timer) -> None:
    """Something kept for a time is over; what it was stands before the colon."""
    kind, _, key = timer.subject.partition(":")
    if kind in _KEPT:
        _KEPT[kind](draft, key)
    elif kind in {"resolved", "acknowledged"}:
        draft.drop(Table.FACT, timer.subject)
    elif timer.incident:
        alert = draft.alert(timer.subject.partition("/")[2])
        if alert is not None and alert.incident == timer.incident and alert.firing:
            ending.end_alert(draft, alert, timer.at, "source", "its sender no longer reports it")


def _follow_up(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None:
        followups.remind(draft, incident, timer.subject)


def _next_method(draft: Draft, timer: Timer) -> None:
    delivery = draft.delivery(timer.subject)
    if delivery is not None and delivery.progress is Progress.PENDING:
        sending.release(draft, delivery)


def _bundle(draft: Draft, timer: Timer) -> None:
    if delivery := draft.delivery(timer.subject):
        bundling.due(draft, delivery)


def _thread(draft: Draft, timer: Timer) -> None:
    if delivery := draft.delivery(timer.subject):
        sending.join(draft, delivery)


def _snooze(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None and incident.phase is not Phase.RESOLVED:
        snoozing.over(draft, incident)


def _merge(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None and incident.phase is not Phase.RESOLVED:
        merging.go_on(draft, incident)


def _absence(draft: Draft, timer: Timer) -> None:
    absences.due(draft, timer.subject)


def _news(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None:
        grouping.tell(draft, incident)


def _repeat(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None:
        informing.repeat(draft, incident)


def _steady(draft: Draft, timer: Timer) -> None:
    alert = draft.alert(timer.subject.partition("/")[2])
    incident = draft.incident(timer.incident)
    if alert is not None and incident is not None and alert.incident == incident.id and alert.flapping:
        flapping.steady(draft, incident, alert)


def _phase(draft: Draft, timer: Timer) -> None:
    if incident := draft.incident(timer.incident):
        conduct.due(draft, incident)


def _status(draft: Draft, timer: Timer) -> None:
    if incident := draft.incident(timer.incident):
        cadence.due(draft, incident)


def _word(draft: Draft, timer: Timer) -> None:
    if incident := draft.incident(timer.incident):
        publicity.due(draft, incident)


def _shift(draft: Draft, timer: Timer) -> None:
    handoffs.due(draft, timer.subject)


def _retire(draft: Draft, timer: Timer) -> None:
    incident = draft.incident(timer.incident)
    if incident is not None and incident.phase is Phase.RESOLVED:
        closing.retire(draft, incident)


def _triggered(draft: Draft, key: str) -> Incident | None:
    incident = draft.incident(key)
    return incident if incident is not None and escalation.is_waiting_for_ack(incident) else None


def _under_way(draft: Draft, timer: Timer) -> tuple[Incident, Run] | None:
    """The run and incident of a step's timer, if that step is still the one awaited."""
    run_id, step = steps.split_effect(timer.subject)
    run = draft.run(run_id)
    incident = draft.incident(timer.incident)
    if run is None or incident is None or run.phase.over or run.at_step != step:
        return None
    return incident, run


_DUE: dict[Wake, Callable[[Draft, Timer], None]] = {
    Wake.ESCALATE: _escalate,
    Wake.HOLD: _hold,
    Wake.ACK_EXPIRES: _ack_expires,
    Wake.CLOCK: _clock,
    Wake.RESOLVE_BY: _resolve_by,
    Wake.PROMOTE: _promote,
    Wake.LAST_RESORT: _last_resort,
    Wake.UNCLAIMED: _unclaimed,
    Wake.SILENT: _silent,
    Wake.RETRY: _retry,
    Wake.RUN_DEADLINE: _run_deadline,
    Wake.VERIFY: _verify,
    Wake.APPROVAL: _approval,
    Wake.UNDO: _undo,
    Wake.QUIET: _quiet,
    Wake.EXPIRE: _expire,
    Wake.FOLLOW_UP: _follow_up,
    Wake.RETIRE: _retire,
    Wake.NEXT_METHOD: _next_method,
    Wake.BUNDLE: _bundle,
    Wake.THREAD: _thread,
    Wake.SNOOZE: _snooze,
    Wake.MERGE: _merge,
    Wake.NEWS: _news,
    Wake.REPEAT: _repeat,
    Wake.STEADY: _steady,
    Wake.PHASE: _phase,
    Wake.STATUS: _status,
    Wake.WORD: _word,
    Wake.ABSENCE: _absence,
    Wake.SCHEDULED: scheduled.due,
    Wake.DRILL: drills.due,
    Wake.SHIFT: _shift,
}
_KEPT: dict[str, Callable[[Draft, str], None]] = {
    "window": combinations.due,
    "deploy": lambda draft, key: draft.drop(Table.DEPLOY, key),
    "silence": controls.end_silence,
    "ration": rations.forget,
    "override": lambda draft, key: draft.drop(Table.OVERRIDE, key),
    "notice": notices.forget,
    "trial": trials.end,
    "public": publicity.forget,
    "hint": hints.due,
}
"""What is kept for a time, and what is done at its end."""
