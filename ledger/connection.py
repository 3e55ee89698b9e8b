"""Connections to the server, and what its settings are worth to the promises we make."""

from dataclasses import dataclass
from typing import Any, Literal

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from ledger.settings import LedgerSettings
from ledger.socket_path import socket_of

CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 10.0
"""Longest wait for an answer; blocking reads must ask for less."""


def url_of(settings: LedgerSettings) -> str:
    """The URL to connect to. It may hold a password: do not print it."""
    return settings.redis_url or f"unix://{socket_of(settings.data_dir)}"


def connect(settings: LedgerSettings, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> redis.Redis:
    """Nothing is sent until the first command. Raises ValueError when the URL cannot be read.

    The client never re-sends a command by itself: after a broken connection it is unknown whether the
    command was carried out, and only the caller knows whether doing it twice is harmless.
    """
    return redis.Redis.from_url(url_of(settings), retry=Retry(NoBackoff(), 0), **_options(answer_timeout_s))


def connect_async(
    settings: LedgerSettings, *, answer_timeout_s: float = ANSWER_TIMEOUT_S
) -> redis.asyncio.Redis:
    """As `connect`."""
    return redis.asyncio.Redis.from_url(
        url_of(settings), retry=AsyncRetry(NoBackoff(), 0), **_options(answer_timeout_s)
    )


def _options(answer_timeout_s: float) -> dict[str, Any]:
    return {
        "decode_responses": False,
        "protocol": 2,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": answer_timeout_s,
    }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the server that matters for durability. `refuse`: a promise is broken by it."""

    level: Literal["refuse", "warn", "unknown"]
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.level}: {self.text}; {self.fix}"


_REQUIRED = {
    "appendonly": ("yes", "an acknowledged event is lost when the server dies"),
    "appendfsync": ("always", "up to a second of acknowledged events is lost when the server dies"),
    "maxmemory-policy": ("noeviction", "the server may throw events away when memory runs short"),
}
_OLDEST = (6, 2)


def durability(client: redis.Redis) -> list[Finding]:
    """What keeps the server from our promise that a 2xx is on disk. Raises redis.RedisError."""
    findings = [*_version(client)]
    for name, (wanted, harm) in _REQUIRED.items():
        findings += _setting(client, name, wanted, harm)
    return findings + _replicas(client)


def _setting(client: redis.Redis, name: str, wanted: str, harm: str) -> list[Finding]:
    try:
        found = client.config_get(name).get(name)
    except redis.ResponseError:  # forbidden by ACL, or renamed away by the hoster
        return [
            Finding(
                "unknown",
                f"{name} cannot be read: CONFIG GET is not permitted",
                f"make sure that it is {wanted!r}, or permit +config|get to this user",
            )
        ]
    value = found.decode() if isinstance(found, bytes) else str(found)
    if value == wanted:
        return []
    return [Finding("refuse", f"{name} is {value!r}: {harm}", f"set `{name} {wanted}` on the server")]


def _version(client: redis.Redis) -> list[Finding]:
    info = client.info("server")
    text = str(info.get("redis_version", "0.0"))
    version = tuple(int(part) for part in text.split(".")[:2])
    if version >= _OLDEST:
        return []
    return [Finding("refuse", f"server version {text} is too old", "use Redis 6.2, Valkey 7.2 or newer")]


def _replicas(client: redis.Redis) -> list[Finding]:
    info = client.info("replication")
    if info.get("role") not in {"master", b"master"}:
        return [
            Finding("refuse", "the server is a read-only replica", "point TOCSIN_REDIS_URL at its primary")
        ]
    count = int(info.get("connected_slaves", 0))
    if not count:
        return []
    return [
        Finding(
            "warn",
            f"{count} replica(s) follow this server; a failover may lose what they have not received yet",
            "set TOCSIN_WAIT_REPLICAS so that a 202 waits for a replica's disk",
        )
    ]
