"""Making a backup while everything runs.

One script reads all that changes at one instant, so that state, timers, outbox and cursor belong together.
Streams are append-only: the instant fixes how far they reach, their entries are read afterwards, a few at a
time. Nothing may move to the archive meanwhile, so the sweep is held off.
"""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from ledger import wire
from ledger.archive import Archive
from ledger.archive.moving import keep_sweeping, sweeping
from ledger.backup.file import ARCHIVE, KEYS, BackupError, Line, Writer, writing
from ledger.keys import Keys
from ledger.script import Script

AT_ONCE = 500
"""Entries read from a stream at once."""
_SNAPSHOT = Script("snapshot")

Progress = Callable[[int], object]
"""Told how many keys or entries were just written."""


@dataclass(frozen=True, slots=True)
class Saved:
    keys: int
    entries: int
    archived: int


def save(
    client: redis.Redis,
    keys: Keys,
    archive: Path,
    config: Mapping[str, str],
    target: Path,
    now: int,
    progress: Progress = lambda _done: None,
) -> Saved:
    """Write everything to `target`. `client` should be patient: one script reads all that is live.

    Raises BackupError, ArchiveError or redis.RedisError; then there is no file, or the old one.
    """
    with sweeping(client, keys) as token:
        if not token:
            raise BackupError("things are being moved to the archive, or another backup runs; try again")
        with writing(target, {"made_at": now, "partition": keys.partition}) as writer:
            saved = _save(client, keys, token, writer, progress)
            archived = _add_archive(writer, archive)
            for name, text in config.items():
                writer.add(name, text.encode("utf-8", errors="surrogateescape"))
            _still_ours(client, keys, token)
    return Saved(saved.keys, saved.entries, archived)


def _save(client: redis.Redis, keys: Keys, token: str, writer: Writer, progress: Progress) -> Saved:
    found = [row for row in _snapshot(client, keys) if wire.text(row[0]) not in {keys.lease, keys.sweeping}]
    entries = 0
    with writer.member(KEYS) as write:
        for key, kind, expires, value in found:
            line = {"key": _text(key), "type": wire.text(kind), "expires_at": int(expires)}
            if wire.text(kind) != "stream":
                write(_line(line | {"value": _texts(value)}))
            else:
                write(_line(line | {"last": wire.text(value)}))
                for page in _pages(client, key, value):
                    write(_line({"key": _text(key), "entries": page}))
                    entries += len(page)
                    progress(len(page))
                    _still_ours(client, keys, token)
            progress(1)
    return Saved(len(found), entries, 0)


def _snapshot(client: redis.Redis, keys: Keys) -> list[tuple[bytes, bytes, bytes, Any]]:
    found: list[tuple[bytes, bytes, bytes, Any]] = _SNAPSHOT.run(client, (), (keys.all, keys.restoring("*")))
    return found


def _pages(client: redis.Redis, stream: bytes, last: bytes) -> Iterator[list[Any]]:
    start = b"-"
    while rows := wire.call(client, "XRANGE", stream, start, last, "COUNT", AT_ONCE):
        yield [
            [at.decode(), {_text(name): _text(value) for name, value in fields.items()}]
            for at, fields in rows
        ]
        start = b"(" + rows[-1][0]


def _still_ours(client: redis.Redis, keys: Keys, token: str) -> None:
    if not keep_sweeping(client, keys, token):
        raise BackupError("the backup took too long between two steps and lost its hold; try again")


def _add_archive(writer: Writer, archive: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="tocsin-backup-", dir=archive.parent) as room:
        copy = Path(room) / ARCHIVE
        Archive(archive).copy_to(copy)
        try:
            writer.add_file(ARCHIVE, copy)
            return Archive(copy).counts()["incident"]
        except sqlite3.Error as error:
            raise BackupError(f"{archive} cannot be copied: {error}") from error


def _line(line: Line) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _texts(value: bytes | list[bytes]) -> str | list[str]:
    return _text(value) if isinstance(value, bytes) else [_text(each) for each in value]
