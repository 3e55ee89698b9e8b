"""What becomes of an event: classified, counted, then what its handling says."""

import msgspec

from routing.alerts import absences, classify, condition, counting, deploys, ending, firing, verdicts
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Signal
from routing.event import Event, Status
from routing.reason import Reason
from routing.response import by_sources


def signal(draft: Draft, entry: Signal) -> None:
    """Fold one event of a source."""
    take(draft, entry.event, entry.at)


def take(draft: Draft, event: Event, at: int) -> None:
    """Fold one event that came at an instant (ms). Its verdict says what became of it."""
    classified = classify.classify(draft.policy, event, at)
    # What is paused has come all the same.
    expected = absences.came(draft, event, classified, at)
    if draft.find(Table.SWITCH, f"pause:{event.source}", msgspec.Struct) is not None:  # type: ignore[type-var]
        verdicts.put(draft, "paused", reason=Reason(text=f"source {event.source} is paused"))
        return
    counted = counting.count(draft, event, classified, at) or expected
    if classified.handling == "deploy":
        deploys.remember(draft, event, classified, at)
    elif event.status is Status.RESOLVED:
        ending.take(draft, event, classified, at, condition.identify(draft, event, classified))
    elif classified.handling == "alert":
        identity = condition.identify(draft, event, classified)
        firing.take(draft, condition.of_event(event, classified, at, identity))
        if draft.verdict is not None and draft.verdict.did != "repeated":
            by_sources.catch_up(draft, identity.mark, at)
    elif not counted:
        verdicts.put(draft, "recorded", severity=classified.severity, reasons=classified.reasons)
