"""Connections to the server, embedded or by URL."""

from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from ledger.durability import Finding, durability
from ledger.settings import LedgerSettings
from ledger.socket_path import socket_of

__all__ = ["Finding", "connect", "connect_async", "durability", "url_of"]

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
