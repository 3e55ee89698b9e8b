"""Bodies are kept as long as the configuration says, live or archived; then they go, and nothing else with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import redis

from ledger.archive.database import Archive
from ledger.dead_letter import DeadLetter
from ledger.keys import Keys
from ledger.script import Script
from ledger.wire import text
from routing.record import decode, encode

_AT_ONCE = 200
_FORGET = Script("forget_bodies")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long bodies are kept, in ms: of `sources` by name, and of all others."""

    others: int
    sources: Mapping[str, int] = field(default_factory=dict)

    @property
    def shortest(self) -> int:
        return min(self.others, *self.sources.values()) if self.sources else self.others

    def of(self, source: str) -> int:
        return self.sources.get(source, self.others)


def forget_live(client: redis.Redis, keys: Keys, keeping: Keeping, now: int) -> int:
    """Those in Redis that are too old. Returns how many. Raises redis.RedisError.

    Nothing is decided by a body: it may go before its event is.
    """
    own = [part for name, kept in keeping.sources.items() for part in (name, now - kept)]
    removed, at = 0, "-"
    while at:
        arguments = (at, _AT_ONCE, now - keeping.others, *own)
        last, gone = _FORGET.run(client, (keys.raw,), arguments)
        at, removed = text(last), removed + int(gone)
    return removed


def forget_archived(path: Path, keeping: Keeping, now: int) -> int:
    """Those in the archive, and those of its dead letters. Returns how many. Raises ArchiveError."""
    archive = Archive(path)
    removed = sum(archive.forget_raws(each, now - keeping.of(each)) for each in archive.sources_of_raws())
    return removed + sum(_forget_dead(archive, raw, keeping, now) for raw in archive.dead_letters())


def _forget_dead(archive: Archive, raw: bytes, keeping: Keeping, now: int) -> int:
    letter = decode(DeadLetter, raw)
    if not letter.source or not letter.raw or letter.at >= now - keeping.of(letter.source):
        return 0
    archive.rewrite_dead(letter.id, encode(msgspec.structs.replace(letter, raw=b"")))
    return 1
