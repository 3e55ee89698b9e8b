"""What becomes of an event: classified, counted, then what its handling says."""

import msgspec

from routing.alerts import absences, classify, condition, counting, deploys, ending, firing, verdicts
from routing.decision import Table
from routing.draft import Draft
from routing.entry import Signal
from routing.event import Status
from routing.reason import Reason


def signal(draft: Draft, entry: Signal) -> None:
    """Fold one event. Its verdict says what became of it."""
    event = entry.event
    classified = classify.classify(draft.policy, event, entry.at)
    # What is paused has come all the same.
    expected = absences.came(draft, event, classified, entry.at)
    if draft.find(Table.SWITCH, f"pause:{event.source}", msgspec.Struct) is not None:  # type: ignore[type-var]
        verdicts.put(draft, "paused", reason=Reason(text=f"source {event.source} is paused"))
        return
    counted = counting.count(draft, event, classified, entry.at) or expected
    if classified.handling == "deploy":
        deploys.remember(draft, event, classified, entry.at)
    elif event.status is Status.RESOLVED:
        ending.take(draft, event, classified, entry.at, condition.identify(draft, event, classified))
    elif classified.handling == "alert":
        identity = condition.identify(draft, event, classified)
        firing.take(draft, condition.of_event(event, classified, entry.at, identity))
    elif not counted:
        verdicts.put(draft, "recorded", severity=classified.severity, reasons=classified.reasons)
