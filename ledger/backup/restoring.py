"""Bringing a backup back: into an empty store that nobody works on.

All keys are written under other names first, read back and compared, and then take their names in one
transaction: a restore that dies half-way has changed nothing, and the next one clears up after it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from ledger import lease as leases
from ledger import wire
from ledger.archive import Archive
from ledger.backup.file import ARCHIVE, BackupError, Line, Reader, reading
from ledger.backup.saving import Progress
from ledger.keys import Keys
from ledger.wire import Argument

HELD_MS = 30_000
"""For so long after a step no dispatcher begins to work."""
_AT_ONCE = 200

_WRITE = {"string": "SET", "hash": "HSET", "list": "RPUSH", "set": "SADD", "zset": "ZADD"}


@dataclass(frozen=True, slots=True)
class Restored:
    """`made_at`: when the backup was made, ms. `config`: its configuration's texts by name."""

    made_at: int
    keys: int
    entries: int
    archived: int
    config: dict[str, bytes]


def restore(
    client: redis.Redis,
    keys: Keys,
    archive: Path,
    source: Path,
    *,
    force: bool = False,
    progress: Progress = lambda _done: None,
) -> Restored:
    """Put everything back as `source` has it. `force` replaces what is there.

    Raises BackupError while somebody works on the store, when it is not empty, or the backup is damaged.
    """
    with reading(source) as backup, _held(client, keys) as lease:

        def step(done: int) -> None:
            _still_held(lease)
            progress(done)

        _clear(client, keys.restoring("*"))
        if not force:
            _refuse_unless_empty(client, keys, archive)
        found, entries = _write_all(client, keys, backup, step)
        _restore_archive(backup, archive)
        _still_held(lease)
        _swap(client, keys, found)
        archived = Archive(archive).counts()["incident"]
        return Restored(backup.manifest["made_at"], len(found), entries, archived, backup.config())


@contextmanager
def _held(client: redis.Redis, keys: Keys) -> Iterator[leases.Lease]:
    """Nobody decides meanwhile. The lease is not part of what is replaced."""
    lease = leases.Lease(client, keys, ttl_ms=HELD_MS)
    if lease.acquire() is None:
        raise BackupError(
            f"Tocsin is at work here ({leases.holder(client, keys)}); stop it first (Ctrl-C where `make up` "
            "runs, or stop receiver and workers), then restore again"
        )
    try:
        yield lease
    finally:
        lease.release()


def _still_held(lease: leases.Lease) -> None:
    if not lease.renew():
        raise BackupError("somebody began to work here meanwhile; stop Tocsin, then restore again")


def _refuse_unless_empty(client: redis.Redis, keys: Keys, archive: Path) -> None:
    live = int(client.hlen(keys.state("incident")))
    entries = sum(int(client.xlen(keys.log(lane))) for lane in ("control", "urgent", "bulk"))
    retired = Archive(archive).counts()["incident"]
    if live or entries or retired:
        raise BackupError(
            f"the store is not empty: {live} incidents, {entries} log entries, {retired} archived incidents; "
            "--force replaces them for good (make a backup of them first)"
        )


def _write_all(
    client: redis.Redis, keys: Keys, backup: Reader, progress: Progress
) -> tuple[dict[str, Line], int]:
    """Everything under its name to be. Returns what was written by key, values left out; and the entries."""
    found: dict[str, Line] = {}
    entries: dict[str, int] = {}
    page: list[Line] = []
    for line in backup.lines():
        if "entries" in line:
            entries[line["key"]] = entries.get(line["key"], 0) + len(line["entries"])
            _write_entries(client, keys, line)
            progress(len(line["entries"]))
            continue
        found[line["key"]] = {name: line.get(name) for name in ("type", "expires_at", "last")}
        page.append(line)
        if len(page) == _AT_ONCE:
            _write_keys(client, keys, page)
            progress(len(page))
            page = []
    _write_keys(client, keys, page)
    _finish_streams(client, keys, found, entries)
    return found, sum(entries.values())


def _write_keys(client: redis.Redis, keys: Keys, lines: list[Line]) -> None:
    """Write them and read them back. Raises BackupError when the server has something else."""
    wanted = [line for line in lines if line["type"] != "stream"]
    pipe = client.pipeline(transaction=False)
    for line in wanted:
        wire.queue(pipe, _WRITE[line["type"]], _name(keys, line["key"]), *_arguments(line))
    pipe.execute()
    for line in wanted:
        _read(pipe, line["type"], _name(keys, line["key"]))
    for line, value in zip(wanted, pipe.execute(), strict=True):
        if _comparable(line["type"], value) != _comparable(line["type"], _stored(line)):
            raise BackupError(f"the server did not keep {line['key']} as it was written; is its memory full?")


