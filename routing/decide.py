"""The fold: one entry of the log over the state. Pure; the same log gives the same decisions for ever."""

from routing import due
from routing.alerts import absences, hints, scheduled
from routing.automation import repairs, starting, steps
from routing.decision import Decision, Table
from routing.draft import Draft
from routing.entry import (
    AlertCommand,
    Answer,
    AnyEntry,
    Claimed,
    Command,
    Deferred,
    Delivered,
    Graded,
    Opened,
    OverrideSet,
    PolicySet,
    Published,
    Receipt,
    Reviewed,
    Revived,
    Signal,
    SilenceSet,
    StepDone,
    SwitchSet,
    TimerDue,
    TrialSet,
    Unretrieved,
    Verified,
)
from routing.incident import Phase
from routing.policy import Policy
from routing.response import (
    answers,
    by_sources,
    commands,
    controls,
    deliveries,
    drills,
    following,
    handoffs,
    opening,
    promotion,
    proofs,
    recalling,
    regrading,
    reviews,
    trials,
)
from routing.response.next_action import settle
from routing.response.process import audiences, conduct, publicity
from routing.state import State

# Named once, as in `routing.draft`: asked for again and again.
_INCIDENT, _ALERT = Table.INCIDENT, Table.ALERT

__all__ = ["decide"]


def decide(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
    """What one entry changes, what is to be done, and why. The state's records are not touched: apply the decision.

    `entry_id` is the entry's place in the log, `now` the instant of the decision (ms); history replays
    with the recorded one. An exception means that the entry is undecidable; nothing has changed then.
    """
    state.follow(policy)
    draft = Draft(policy, state, entry_id, now, entry.client)
    _fold(draft, entry)
    if draft.has_put(_INCIDENT) or draft.has_put(_ALERT):
        _review(draft)
    recalling.review(draft)
    settle(draft)
    return draft.decision()


def _review(draft: Draft) -> None:
    """What follows from how the incidents are now; of half of all entries, which change none, nothing does."""
    drills.review(draft)
    promotion.review(draft)
    conduct.review(draft)
    audiences.review(draft)
    following.review(draft)
    publicity.review(draft)


def _fold(draft: Draft, entry: AnyEntry) -> None:  # noqa: C901, PLR0912, PLR0915  # one line per kind of entry
    match entry:
        case Signal():
            hints.signal(draft, entry)
        case TimerDue():
            due.timer(draft, entry)
        case Claimed():
            _claimed(draft, entry)
        case Delivered():
            if delivery := draft.delivery(entry.delivery):
                deliveries.delivered(draft, delivery, entry)
        case Deferred():
            if delivery := draft.delivery(entry.delivery):
                deliveries.deferred(draft, delivery, entry)
        case Receipt():
            if delivery := draft.delivery(entry.delivery):
                deliveries.receipt(draft, delivery, entry)
        case StepDone():
            repairs.step_done(draft, entry)
        case Answer():
            answers.answer(draft, entry)
        case Command():
            commands.command(draft, entry)
        case AlertCommand():
            by_sources.command(draft, entry)
        case Graded():
            regrading.graded(draft, entry)
        case Opened():
            opening.open_by_hand(draft, entry)
        case Reviewed():
            reviews.reviewed(draft, entry)
        case Published():
            publicity.published(draft, entry)
        case Unretrieved():
            hints.unretrieved(draft, entry)
        case Revived():
            _revived(draft, entry)
        case SilenceSet():
            controls.silence(draft, entry)
        case OverrideSet():
            controls.override(draft, entry)
        case Verified():
            proofs.said(draft, entry)
        case TrialSet():
            trials.begin(draft, entry)
        case SwitchSet():
            controls.switch(draft, entry)
        case PolicySet():
            draft.put_fact("policy", entry.version)
            absences.watch(draft)
            scheduled.watch(draft)
            drills.watch(draft)
            handoffs.watch(draft)


def _claimed(draft: Draft, entry: Claimed) -> None:
    if delivery := draft.delivery(entry.effect):
        deliveries.claimed(draft, delivery, entry)
        return
    run_id, _ = steps.split_effect(entry.effect)
    if run := draft.run(run_id):
        steps.claimed(draft, run, entry)


def _revived(draft: Draft, entry: Revived) -> None:
    by = entry.by or "operator"
    # Of a crashed job it is the description: "INC-1-d1 attempt 1".
    effect, _, _ = entry.subject.partition(" ")
    if delivery := draft.delivery(effect):
        deliveries.revive(draft, delivery, by)
    elif run := draft.run(effect.partition("/")[0]):
        incident = draft.incident(run.incident)
        if incident is not None and incident.phase is Phase.RESOLVED:
            draft.note(incident.id, f"{by} asked to retry {run.runbook}; the incident is resolved", by=by)
        elif incident is not None:
            draft.note(incident.id, f"runbook {run.runbook} retried by {by}", by=by)
            starting.start(draft, incident, incident.labels)
