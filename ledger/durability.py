"""What a server's settings are worth to the promise that a 2xx is on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import redis

from ledger import wire

_REQUIRED = {
    "appendonly": ("yes", "an acknowledged event is lost when the server dies"),
    "appendfsync": ("always", "up to a second of acknowledged events is lost when the server dies"),
    "maxmemory-policy": ("noeviction", "the server may throw events away when memory runs short"),
}
_OLDEST = (6, 2)
_WAITAOF_SINCE = (7, 2)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the server that matters. `refuse`: with it a promise is broken."""

    level: Literal["refuse", "warn", "unknown"]
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.level}: {self.text}; {self.fix}"


def durability(client: redis.Redis, *, wait_replicas: int = 0) -> list[Finding]:
    """What stands between the server and the promise; empty when nothing does.

    `wait_replicas` as the settings ask for. Raises redis.RedisError when the server is away.
    """
    settings = [_setting(client, name, *wanted) for name, wanted in _REQUIRED.items()]
    try:
        info = wire.call(client, "INFO")
    except redis.ResponseError:
        return [*_some(settings), _forbidden("version and replicas", "INFO", "+info")]
    return _some([*settings, _version(info, wait_replicas), _disk(info), _replicas(info, wait_replicas)])


def _some(findings: list[Finding | None]) -> list[Finding]:
    return [finding for finding in findings if finding is not None]


def _forbidden(what: str, command: str, right: str) -> Finding:
    return Finding(
        "unknown", f"{what} cannot be read: {command} is not permitted", f"check by hand, or permit {right}"
    )


def _setting(client: redis.Redis, name: str, wanted: str, harm: str) -> Finding | None:
    try:
        found = wire.text(client.config_get(name).get(name, ""))
    except redis.ResponseError:  # forbidden by ACL, or taken away by who hosts it
        return _forbidden(f"{name} (needed: {wanted})", "CONFIG GET", "+config|get")
    if found == wanted:
        return None
    return Finding("refuse", f"{name} is {found!r}: {harm}", f"set `{name} {wanted}` on the server")


def _version(info: Mapping[str, Any], wait_replicas: int) -> Finding | None:
    text = str(info.get("redis_version", "0.0"))
    version = tuple(int(part) for part in text.split(".")[:2])
    if version < _OLDEST:
        return Finding("refuse", f"server version {text} is too old", "use Redis 6.2, Valkey 7.2 or newer")
    if wait_replicas and version < _WAITAOF_SINCE:
        return Finding(
            "refuse",
            f"server version {text} has no WAITAOF",
            "use 7.2 or newer, or unset TOCSIN_WAIT_REPLICAS",
        )
    return None


def _disk(info: Mapping[str, Any]) -> Finding | None:
    if info.get("aof_last_write_status", "ok") == "ok":
        return None
    return Finding("refuse", "the server could not write its log lately", "look for a full or failing disk")


def _replicas(info: Mapping[str, Any], wait_replicas: int) -> Finding | None:
    if info.get("role") != "master":
        return Finding("refuse", "the server is a read-only replica", "point TOCSIN_REDIS_URL at its primary")
    count = int(info.get("connected_slaves", 0))
    if count < wait_replicas:
        return Finding(
            "refuse",
            f"{count} replicas follow the server, {wait_replicas} are to be waited for: every append will fail",
            "start them, or lower TOCSIN_WAIT_REPLICAS",
        )
    if count and not wait_replicas:
        return Finding(
            "warn",
            f"{count} replicas follow the server; a failover loses what they had not received yet",
            "set TOCSIN_WAIT_REPLICAS, so that a 202 waits for a replica's disk",
        )
    return None