def _arguments(line: Line) -> list[Argument]:
    value = line["value"]
    if isinstance(value, str):
        return [_bytes(value)]
    parts: list[Argument] = [_bytes(each) for each in value]
    # ZRANGE gives (member, score), ZADD takes (score, member).
    return [parts[i ^ 1] for i in range(len(parts))] if line["type"] == "zset" else parts


def _stored(line: Line) -> Any:
    value = line["value"]
    if isinstance(value, str):
        return _bytes(value)
    parts = [_bytes(each) for each in value]
    if line["type"] == "hash":
        return dict(zip(parts[::2], parts[1::2], strict=True))
    if line["type"] == "zset":
        return [(member, float(score)) for member, score in zip(parts[::2], parts[1::2], strict=True)]
    return parts


def _read(pipe: Any, kind: str, name: bytes) -> None:
    reads: dict[str, tuple[Argument, ...]] = {
        "string": ("GET", name), "hash": ("HGETALL", name), "list": ("LRANGE", name, 0, -1),
        "set": ("SMEMBERS", name),
    }  # fmt: skip
    if kind == "zset":
        pipe.zrange(name, 0, -1, withscores=True)
    else:
        wire.queue(pipe, *reads[kind])


def _comparable(kind: str, value: Any) -> Any:
    return set(value) if kind in {"set", "zset"} else value


def _write_entries(client: redis.Redis, keys: Keys, line: Line) -> None:
    pipe = client.pipeline(transaction=False)
    for at, fields in line["entries"]:
        flat = [_bytes(part) for pair in fields.items() for part in pair]
        wire.queue(pipe, "XADD", _name(keys, line["key"]), at, *flat)
    pipe.execute()


def _finish_streams(client: redis.Redis, keys: Keys, found: dict[str, Line], entries: dict[str, int]) -> None:
    """Streams go on where they stopped, also those that are empty by now."""
    for key, facts in found.items():
        if facts["type"] != "stream":
            continue
        name = _name(keys, key)
        if not entries.get(key):
            # A stream is made by an entry; its id must not be beyond the last one.
            wire.call(client, "XADD", name, facts["last"] if facts["last"] != "0-0" else "0-1", "e", "")
            wire.call(client, "XTRIM", name, "MAXLEN", 0)
        if facts["last"] != "0-0":
            wire.call(client, "XSETID", name, facts["last"])
        if client.xlen(name) != entries.get(key, 0):
            raise BackupError(f"the server did not keep all entries of {key}; is its memory full?")


def _restore_archive(backup: Reader, archive: Path) -> None:
    unchecked = archive.with_name(f"{archive.name}.part")
    archive.parent.mkdir(parents=True, exist_ok=True)
    try:
        backup.copy_to(ARCHIVE, unchecked)
        with closing(sqlite3.connect(unchecked)) as db:
            verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise BackupError(f"the archive in the backup is damaged: {verdict}; use another backup")
        for companion in ("-wal", "-shm"):
            archive.with_name(archive.name + companion).unlink(missing_ok=True)
            unchecked.with_name(unchecked.name + companion).unlink(missing_ok=True)
        unchecked.replace(archive)
    finally:
        unchecked.unlink(missing_ok=True)


def _swap(client: redis.Redis, keys: Keys, found: dict[str, Line]) -> None:
    """All keys take their names at once; the fence is moved on, so that no old commit gets through."""
    fence = int(client.get(keys.fence) or 0)
    old = [key for key in _scan(client, keys.all) if key.decode("latin-1") not in {keys.lease, keys.fence}]
    pipe = client.pipeline(transaction=True)
    for key in old:
        if not key.startswith(keys.restoring("").encode()):
            pipe.delete(key)
    for name, facts in found.items():
        wire.queue(pipe, "RENAME", _name(keys, name), _bytes(name))
        if facts["expires_at"]:
            wire.queue(pipe, "PEXPIREAT", _bytes(name), facts["expires_at"])
    if keys.fence in found:
        wire.queue(pipe, "INCRBY", keys.fence, fence + 1)
    pipe.execute()


def _clear(client: redis.Redis, pattern: str) -> None:
    for key in _scan(client, pattern):
        client.delete(key)


def _scan(client: redis.Redis, pattern: str) -> list[bytes]:
    return list(dict.fromkeys(client.scan_iter(match=pattern, count=1000)))


def _name(keys: Keys, key: str) -> bytes:
    return _bytes(keys.restoring(key))


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
