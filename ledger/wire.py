"""The client library, where its type hints end: the one place that is not checked."""

from contextlib import suppress
from typing import Any

import redis
import redis.asyncio
from hiredis import pack_command
from redis.client import Pipeline
from redis.exceptions import ExecAbortError, ResponseError

Argument = bytes | str | int | float


def call(client: redis.Redis, *command: Argument) -> Any:
    """Carry out one command. Raises redis.RedisError."""
    return client.execute_command(*command)  # type: ignore[no-untyped-call]  # untyped in redis-py


async def call_async(client: redis.asyncio.Redis, *command: Argument) -> Any:
    """Carry out one command. Raises redis.RedisError.

    The asynchronous client packs in Python, argument by argument, and wraps each command in layers we have
    no use for: together twice the cost of a whole batch of events. So it is packed in C and sent directly.
    """
    pool = client.connection_pool
    connection = await pool.get_connection()  # type: ignore[no-untyped-call]  # untyped in redis-py
    try:
        packed = pack_command(command)  # type: ignore[arg-type]  # its hint says a tuple of one
        await connection.send_packed_command(packed)
        return await connection.read_response()
    finally:
        await pool.release(connection)


def queue(pipe: Pipeline, *command: Argument) -> None:
    """Add one command to a pipeline."""
    pipe.execute_command(*command)  # type: ignore[no-untyped-call]  # untyped in redis-py


def watch(pipe: Pipeline, key: str) -> bytes | None:
    """From here on the pipeline's transaction fails if the key changes; returns its value of now."""
    pipe.watch(key)  # type: ignore[no-untyped-call]  # untyped in redis-py
    found: Any = pipe.get(key)
    pipe.multi()
    return bytes(found) if found is not None else None


def send(pipe: Pipeline) -> None:
    """Send the transaction of a pipeline that watches; `settle` waits for its answer. Raises redis.RedisError.

    The client library packs it argument by argument, and sends it in pieces of 6 KB: together half of a commit.
    """
    commands = ("MULTI",), *(command for command, _ in pipe.command_stack), ("EXEC",)
    try:
        packed = b"".join([pack_command(command) for command in commands])
    except TypeError as error:
        raise redis.DataError(str(error)) from error
    _connection(pipe).send_packed_command([packed])


def settle(pipe: Pipeline) -> bool:
    """Wait until what was sent is carried out; False when a watched key had changed, and nothing was.

    Raises redis.RedisError: of a ResponseError it is known that it is the server's word on a command.
    """
    connection, refused = _connection(pipe), None
    for _ in range(1 + len(pipe.command_stack)):
        try:
            connection.read_response()  # "OK" to MULTI, "QUEUED" to each command, or why not
        except ResponseError as error:
            refused = refused or error
    try:
        replies = connection.read_response()
    except ExecAbortError as error:
        raise refused or error from None
    pipe.watching = False
    for reply in replies or ():
        if isinstance(reply, ResponseError):
            raise reply
    return replies is not None


def hang_up(pipe: Pipeline) -> None:
    """Close the pipeline's connection: a reply under way would be taken for the next command's."""
    pipe.watching = False
    with suppress(redis.RedisError, OSError):
        if pipe.connection is not None:
            _connection(pipe).disconnect()


def _connection(pipe: Pipeline) -> Any:
    return pipe.connection


def text(value: Any) -> str:
    """What the server calls a string."""
    return value.decode() if isinstance(value, bytes) else str(value)
