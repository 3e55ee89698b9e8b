"""What silences hide: one that is only thought of, or those that are set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from ledger.views.store import Store
from routing.decision import Table
from routing.entry import SilenceSet
from routing.incident import Alert, Incident, Phase
from routing.instant import DAY, HOUR
from routing.language import matchers
from routing.language.index import Index

SOON_MS = HOUR
FORGOTTEN_MS = 7 * DAY
"""A silence that matched nothing for so long is hardly needed."""
LONG_MS = 30 * DAY
_AT_ONCE = 200
_STALE = 200
"""So many incidents of the archive in a row that were over before: there are no later ones behind them."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """An incident that a silence would hide, in part or whole."""

    incident: Incident
    matched: int
    firing: int
    """How many of its alerts fire, matched or not."""
    whole: bool
    """All that fires in it is matched: nobody would be paged for it."""


@dataclass(frozen=True, slots=True)
class Preview:
    now: tuple[Hidden, ...]
    """Open incidents with firing alerts that match, or with none that fires and labels of their own that do."""
    last_day: tuple[Hidden, ...]
    """Incidents whose matching alerts were reported in the last day, those of `now` included."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A silence that is set. `matched_at`: when an alert it matches last fired or was reported; 0: not in a week."""

    silence: SilenceSet
    matched_at: int
    remarks: tuple[str, ...]


def preview(store: Store, wanted: Sequence[matchers.Matcher], now: int, most: int = 0) -> Preview:
    """What a silence of these matchers would hide now, and what of the last day (now in ms).

    If not 0, about `most` incidents are looked at, the newest, and as many alerts of each: where there are more,
    there may be more that it would hide.
    """
    current, past = [], []
    for incident, alerts in _glanced(store, now - DAY, most) if most else _reported(store, now - DAY):
        matched = [alert for alert in alerts if matchers.all_match(wanted, alert.labels)]
        firing = [alert for alert in alerts if alert.firing]
        live = [alert for alert in matched if alert.firing and incident.phase is not Phase.RESOLVED]
        if live or (_is_bare(incident, alerts) and matchers.all_match(wanted, incident.labels)):
            current.append(Hidden(incident, len(live), len(firing), len(live) == len(firing)))
        recent = [alert for alert in matched if alert.last_seen_at >= now - DAY]
        if recent:
            past.append(Hidden(incident, len(recent), len(firing), len(matched) == len(alerts)))
    return Preview(tuple(current), tuple(past))


def standing(store: Store, now: int) -> list[Standing]:
    """Every silence that has not ended, the first to end first, with what is to be said about it."""
    records = store.records(Table.SILENCE, SilenceSet)
    known = {key: each for key, each in records.items() if each.until_at > now}
    index = Index((tuple(map(matchers.parse, each.matchers)), each.id) for each in known.values())
    seen: dict[str, int] = {}
    for incident, alerts in _reported(store, now - FORGOTTEN_MS):
        is_open = incident.phase is not Phase.RESOLVED
        found = [(alert.labels, now if is_open and alert.firing else alert.last_seen_at) for alert in alerts]
        if _is_bare(incident, alerts):
            found.append((incident.labels, now))
        for labels, at in found:
            for key in index.matching(labels):
                seen[key] = max(seen.get(key, 0), at)
    ordered = sorted(known.values(), key=lambda each: (each.until_at, each.id))
    return [
        Standing(each, seen.get(each.id, 0), tuple(_remarks(each, seen.get(each.id, 0), now)))
        for each in ordered
    ]


def ended(store: Store, now: int) -> list[SilenceSet]:
    """Those that have ended and are still known, the latest first."""
    known = store.records(Table.SILENCE, SilenceSet).values()
    return sorted(
        (each for each in known if each.until_at <= now), key=lambda each: (-each.until_at, each.id)
    )


def _is_bare(incident: Incident, alerts: Sequence[Alert]) -> bool:
    """It is open and none of its alerts fires: a person opened it, or it flaps. Its own labels are what is muted."""
    return incident.phase is not Phase.RESOLVED and not any(alert.firing for alert in alerts)


def _remarks(silence: SilenceSet, matched_at: int, now: int) -> Iterator[str]:
    if now < silence.until_at <= now + SOON_MS:
        yield "ends within the hour"
    if matched_at < max(silence.from_at, now - FORGOTTEN_MS) and now - silence.from_at >= FORGOTTEN_MS:
        yield "matched nothing for a week"
    if silence.until_at - silence.from_at > LONG_MS:
        yield "longer than 30 days"


def _glanced(store: Store, since: int, most: int) -> Iterator[tuple[Incident, list[Alert]]]:
    """As `_reported`: the newest `most` that are open, and of the newest `most` those that were."""
    known = {one.id: (one, False) for one in islice(store.open_incidents(), most)}
    for one, retired in islice(store.incidents(), most):
        if one.phase is Phase.RESOLVED and one.resolved_at >= since:
            known[one.id] = one, retired
    some = list(known.values())
    for first in range(0, len(some), _AT_ONCE):
        alerts = store.some_alerts(some[first : first + _AT_ONCE], most)
        yield from ((one, alerts[one.id]) for one, _ in some[first : first + _AT_ONCE])


def _reported(store: Store, since: int) -> Iterator[tuple[Incident, list[Alert]]]:
    """Incidents that were open at or after an instant, with their alerts."""
    stale = 0
    for incident, archived in store.incidents():
        if incident.phase is Phase.RESOLVED and incident.resolved_at < since:
            stale = stale + 1 if archived else 0
            if stale >= _STALE:
                return
        else:
            stale = 0
            yield incident, store.alerts(incident.id, archived=archived)
