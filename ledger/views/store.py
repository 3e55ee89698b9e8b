"""Store: an incident and what it owns, wherever it is now: live in Redis, or retired to the archive."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import redis

from ledger import wire
from ledger.archive import Archive, ArchivedIncident
from ledger.dead_letter import DeadLetter
from ledger.keys import Keys
from ledger.phases import OPEN, newest
from ledger.tables import OWNED
from routing.decision import Table
from routing.delivery import Delivery
from routing.incident import Alert, Incident, Moment, Phase, Review
from routing.record import Record, decode
from routing.response.reviews import merged, review_key
from routing.run import Run
from routing.state import Fact

R = TypeVar("R", bound=Record)

_PAGE = 200
"""Incidents read at once."""


@dataclass(frozen=True, slots=True)
class Whole:
    """One incident with all it owns; records in the order they began."""

    incident: Incident
    alerts: tuple[Alert, ...]
    deliveries: tuple[Delivery, ...]
    runs: tuple[Run, ...]
    timeline: tuple[Moment, ...]
    archived: bool


@dataclass(frozen=True, slots=True)
class Store:
    """Where the read side reads: one partition's keys, and the archive at `archive_path`."""

    client: redis.Redis
    keys: Keys
    archive_path: Path

    @property
    def archive(self) -> Archive:
        return Archive(self.archive_path)

    def records(self, table: Table, kind: type[R]) -> dict[str, R]:
        """A whole table that no incident owns: key -> record."""
        found: dict[bytes, bytes] = wire.call(self.client, "HGETALL", self.keys.state(table))
        return {key.decode(): decode(kind, raw) for key, raw in found.items()}

    def incident(self, incident_id: str) -> Incident | None:
        """The record alone, live or retired."""
        found = self.located(incident_id)
        return found[0] if found else None

    def located(self, incident_id: str) -> tuple[Incident, bool] | None:
        """The record alone, and whether it is retired."""
        raw = self.client.hget(self.keys.state(Table.INCIDENT.value), incident_id)
        if raw is not None:
            return decode(Incident, raw), False
        retired = self.archive.find_record(incident_id)
        return (decode(Incident, retired), True) if retired is not None else None

    def review(self, incident: Incident) -> Review:
        """What a person has added to its report; of what had retired by then it is kept beside the archive."""
        raw = self.client.hget(self.keys.state(Table.FACT.value), review_key(incident.id))
        if isinstance(raw, bytes):
            return merged(incident.review or Review(), decode(Review, decode(Fact, raw).value))
        return incident.review or Review()

    def is_here(self, incident_id: str) -> bool:
        """Whether what it owns is in Redis, and not in the archive."""
        return bool(self.client.hexists(self.keys.state(Table.INCIDENT.value), incident_id))

    def is_live(self, incident_id: str) -> bool:
        """Whether it can still change; False once it has retired, and when nobody ever heard of it."""
        there = self.client.hexists(self.keys.state(Table.INCIDENT.value), incident_id)
        return bool(there) and wire.call(self.client, "ZSCORE", self.keys.retired, incident_id) is None

    def incidents(self, below: int = 0) -> Iterator[tuple[Incident, bool]]:
        """All incidents, newest first, with whether it is retired; numbers below `below` if not 0.

        Only as much is read as is asked for: one page of each store at a time.
        """
        live = int(self.client.hlen(self.keys.state(Table.INCIDENT.value)))
        top = below or 1 + max(self._last_number(), *(each.number for each in self._archived(0, 1)), 0)
        while live > 0 and top > 1:
            found = self._live(range(max(1, top - _PAGE), top))
            live -= len(found)
            bottom = max(1, top - _PAGE)
            retired = {each.number: each for each in self._archived(top, _PAGE) if each.number >= bottom}
            for number in sorted(found.keys() | retired.keys(), reverse=True):
                yield (found[number], False) if number in found else (retired[number], True)
            top = bottom
        if top > 1:
            yield from ((each, True) for each in self._retired(top))

    def open_incidents(self, phases: Iterable[Phase] = OPEN, below: int = 0) -> Iterator[Incident]:
        """Those in these phases, newest first; numbers below `below` if not 0. None is read that is over."""
        wanted = frozenset(phases)
        found = (decode(Incident, raw) for raw in self._open(wanted, below))
        return (each for each in found if each.phase in wanted)

    def _open(self, phases: Iterable[Phase], below: int) -> Iterator[bytes]:
        while page := newest(self.client, self.keys, phases, below, _PAGE):
            yield from self._named([name for _, name in page])
            below = page[-1][0]

    def _live(self, numbers: Iterable[int]) -> dict[int, Incident]:
        found = (decode(Incident, raw) for raw in self._named([f"INC-{number}" for number in numbers]))
        return {each.number: each for each in found}

    def _named(self, ids: Sequence[str]) -> list[bytes]:
        raws = wire.call(self.client, "HMGET", self.keys.state(Table.INCIDENT.value), *ids)
        return [raw for raw in raws if raw is not None]

    def _last_number(self) -> int:
        raw = self.client.hget(self.keys.state(Table.FACT.value), "incidents")
        return int(decode(Fact, raw).value or 0) if isinstance(raw, bytes) else 0

    def whole(self, incident_id: str) -> Whole | None:
        """An incident with all it owns; None when nobody ever heard of it."""
        raw = self.client.hget(self.keys.state(Table.INCIDENT.value), incident_id)
        if raw is None:
            retired = self.archive.find_incident(incident_id)
            return _unpacked(retired) if retired else None
        pipeline = self.client.pipeline(transaction=True)
        for table in (Table.ALERT, Table.DELIVERY, Table.RUN):
            pipeline.hvals(self.keys.owned(incident_id, table.value))
        pipeline.lrange(self.keys.timeline(incident_id), 0, -1)
        alerts, deliveries, runs, timeline = pipeline.execute()
        return _whole(decode(Incident, raw), alerts, deliveries, runs, timeline, archived=False)

    def glance(self, incident_id: str, most: int) -> Whole | None:
        """As `whole`, with no more than `most` alerts, deliveries and runs, and the last moments of its timeline.

        After a storm an incident may own a hundred thousand alerts: nobody looks at all of them at once.
        """
        raw = self.client.hget(self.keys.state(Table.INCIDENT.value), incident_id)
        if raw is None:
            return self._glance_retired(incident_id, most)
        pipeline = self.client.pipeline(transaction=False)
        for table in OWNED:
            wire.queue(pipeline, "HSCAN", self.keys.owned(incident_id, table.value), 0, "COUNT", most)
        pipeline.lrange(self.keys.timeline(incident_id), -most, -1)
        *pages, timeline = pipeline.execute()
        alerts, deliveries, runs = (_values(page)[:most] for page in pages)
        return _whole(decode(Incident, raw), alerts, deliveries, runs, timeline, archived=False)

    def _glance_retired(self, incident_id: str, most: int) -> Whole | None:
        archive, raw = self.archive, self.archive.find_record(incident_id)
        if raw is None:
            return None
        alerts, deliveries, runs = (
            list(archive.some_owned(incident_id, table, archive.keys_of(incident_id, table)[:most]).values())
            for table in OWNED
        )
        of = archive.count_moments(incident_id)
        timeline = archive.moments(incident_id, max(0, of - most), most)
        return _whole(decode(Incident, raw), alerts, deliveries, runs, timeline, archived=True)

    def owned_page(
        self, incident_id: str, table: Table, most: int, cursor: int = 0
    ) -> tuple[list[bytes], int]:
        """About `most` of what a live incident owns of a table, in no order; and the cursor to go on, 0 at the end."""
        key = self.keys.owned(incident_id, table.value)
        after, page = wire.call(self.client, "HSCAN", key, cursor, "COUNT", most)
        return list(page.values()), int(after)

    def moments(self, incident_id: str, most: int = 0) -> list[Moment]:
        """The timeline of an incident alone, the last `most` of it if not 0."""
        found: list[bytes] = wire.call(self.client, "LRANGE", self.keys.timeline(incident_id), -most, -1)
        if not found:
            of = self.archive.count_moments(incident_id)
            found = self.archive.moments(incident_id, max(0, of - most) if most else 0, of)
        return [decode(Moment, raw) for raw in found]

    def first_entries(self, incidents: Sequence[str]) -> dict[str, str]:
        """Of live incidents, the log entry their timeline begins with."""
        pipeline = self.client.pipeline(transaction=False)
        for key in incidents:
            pipeline.lrange(self.keys.timeline(key), 0, 0)
        found = zip(incidents, pipeline.execute(), strict=True)
        return {key: decode(Moment, told[0]).entry for key, told in found if told}

    def alerts(self, incident_id: str, *, archived: bool) -> list[Alert]:
        """The alerts of an incident alone."""
        if archived:
            retired = self.archive.find_incident(incident_id)
            return list(_unpacked(retired).alerts) if retired else []
        found: list[bytes] = wire.call(self.client, "HVALS", self.keys.owned(incident_id, Table.ALERT.value))
        return [decode(Alert, raw) for raw in found]

    def some_alerts(self, incidents: Sequence[tuple[Incident, bool]], most: int) -> dict[str, list[Alert]]:
        """Of each of many incidents, each with whether it is retired, about `most` alerts."""
        live, retired = _parted(incidents)
        pipeline = self.client.pipeline(transaction=False)
        for key in live:
            wire.queue(pipeline, "HSCAN", self.keys.owned(key, Table.ALERT.value), 0, "COUNT", most)
        found = {
            key: [decode(Alert, raw) for raw in _values(page)[:most]]
            for key, page in zip(live, pipeline.execute(), strict=True)
        }
        archive = self.archive
        for key in retired:
            names = archive.keys_of(key, Table.ALERT)[:most]
            found[key] = [decode(Alert, raw) for raw in archive.some_owned(key, Table.ALERT, names).values()]
        return found

    def owned(
        self, incidents: Sequence[tuple[Incident, bool]], table: Table, kind: type[R]
    ) -> dict[str, list[R]]:
        """Of many incidents, each with whether it is retired, what they own of a table: incident -> records."""
        found: dict[str, list[R]] = {incident.id: [] for incident, _ in incidents}
        live, retired = _parted(incidents)
        pipeline = self.client.pipeline(transaction=False)
        for key in live:
            pipeline.hvals(self.keys.owned(key, table.value))
        for key, records in zip(live, pipeline.execute(), strict=True):
            found[key] = [decode(kind, raw) for raw in records]
        for key, raw in self.archive.owned(retired, table.value):
            found[key].append(decode(kind, raw))
        return found

    def saying(self, incidents: Sequence[tuple[Incident, bool]], text: str) -> set[str]:
        """Which of them have a line in their timeline whose record holds the text."""
        live, retired = _parted(incidents)
        pipeline = self.client.pipeline(transaction=False)
        for key in live:
            pipeline.lrange(self.keys.timeline(key), 0, -1)
        told = zip(live, pipeline.execute(), strict=True)
        found = {key for key, moments in told if any(text.encode() in moment for moment in moments)}
        return found | self.archive.saying(retired, text)

    def effects(self, incident_id: str) -> list[Incident]:
        """Open incidents for which nobody is paged because this one is their cause."""
        # Most are of no cause: reading one takes ten times as long as looking for the name in it.
        told = f'"cause":"{incident_id}"'.encode()
        found = [decode(Incident, raw) for raw in self._open(OPEN, 0) if told in raw]
        return sorted((each for each in found if each.cause == incident_id), key=lambda each: each.number)

    def settled(self, letter_id: str) -> DeadLetter | None:
        """A dead letter that was retried or dropped long ago."""
        raw = self.archive.find_dead(letter_id)
        return decode(DeadLetter, raw) if raw else None

    def _retired(self, below: int) -> Iterator[Incident]:
        while found := self._archived(below, _PAGE):
            yield from found
            below = found[-1].number

    def _archived(self, below: int, most: int) -> list[Incident]:
        return [decode(Incident, raw) for _, raw in self.archive.incidents(below, most)]


