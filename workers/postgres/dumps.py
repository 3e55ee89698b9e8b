"""A backup that is proven: dumped, restored into a scratch database, and compared with what was dumped.

Dump, row counts and checksums see the same snapshot, whatever the application writes meanwhile. Beside each dump
lies what is known of it, as JSON. Source: the PostgreSQL documentation, 9.28.5 (snapshot synchronization).
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, LiteralString

import orjson

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.deadline import Deadline
from workers.postgres import given
from workers.postgres.connection import opened
from workers.postgres.contents import Contents, contents, differences
from workers.postgres.programs import Programs

MOST_DIFFERENCES: Final = 10
_MINUTE_MS: Final = 60_000
_SNAPSHOT: Final[LiteralString] = "SELECT pg_export_snapshot() AS id"
_LEFT_BEHIND: Final[LiteralString] = """
SELECT datname AS name FROM pg_database
WHERE datdba = (SELECT oid FROM pg_roles WHERE rolname = current_user) AND datname ~ '^restored_by_tocsin_[0-9]{1,18}$'
  AND substring(datname FROM '[0-9]+$')::bigint < %(before)s
"""
"""Of runs whose worker died in between."""
_LEFT_AFTER_MS: Final = 86_400_000
_DROP: Final[LiteralString] = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
CLEAR_S: Final = 4.0
"""What clearing up may take beyond the step's time."""


def dump(step: Step) -> dict[str, Any]:
    """{"file", "bytes", "sha256", "tables", "rows", "verified", "why", "differs", "affects": 0}.

    `verified`: restored into a database of its own on the scratch server, every table of the same rows.
    Raises ActionError when there is no dump.
    """
    deadline = Deadline(step.timeout_s)
    folder = _folder(step)
    if not step.allowed():
        raise ActionError(
            "the kill switch is on, or the lock on the target was lost", outcome=Outcome.REFUSED
        )
    file = folder / f"{datetime.fromtimestamp(step.now / 1000, UTC):%Y%m%dT%H%M%SZ}.dump"
    source = _dumped(step, Programs(step, deadline), file)
    found: dict[str, Any] = {
        "file": file.name,
        "at": step.now,
        "bytes": file.stat().st_size,
        "sha256": _sha256(file),
        "tables": len(source),
        "rows": sum(rows for rows, _ in source.values()),
        **_proven(step, deadline, file, source),
    }
    _written(file.with_suffix(".json"), orjson.dumps(found))
    return {**found, "affects": 0}


def newest(step: Step) -> dict[str, Any]:
    """{"newest": what `dump` found, with "age_minutes" and "intact", or null, "count", "bytes" of all}."""
    folder = Path(step.settings.get("dumps", ""))
    known = sorted(folder.glob("*.dump")) if step.settings.get("dumps") else []
    told = _told(known[-1], step.now) if known else None
    return {"newest": told, "count": len(known), "bytes": sum(each.stat().st_size for each in known)}


def _dumped(step: Step, programs: Programs, file: Path) -> Contents:
    """Write the file, and count what is in it. It has its name only when it is whole and on the disk."""
    schemas = given.names(step, "dump_schemas")
    partial = file.with_suffix(".partial")
    partial.touch(mode=0o600)
    try:
        with opened(step) as database, database.snapshot() as connection:
            row = connection.execute(_SNAPSHOT).fetchone() or {}
            programs.dump(step.settings["url"], str(partial), str(row["id"]), schemas)
            found = contents(database, schemas)
        with partial.open("rb") as whole:
            os.fsync(whole.fileno())
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)
    return found


def _proven(step: Step, deadline: Deadline, file: Path, source: Contents) -> dict[str, Any]:
    """Restore it and compare. What keeps it from being restored is a result: the dump is there all the same."""
    server = step.settings.get("scratch_url", "")
    if not server:
        fix = "set POSTGRES_SCRATCH_URL to a server where databases may be created"
        return {"verified": False, "why": f"there is no server to restore it to; {fix}", "differs": []}
    try:
        rest = replace(step, timeout_s=deadline.left())
        with _scratch(rest, server, f"restored_by_tocsin_{step.now}") as url:
            Programs(rest, deadline).restore(url, str(file))
            with opened(replace(step, timeout_s=deadline.left()), url=url) as database:
                differs = differences(source, contents(database, given.names(step, "dump_schemas")))
    except (ActionError, TimeoutError) as error:
        return {"verified": False, "why": str(error), "differs": []}
    why = f"{len(differs)} tables differ" if differs else "restored, and every table is the same"
    return {"verified": not differs, "why": why, "differs": differs[:MOST_DIFFERENCES]}


@contextmanager
def _scratch(step: Step, server: str, name: str) -> Iterator[str]:
    """The URL of a new, empty database, which is gone afterwards."""
    from psycopg import conninfo  # noqa: PLC0415  # as in workers.postgres.connection

    with opened(step, mutates=True, url=server) as database:
        old = database.ask("", _LEFT_BEHIND, {"before": step.now - _LEFT_AFTER_MS})
        for each in old:
            database.alone(_DROP, each["name"])
        database.alone("CREATE DATABASE {} TEMPLATE template0", name)
    try:
        yield conninfo.make_conninfo(server, dbname=name)
    finally:
        with opened(replace(step, timeout_s=CLEAR_S), mutates=True, url=server) as database:
            database.alone(_DROP, name)


def _folder(step: Step) -> Path:
    """Raises ActionError when there is none, or it cannot be made."""
    named = step.settings.get("dumps", "")
    if not named:
        fix = "set POSTGRES_DUMPS to a folder"
        raise ActionError(f"there is nowhere to write a dump to; {fix}", outcome=Outcome.PERMANENT)
    folder = Path(named).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for partial in folder.glob("*.partial"):  # of runs whose worker died in between
            if partial.stat().st_mtime * 1000 < step.now - _LEFT_AFTER_MS:
                partial.unlink()
    except OSError as error:
        raise ActionError(f"{named} cannot be used: {error.strerror}", outcome=Outcome.PERMANENT) from error
    return folder


def _told(file: Path, now: int) -> dict[str, Any]:
    try:
        known = orjson.loads(file.with_suffix(".json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        known = {
            "file": file.name,
            "at": round(file.stat().st_mtime * 1000),
            "verified": False,
            "why": "not known",
        }
    intact = file.stat().st_size == known.get("bytes") and _sha256(file) == known.get("sha256")
    return {**known, "age_minutes": max(0, (now - known["at"]) // _MINUTE_MS), "intact": intact}


def _sha256(file: Path) -> str:
    with file.open("rb") as found:
        return hashlib.file_digest(found, "sha256").hexdigest()


def _written(file: Path, content: bytes) -> None:
    """Whole and on the disk, or not at all."""
    partial = file.with_suffix(".new")
    with partial.open("wb") as found:
        found.write(content)
        found.flush()
        os.fsync(found.fileno())
    partial.rename(file)
