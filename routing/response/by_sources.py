"""What sources say of their own alerts beside that they fire or not: acknowledged, noted, closed over there.

An acknowledgement travels ahead of all events. So it is remembered for a while: the report it answers may come out
of a storm only later.
"""

from itertools import islice

from routing.alerts import ending, verdicts
from routing.alerts.live import is_live
from routing.decision import Table
from routing.draft import Draft
from routing.entry import AlertCommand, Verb, decode_entry, encode_entry
from routing.incident import Alert
from routing.instant import HOUR
from routing.reason import Reason
from routing.record import Record
from routing.response import commands
from routing.timer import Wake

REMEMBERED_MS = HOUR
AT_ONCE = 500
"""Alerts that end together, where a whole incident is closed."""
_DID = {Verb.ACK: "acknowledged", Verb.NOTE: "noted", Verb.RESOLVE: "resolved"}


def command(draft: Draft, entry: AlertCommand) -> None:
    """Act on the incident, or say why not. What no source knows as its own it cannot touch."""
    if draft.find(Table.SWITCH, f"pause:{entry.source}", Record) is not None:
        verdicts.put(draft, "paused", reason=Reason(text=f"source {entry.source} is paused"))
        return
    if entry.verb is Verb.ACK and entry.alert:
        _remember(draft, entry)
    alerts = _alerts(draft, entry) if entry.verb in _DID else []
    if alerts:
        _act(draft, entry, alerts)
        return
    remembered = entry.verb is Verb.ACK and entry.alert
    reason = Reason(text=f"no alert that {entry.source} calls so is open")
    verdicts.put(draft, "remembered" if remembered else "ignored", entry.alert, entry.incident, reason=reason)


def catch_up(draft: Draft, mark: str, at: int) -> None:
    """An alert has begun, by a report that came at this instant (ms): it may have been acknowledged since."""
    raw = draft.fact(acknowledged(mark))
    entry = decode_entry(raw.encode()) if raw else None
    if isinstance(entry, AlertCommand) and at <= entry.at and (alerts := _alerts(draft, entry)):
        verdict = draft.verdict  # of the report, which this does not change
        _act(draft, entry, alerts)
        draft.verdict = verdict
        draft.drop(Table.FACT, acknowledged(mark))
        draft.unwake(Wake.EXPIRE, acknowledged(mark))


def _remember(draft: Draft, entry: AlertCommand) -> None:
    key = acknowledged(entry.alert)
    draft.put_fact(key, encode_entry(entry).decode())
    draft.wake(Wake.EXPIRE, key, draft.now + REMEMBERED_MS)


def acknowledged(mark: str) -> str:
    """The fact that an alert of this fingerprint was acknowledged by its source."""
    return f"acknowledged:{mark}"


def _act(draft: Draft, entry: AlertCommand, alerts: list[Alert]) -> None:
    first = alerts[0]
    incident = draft.incident(first.incident)
    if incident is not None and entry.text and entry.verb is not Verb.NOTE:
        commands.act(draft, incident, Verb.NOTE, entry.by, entry.via, entry.text)
    if entry.verb is Verb.RESOLVE:
        for each in alerts:
            ending.end_alert(draft, each, entry.at, "source", f"closed by {entry.by} via {entry.via}")
    elif incident is not None:
        commands.act(draft, incident, entry.verb, entry.by, entry.via, entry.text)
    verdicts.put(draft, _DID[entry.verb], first.fingerprint, first.incident)


def _alerts(draft: Draft, entry: AlertCommand) -> list[Alert]:
    """Those meant that are open, and of this source."""
    keys = draft.state.keys_of(entry.incident, Table.ALERT) if entry.incident else [entry.alert]
    known = (draft.alert(key) for key in keys)
    found = (each for each in known if each and each.source == entry.source and is_live(draft, each))
    return list(islice(found, AT_ONCE))