def _values(page: tuple[int, dict[bytes, bytes]]) -> list[bytes]:
    """Of a page of HSCAN; its fields come as a dictionary, or flat from a pipeline."""
    found: Any = page[1]
    return list(found.values()) if isinstance(found, dict) else list(found[1::2])


def _parted(incidents: Sequence[tuple[Incident, bool]]) -> tuple[list[str], list[str]]:
    """Ids of the live ones, and of the retired."""
    live = [incident.id for incident, retired in incidents if not retired]
    return live, [incident.id for incident, retired in incidents if retired]


def _unpacked(retired: ArchivedIncident) -> Whole:
    def values(table: Table) -> list[bytes]:
        owned: Mapping[str, bytes] = retired.owned.get(table.value, {})
        return list(owned.values())

    return _whole(
        decode(Incident, retired.record),
        values(Table.ALERT), values(Table.DELIVERY), values(Table.RUN), list(retired.timeline),
        archived=True,
    )  # fmt: skip


def _whole(
    incident: Incident,
    alerts: list[bytes],
    deliveries: list[bytes],
    runs: list[bytes],
    timeline: list[bytes],
    *,
    archived: bool,
) -> Whole:
    return Whole(
        incident,
        tuple(sorted((decode(Alert, raw) for raw in alerts), key=lambda alert: alert.first_seen_at)),
        tuple(
            sorted((decode(Delivery, raw) for raw in deliveries), key=lambda one: (one.created_at, one.id))
        ),
        tuple(sorted((decode(Run, raw) for raw in runs), key=lambda run: run.started_at)),
        tuple(decode(Moment, raw) for raw in timeline),
        archived,
    )
