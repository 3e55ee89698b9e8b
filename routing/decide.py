"""The fold: one entry of the log over the state. Pure; the same log gives the same decisions for ever."""

from collections.abc import Callable
from typing import Any

from routing import due
from routing.alerts import absences, hints, scheduled
from routing.automation import repairs, starting, steps
from routing.decision import Decision
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

__all__ = ["FOLDS", "decide"]


def decide(policy: Policy, state: State, entry: AnyEntry, entry_id: str, now: int) -> Decision:
    """What one entry changes, what is to be done, and why. The state's records are not touched: apply the decision.

    `entry_id` is the entry's place in the log, `now` the instant of the decision (ms); history replays
    with the recorded one. An exception means that the entry is undecidable; nothing has changed then.
    """
    state.follow(policy)
    draft = Draft(policy, state, entry_id, now, entry.client)
    FOLDS[type(entry)](draft, entry)
    if draft.is_weighty():
        _review(draft)
    recalling.review(draft)
    settle(draft)
    return draft.decision()


def _review(draft: Draft) -> None:
    """What follows from how the incidents are now; from most entries, which do not change what weighs, nothing does."""
    looked_at = [incident.id for incident in draft.changed_incidents()]
    drills.review(draft)
    promotion.review(draft)
    conduct.review(draft)
    audiences.review(draft)
    following.review(draft)
    publicity.review(draft)
    draft.mark_reviewed(looked_at)


def _delivered(draft: Draft, entry: Delivered) -> None:
    if delivery := draft.delivery(entry.delivery):
        deliveries.delivered(draft, delivery, entry)


def _deferred(draft: Draft, entry: Deferred) -> None:
    if delivery := draft.delivery(entry.delivery):
        deliveries.deferred(draft, delivery, entry)


def _receipt(draft: Draft, entry: Receipt) -> None:
    if delivery := draft.delivery(entry.delivery):
        deliveries.receipt(draft, delivery, entry)


def _policy(draft: Draft, entry: PolicySet) -> None:
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


FOLDS: dict[type[AnyEntry], Callable[[Draft, Any], object]] = {
    Signal: hints.signal,
    TimerDue: due.timer,
    Claimed: _claimed,
    Delivered: _delivered,
    Deferred: _deferred,
    Receipt: _receipt,
    StepDone: repairs.step_done,
    Answer: answers.answer,
    Command: commands.command,
    AlertCommand: by_sources.command,
    Graded: regrading.graded,
    Opened: opening.open_by_hand,
    Reviewed: reviews.reviewed,
    Published: publicity.published,
    Unretrieved: hints.unretrieved,
    Revived: _revived,
    SilenceSet: controls.silence,
    OverrideSet: controls.override,
    Verified: proofs.said,
    TrialSet: trials.begin,
    SwitchSet: controls.switch,
    PolicySet: _policy,
}
"""What each kind of entry does."""
