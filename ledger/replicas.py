"""Waiting for replicas: what was written is on their disks too before anybody is told so."""

from collections.abc import Sequence
from typing import Any

import redis
import redis.asyncio
from redis.exceptions import NoScriptError, ResponseError

from ledger.script import Script
from ledger.wire import Argument
from routing.errors import TocsinError

WAIT_MS = 2_000


class NotDurable(TocsinError):
    """Written here, but not confirmed by as many replicas as the settings ask for."""


def run(
    script: Script, client: redis.Redis, keys: Sequence[str], arguments: Sequence[Argument], replicas: int
) -> Any:
    """Run a script and wait until `replicas` of them have it on disk. Raises NotDurable, redis.RedisError."""
    if not replicas:
        return script.run(client, keys, arguments)
    # The same connection, or the server would not know what there is to wait for.
    for command in _both(script):
        pipe = client.pipeline(transaction=False)
        pipe.execute_command(*command, len(keys), *keys, *arguments)  # type: ignore[no-untyped-call]
        pipe.execute_command("WAITAOF", 1, replicas, WAIT_MS)  # type: ignore[no-untyped-call]
        reply, confirmed = pipe.execute(raise_on_error=False)
        if not isinstance(reply, NoScriptError):
            return _checked(reply, confirmed, replicas)
    raise reply


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
        pipe.execute_command(*command, len(keys), *keys, *arguments)
        pipe.execute_command("WAITAOF", 1, replicas, WAIT_MS)
        reply, confirmed = await pipe.execute(raise_on_error=False)
        if not isinstance(reply, NoScriptError):
            return _checked(reply, confirmed, replicas)
    raise reply


def _both(script: Script) -> tuple[tuple[Argument, Argument], ...]:
    return ("EVALSHA", script.sha), ("EVAL", script.text)


def _checked(reply: Any, confirmed: Any, wanted: int) -> Any:
    for answer in (reply, confirmed):
        if isinstance(answer, ResponseError):
            raise answer
    if int(confirmed[1]) < wanted:
        raise NotDurable(
            f"{int(confirmed[1])} of {wanted} replicas confirmed within {WAIT_MS} ms; "
            "check the replicas, or lower TOCSIN_WAIT_REPLICAS"
        )
    return reply
