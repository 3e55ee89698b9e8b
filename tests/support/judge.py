"""What may not be after deaths: an accepted event lost, decided twice, or an incident that nobody hears of.

The senders' and the vendors' logs say what was; our records are only what is held against them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from doomed import Doomed
from toll import LAST, Death, Row, Toll
from traffic import Sent

from ledger import wire
from ledger.clock import now_ms
from ledger.state import load_state
from ledger.views import Store, Whole, status
from routing.audit import audit
from routing.entry import Lane
from routing.incident import Alert, Verdict
from routing.instant import HOUR
from routing.record import decode

COUNTED_ONCE = {"stripe", "vercel"}
"""Their ids say what is one event."""
SETTLED_S = 120.0
"""How long everything may take to be done after the last death."""
_LANES = {lane.value[0]: lane for lane in Lane}


class Records:
    """All that we have, live and archived. Read once, when nobody writes any more."""

    def __init__(self, found: Doomed) -> None:
        self.town = found.town
        self.store = Store(found.town.redis, found.town.keys, found.town.data_dir / "archive.db")

    @cached_property
    def wholes(self) -> list[Whole]:
        found = (self.store.whole(incident.id) for incident, _ in self.store.incidents())
        return [whole for whole in found if whole]

    @cached_property
    def alerts(self) -> dict[str, list[Alert]]:
        """By fingerprint."""
        found: dict[str, list[Alert]] = defaultdict(list)
        for alert in (alert for whole in self.wholes for alert in whole.alerts):
            found[alert.fingerprint].append(alert)
        return found

    @cached_property
    def probes(self) -> dict[str, list[Alert]]:
        """By the label that only one body had."""
        found: dict[str, list[Alert]] = defaultdict(list)
        for alert in (alert for alerts in self.alerts.values() for alert in alerts):
            found[alert.labels.get("probe", "")].append(alert)
        return found

    def verdicts(self, events: Iterable[str]) -> dict[str, Verdict]:
        """Of events, by their ids."""
        hours = {(_LANES[event[0]], int(event[1:].partition("-")[0]) // HOUR) for event in events}
        redis, keys = self.town.redis, self.town.keys
        pages = [redis.hgetall(keys.verdicts(lane.value, hour)) for lane, hour in hours]
        return {wire.text(event): decode(Verdict, raw) for page in pages for event, raw in page.items()}


class Deaths:
    """In order of time; each row of the toll belongs to one place of death."""

    def __init__(self, deaths: Sequence[Death], rounds: Mapping[str, int]) -> None:
        self.all = sorted(deaths, key=lambda death: death.at)
        self.toll = Toll.of(self.all, rounds)

    def row_after(self, at: int) -> Row:
        """Of the death that came next after an instant (ns): what was under way then, it could cost."""
        place = bisect_left(self.all, at, key=lambda death: death.at)
        return self.toll.rows[self.all[place].who if place < len(self.all) else LAST]


def forgotten(records: Records) -> list[str]:
    """What the auditor finds, and finds again: something open without a future.

    Outages left alone still escalate, and the tables are read one after the other: what was written in between seems
    to lack its other half, once.
    """
    town = records.town
    first, second = (
        [str(finding) for finding in audit(load_state(town.redis, town.keys), now_ms())] for _ in range(2)
    )
    return [finding for finding in first if finding in second]


def count_events(records: Records, sent: Sequence[Sent], deaths: Deaths) -> None:
    """Every accepted event, into its row: lost, or decided twice."""
    accepted = [one for one in sent if one.accepted]
    verdicts = records.verdicts({event for one in accepted for event in one.ids})
    for one in accepted:
        row = deaths.row_after(one.began)
        row.accepted += 1
        lost, twice = _lost(records, verdicts, one), _twice(records, verdicts, one)
        row.lost += bool(lost)
        row.twice += bool(twice)
        deaths.toll.faults += [f"{one.vendor} {one.name}: {why}" for why in (lost, twice) if why]
    deaths.toll.faults += _payments(records, sent)


def _lost(records: Records, verdicts: dict[str, Verdict], sent: Sent) -> str:
    if sent.vendor == "prometheus":
        return "" if records.probes.get(sent.name) else "its alert is nowhere"
    for event in sent.ids:
        verdict = verdicts.get(event)
        if verdict is None:
            return f"accepted as {event} and never decided"
        if verdict.incident and not records.alerts.get(verdict.fingerprint):
            return f"{event} was {verdict.did}, and its alert is nowhere"
    return ""


def _twice(records: Records, verdicts: dict[str, Verdict], sent: Sent) -> str:
    if sent.vendor in COUNTED_ONCE and len(sent.answers) > 1:
        return f"one event, several ids: {sorted(sent.answers)}"
    if sent.vendor == "prometheus":
        # What the API is sent again after silence is news: "still firing".
        alerts, most = records.probes.get(sent.name, []), sent.attempts
    elif sent.sample == "charge.dispute.created":
        found = {verdict.fingerprint for event in sent.ids if (verdict := verdicts.get(event))}
        alerts, most = [alert for mark in found for alert in records.alerts.get(mark, [])], 1
    else:
        return ""
    total = sum(alert.count for alert in alerts)
    return f"counted {total} times, sent {sent.attempts} times" if total > most else ""


def _payments(records: Records, sent: Sequence[Sent]) -> list[str]:
    """All of them count for one alert, each once; only those before it was raised are not in its count."""
    failed = [one for one in sent if one.sample == "payment_intent.payment_failed"]
    alerts = [alert for alerts in records.alerts.values() for alert in alerts]
    counted = sum(alert.count for alert in alerts if alert.kind == "payments-failing")
    least, most = sum(one.accepted for one in failed) - 19, len(failed) - 19
    if not failed or max(0, least) <= counted <= max(0, most):
        return []
    return [f"{counted} failed payments were counted above the threshold; they were {least} to {most}"]


def calm(found: Doomed) -> bool:
    """Nothing waits to be decided, sent or carried out."""
    with suppress(Exception):  # it is still getting up
        records = Records(found)
        shown: dict[str, Any] = status(records.store, now_ms())
        if sum(shown["lanes"].values()) or shown["outbox"]:
            return False
        return all(over for whole in records.wholes for over in _over(whole))
    return False


def _over(whole: Whole) -> Iterator[bool]:
    yield from (run.phase.over for run in whole.runs)
    yield from (delivery.progress.over for delivery in whole.deliveries)
