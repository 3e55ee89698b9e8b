"""The archive's SQLite file: its tables, what is put into them and how it is found again."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from routing.errors import TocsinError

SCHEMA_VERSION = 2
_BUSY_MS = 10_000
_AT_ONCE = 500
"""Rows deleted in one transaction, so that others may write between."""

Row = tuple[Any, ...]
"""As many columns as the query has."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    position TEXT PRIMARY KEY, id TEXT NOT NULL, lane TEXT NOT NULL, at INTEGER NOT NULL,
    vendor_id TEXT NOT NULL, raw TEXT NOT NULL, entry BLOB NOT NULL, verdict BLOB
);
CREATE INDEX IF NOT EXISTS entry_id ON entry (id);
CREATE INDEX IF NOT EXISTS entry_vendor_id ON entry (vendor_id) WHERE vendor_id != '';
CREATE TABLE IF NOT EXISTS raw (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, body BLOB NOT NULL, headers BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS incident (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, record BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS owned (
    incident TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (incident, kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moment (
    incident TEXT NOT NULL, place INTEGER NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (incident, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
    id TEXT PRIMARY KEY, record BLOB NOT NULL
);
"""

_SINCE_1 = """
CREATE TABLE IF NOT EXISTS batch (
    ms INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, policy TEXT NOT NULL, moved TEXT NOT NULL,
    PRIMARY KEY (ms, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_at ON entry (lane, at);
"""
_STEPS = (_SCHEMA, _SINCE_1)
"""What each schema version adds to the one before."""

# In the words that make SQLite go by an index, whatever is bound to them. Of the vendors' ids the index has no "";
# of two ends each is one step, and asked for together they are a walk through all there is.
OF_ID = "SELECT * FROM entry WHERE id = ? OR position = ? LIMIT 1"
OF_VENDOR_ID = "SELECT * FROM entry WHERE vendor_id = ? AND vendor_id != '' ORDER BY at LIMIT ?"
SPAN = "SELECT (SELECT min(at) FROM entry WHERE lane = ?), (SELECT max(at) FROM entry WHERE lane = ?)"
OLDER = "SELECT id, record FROM incident WHERE number < ? ORDER BY number DESC LIMIT ?"
_ALL = 2**63 - 1


class ArchiveError(TocsinError):
    """The archive cannot be read or written; says which file and what to do."""


@dataclass(frozen=True, slots=True)
class ArchivedEntry:
    """A decided entry of the log. `position` is its place in the log, `id` what people call it.

    They differ for replays only. `raw` is the id of the request body it came in, "" when it had none;
    `verdict` is the encoded Verdict, b"" when it had none.
    """

    position: str
    id: str
    lane: str
    at: int
    vendor_id: str
    raw: str
    entry: bytes
    verdict: bytes = b""


@dataclass(frozen=True, slots=True)
class ArchivedRaw:
    """A request body as received; `headers` is JSON, secrets already redacted."""

    id: str
    source: str
    body: bytes
    headers: bytes


@dataclass(frozen=True, slots=True)
class ArchivedIncident:
    """A retired incident: its encoded record, what it owned by kind and key, and its timeline."""

    id: str
    number: int
    record: bytes
    owned: Mapping[str, Mapping[str, bytes]]
    timeline: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ArchivedDead:
    """A dead letter that was retried or dropped, encoded."""

    id: str
    record: bytes


@dataclass(frozen=True, slots=True)
class ArchivedBatch:
    """What one commit decided: `at` (ms) when, `moved` lane -> its last position. `place` is its stream id."""

    place: tuple[int, int]
    at: int
    policy: str
    moved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Archive:
    """Reads and writes the file at `path`. A file that is not there yet reads as empty."""

    path: Path

    def put(
        self,
        entries: Iterable[ArchivedEntry] = (),
        raws: Iterable[ArchivedRaw] = (),
        incidents: Iterable[ArchivedIncident] = (),
        dead: Iterable[ArchivedDead] = (),
        batches: Iterable[ArchivedBatch] = (),
    ) -> None:
        """Store all of it in one transaction; it is on disk when this returns. Again is harmless."""
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO entry VALUES (?,?,?,?,?,?,?,?)", map(_entry_row, entries))
            db.executemany(
                "INSERT OR REPLACE INTO raw VALUES (?,?,?,?)",
                ((raw.id, raw.source, raw.body, raw.headers) for raw in raws),
            )
            for incident in incidents:
                _put_incident(db, incident)
            db.executemany(
                "INSERT OR REPLACE INTO batch VALUES (?,?,?,?,?)",
                ((*each.place, each.at, each.policy, json.dumps(dict(each.moved))) for each in batches),
            )
            db.executemany(
                "INSERT OR REPLACE INTO dead VALUES (?,?)", ((letter.id, letter.record) for letter in dead)
            )

    def find_entry(self, entry_id: str) -> ArchivedEntry | None:
        """By the id people call it, or by its position in the log."""
        rows = self._rows(OF_ID, (entry_id, entry_id))
        return _entry(rows[0]) if rows else None

    def entries_of_vendor_id(self, vendor_id: str, limit: int = 10) -> list[ArchivedEntry]:
        """Entries a vendor calls by this id, oldest first."""
        rows = self._rows(OF_VENDOR_ID, (vendor_id, limit))
        return [_entry(row) for row in rows]

    def batches(self, since: int) -> Iterator[ArchivedBatch]:
        """Every batch decided at or after an instant (ms), in order."""
        rows = self._rows("SELECT * FROM batch WHERE at >= ? ORDER BY ms, number", (since,))
        return (
            ArchivedBatch((ms, number), at, policy, json.loads(moved))
            for ms, number, at, policy, moved in rows
        )

    def entries_of_lane(self, lane: str, since: int, until: int) -> list[ArchivedEntry]:
        """Entries appended to a lane between two instants (ms), the end excluded, in no order."""
        query = "SELECT * FROM entry WHERE lane = ? AND at >= ? AND at < ?"
        return [_entry(row) for row in self._rows(query, (lane, since, until))]

    def span(self, lane: str) -> tuple[int, int]:
        """Instants (ms) of the oldest and the newest entry of a lane; (0, -1) when there is none."""
        rows = self._rows(SPAN, (lane, lane))
        return (rows[0][0], rows[0][1]) if rows and rows[0][0] is not None else (0, -1)

    def find_raw(self, raw_id: str) -> ArchivedRaw | None:
        rows = self._rows("SELECT * FROM raw WHERE id = ?", (raw_id,))
        return ArchivedRaw(*rows[0]) if rows else None

    def find_dead(self, letter_id: str) -> bytes | None:
        rows = self._rows("SELECT record FROM dead WHERE id = ?", (letter_id,))
        return rows[0][0] if rows else None

    def find_incident(self, incident_id: str) -> ArchivedIncident | None:
        rows = self._rows("SELECT number, record FROM incident WHERE id = ?", (incident_id,))
        if not rows:
            return None
        owned: dict[str, dict[str, bytes]] = {}
        for kind, key, record in self._rows(
            "SELECT kind, key, record FROM owned WHERE incident = ?", (incident_id,)
        ):
            owned.setdefault(kind, {})[key] = record
        moments = self._rows("SELECT record FROM moment WHERE incident = ? ORDER BY place", (incident_id,))
        return ArchivedIncident(incident_id, rows[0][0], rows[0][1], owned, tuple(row[0] for row in moments))

    def find_record(self, incident_id: str) -> bytes | None:
        """The record of a retired incident alone, without what it owned."""
        rows = self._rows("SELECT record FROM incident WHERE id = ?", (incident_id,))
        return rows[0][0] if rows else None

    def keys_of(self, incident_id: str, kind: str) -> list[str]:
        """Of everything of a kind that it owned, the keys."""
        rows = self._rows("SELECT key FROM owned WHERE incident = ? AND kind = ?", (incident_id, kind))
        return [row[0] for row in rows]

    def some_owned(self, incident_id: str, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        """Of those of these keys that it owned: key -> record."""
        query = (
            "SELECT key, record FROM owned WHERE incident = ? AND kind = ? "
            "AND key IN (SELECT value FROM json_each(?))"
        )
        return dict(self._rows(query, (incident_id, kind, json.dumps(list(keys)))))

    def owning(self, incidents: Sequence[str], kind: str) -> set[str]:
        """Which of them owned anything of a kind."""
        query = "SELECT DISTINCT incident FROM owned WHERE kind = ? AND incident IN (SELECT value FROM json_each(?))"
        return (
            {row[0] for row in self._rows(query, (kind, json.dumps(list(incidents))))} if incidents else set()
        )

    def moments(self, incident_id: str, first: int, most: int) -> list[bytes]:
        """At most `most` lines of its timeline, from the one numbered `first`, from 0 on."""
        query = "SELECT record FROM moment WHERE incident = ? AND place >= ? ORDER BY place LIMIT ?"
        return [row[0] for row in self._rows(query, (incident_id, first, most))]

    def count_moments(self, incident_id: str) -> int:
        rows = self._rows("SELECT max(place) + 1 FROM moment WHERE incident = ?", (incident_id,))
        return (rows[0][0] or 0) if rows else 0

    def incidents(self, below: int = 0, limit: int = 50) -> Iterator[tuple[str, bytes]]:
        """(id, record) of retired incidents, newest first; numbers below `below` when it is not 0."""
        rows = self._rows(OLDER, (below or _ALL, limit))
        return ((row[0], row[1]) for row in rows)

    def owned(self, incidents: Sequence[str], kind: str) -> Iterator[tuple[str, bytes]]:
        """(incident, record) of everything of a kind that these incidents own."""
        query = "SELECT incident, record FROM owned WHERE kind = ? AND incident IN (SELECT value FROM json_each(?))"
        yield from self._rows(query, (kind, json.dumps(list(incidents))))

    def saying(self, incidents: Sequence[str], text: str) -> set[str]:
        """Which of them have a line in their timeline whose record holds the text."""
        query = (
            "SELECT DISTINCT incident FROM moment WHERE incident IN (SELECT value FROM json_each(?)) "
            "AND instr(record, CAST(? AS BLOB)) > 0"
        )
        return {row[0] for row in self._rows(query, (json.dumps(list(incidents)), text))}

    def sources_of_raws(self) -> list[str]:
        """Of which sources it has bodies."""
        found: list[str] = []
        if self.path.exists():
            with self._connected() as db:
                db.execute("CREATE INDEX IF NOT EXISTS raw_source ON raw (source, id)")
                # One step through the index for each source, however many bodies it has.
                while row := db.execute(
                    "SELECT min(source) FROM raw WHERE source > ?", (found[-1] if found else "",)
                ).fetchone():
                    if row[0] is None:
                        break
                    found.append(row[0])
        return found

    def forget_raws(self, source: str, before: int) -> int:
        """Delete a source's bodies that were received before an instant (ms), for good; returns how many."""
        query = "DELETE FROM raw WHERE id IN (SELECT id FROM raw WHERE source = ? AND id < ? LIMIT ?)"
        removed = 0
        while True:
            with self._writing() as db:
                gone = db.execute(query, (source, f"{max(0, before):013}", _AT_ONCE)).rowcount
            removed += gone
            if gone < _AT_ONCE:
                return removed

    def dead_letters(self) -> Iterator[bytes]:
        """The records of all dead letters it has."""
        return (row[0] for row in self._rows("SELECT record FROM dead"))

    def rewrite_dead(self, letter_id: str, record: bytes) -> None:
        with self._writing() as db:
            db.execute("UPDATE dead SET record = ? WHERE id = ?", (record, letter_id))

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = ("entry", "raw", "incident", "owned", "moment", "dead", "batch")
        return {table: (self._rows(f"SELECT count(*) FROM {table}") or [(0,)])[0][0] for table in tables}  # noqa: S608  # the names are ours

    def copy_to(self, target: Path) -> None:
        """A consistent copy while others read and write. Writes an empty archive when there is none yet."""
        with self._writing() as db, closing(sqlite3.connect(target)) as copy:
            db.commit()
            db.backup(copy)

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[Row]:
        if not self.path.exists():
            return []
        with self._connected() as db:
            return db.execute(query, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # it holds request bodies
        with self._connected() as db, db:
            db.execute("BEGIN IMMEDIATE")
            yield db

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=_BUSY_MS / 1000)) as db:
                _prepare(db, self.path)
                yield db
        except sqlite3.Error as error:
            raise ArchiveError(
                f"{self.path}: {error}; is the disk full, or the file not ours to read? "
                "A damaged file can be moved aside: what is live is not in it"
            ) from error


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    # FULL: in WAL mode the only setting that syncs at each commit, which is what we delete on.
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise ArchiveError(
            f"{path} has schema {version}, from a newer release; this one reads up to {SCHEMA_VERSION}; "
            "upgrade, or point TOCSIN_DATA elsewhere"
        )
    if version == 0:
        db.execute("PRAGMA journal_mode = WAL")
    if version < SCHEMA_VERSION:
        missing = " ".join(_STEPS[version:])
        db.executescript(f"BEGIN IMMEDIATE; {missing} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _entry(row: Row) -> ArchivedEntry:
    position, entry_id, lane, at, vendor_id, raw, entry, verdict = row
    return ArchivedEntry(position, entry_id, lane, at, vendor_id, raw, entry, verdict or b"")


def _entry_row(entry: ArchivedEntry) -> tuple[object, ...]:
    return (
        entry.position, entry.id, entry.lane, entry.at, entry.vendor_id, entry.raw, entry.entry,
        entry.verdict or None,
    )  # fmt: skip


def _put_incident(db: sqlite3.Connection, incident: ArchivedIncident) -> None:
    db.execute(
        "INSERT OR REPLACE INTO incident VALUES (?,?,?)", (incident.id, incident.number, incident.record)
    )
    db.executemany(
        "INSERT OR REPLACE INTO owned VALUES (?,?,?,?)",
        (
            (incident.id, kind, key, record)
            for kind, records in incident.owned.items()
            for key, record in records.items()
        ),
    )
    db.executemany(
        "INSERT OR REPLACE INTO moment VALUES (?,?,?)",
        ((incident.id, place, record) for place, record in enumerate(incident.timeline)),
    )
