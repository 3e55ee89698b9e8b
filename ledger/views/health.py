"""How Tocsin itself is, in detail: who is at work, what they hold, what the server and the archive keep."""

from dataclasses import dataclass
from typing import Any

import redis

from ledger import wire
from ledger.views.store import Store
from routing.entry import Lane

_MOST_CLAIMS = 1_000
_ABSENT_MS = 15_000
"""Processes show themselves every two seconds."""


@dataclass(frozen=True, slots=True)
class Process:
    """`seen_at` ms."""

    role: str
    host: str
    pid: str
    seen_at: int
    absent: bool


def processes(store: Store, now: int) -> list[Process]:
    """By role, those that were seen last first."""
    seen = store.client.hgetall(store.keys.pulse)
    found = [_process(wire.text(name), int(at), now) for name, at in seen.items()]
    return sorted(found, key=lambda each: (each.role, -each.seen_at))


def _process(name: str, at: int, now: int) -> Process:
    role, _, rest = name.partition(".")
    host, _, pid = rest.rpartition(".")
    return Process(role, host, pid, at, now - at > _ABSENT_MS)


def claims(store: Store) -> dict[str, int]:
    """How many effects workers hold, and when the oldest was taken (ms, 0 for none; of the first thousand)."""
    client, keys = store.client, store.keys
    page = wire.call(client, "HSCAN", keys.claims, 0, "COUNT", _MOST_CLAIMS)[1]
    taken = [int(wire.text(each).rpartition(" ")[2]) for each in _values(page)]
    return {"held": int(client.hlen(keys.claims)), "oldest_at": min(taken, default=0)}


def _values(page: Any) -> list[Any]:
    return list(page.values()) if isinstance(page, dict) else list(page[1::2])


def server(client: redis.Redis) -> dict[str, str | int]:
    """What the database says of itself; {} where it may not be asked."""
    try:
        info: dict[str, Any] = wire.call(client, "INFO")
    except redis.ResponseError:
        return {}
    return {
        "version": str(info.get("valkey_version") or info.get("redis_version", "")),
        "name": str(info.get("server_name", "redis")),
        "role": str(info.get("role", "")),
        "memory": int(info.get("used_memory", 0)),
        "most_memory": int(info.get("maxmemory", 0)),
        "clients": int(info.get("connected_clients", 0)),
        "up_s": int(info.get("uptime_in_seconds", 0)),
        "log_bytes": int(info.get("aof_current_size", 0)),
    }


def archive(store: Store) -> dict[str, Any]:
    """The size of its file in bytes, 0 where there is none, and from when until when (ms) it has entries."""
    spans = [store.archive.span(lane.value) for lane in Lane]
    there = [span for span in spans if span[1] >= 0]
    size = store.archive_path.stat().st_size if store.archive_path.exists() else 0
    return {
        "bytes": size,
        "oldest_at": min((span[0] for span in there), default=0),
        "newest_at": max((span[1] for span in there), default=0),
        "path": store.archive_path.name,
    }
