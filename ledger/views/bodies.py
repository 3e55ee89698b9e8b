"""The bodies of requests as they were received, wherever they are now: in Redis or in the archive."""

import json
from dataclasses import dataclass

from ledger import log
from ledger.views.store import Store


@dataclass(frozen=True, slots=True)
class Body:
    """Byte by byte; `headers` were redacted before they were kept."""

    source: str
    body: bytes
    headers: dict[str, str]


def find(store: Store, raw_id: str) -> Body | None:
    """None when it is not kept any more, or there never was one. Raises redis.RedisError and ArchiveError."""
    if not raw_id:
        return None
    live = log.raw_body(store.client, store.keys, raw_id)
    if live is not None:
        return Body(live.source, live.body, json.loads(live.headers or b"{}"))
    old = store.archive.find_raw(raw_id)
    return Body(old.source, old.body, json.loads(old.headers or b"{}")) if old else None
