"""Waiting for replicas: what was written is on their disks too before anybody is told so."""

from collections.abc import Sequence
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import NoScriptError, ResponseError

from ledger.script import Script
from ledger.wire import Argument
from routing.errors import TocsinError

WAIT_MS = 1_000
"""For their answer, and once more for their disks."""


class NotDurable(TocsinError):
    """Written here, but not confirmed by as many replicas as the settings ask for."""


def run(
    script: Script, client: redis.Redis, keys: Sequence[str], arguments: Sequence[Argument], replicas: int
) -> Any:
    """Run a script and wait until `replicas` of them have it on disk. Raises NotDurable, redis.RedisError."""
    if not replicas:
        return script.run(client, keys, arguments)
    for command in _both(script):
        # The same connection, or the server would not know what there is to wait for.
        pipe = client.pipeline(transaction=False)
        for each in ((*command, len(keys), *keys, *arguments), *_waits(replicas)):
            pipe.execute_command(*each)  # type: ignore[no-untyped-call]  # untyped in redis-py
        replies = pipe.execute(raise_on_error=False)
        if not isinstance(replies[0], NoScriptError):
            break
    return _checked(replies, replicas)


async def run_async(
    script: Script,
    client: redis.asyncio.Redis,
    keys: Sequence[str],
    arguments: Sequence[Argument],
    replicas: int,
) -> Any:
    """As `run`."""
    if not replicas:
        return await script.run_async(client, keys, arguments)
    for command in _both(script):
        pipe = client.pipeline(transaction=False)
        for each in ((*command, len(keys), *keys, *arguments), *_waits(replicas)):
            pipe.execute_command(*each)
        replies = await pipe.execute(raise_on_error=False)
        if not isinstance(replies[0], NoScriptError):
            break
    return _checked(replies, replicas)


def _waits(replicas: int) -> tuple[tuple[Argument, ...], ...]:
    """A replica answers before it has written, and then only once a second: so it is asked twice."""
    return ("WAIT", replicas, WAIT_MS), ("WAITAOF", 1, replicas, WAIT_MS)


def _both(script: Script) -> tuple[tuple[Argument, Argument], ...]:
    return ("EVALSHA", script.sha), ("EVAL", script.text)


def _checked(replies: Sequence[Any], wanted: int) -> Any:
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise reply
    confirmed = int(replies[-1][1])
    if confirmed < wanted:
        raise NotDurable(
            f"{confirmed} of {wanted} replicas confirmed within {WAIT_MS} ms; "
            "check the replicas, or lower TOCSIN_WAIT_REPLICAS"
        )
    return replies[0]
