"""Lua scripts: what must happen at the server in one piece. Their text is in `ledger/scripts/`."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
from redis.client import Pipeline
from redis.exceptions import NoScriptError

from ledger import wire
from ledger.wire import Argument

_ROOM = Path(__file__).parent / "scripts"


class Script:
    """One script. A server that restarted has forgotten it; then its text is sent again, once."""

    def __init__(self, name: str) -> None:
        self.text = (_ROOM / f"{name}.lua").read_bytes()
        self.sha = hashlib.sha1(self.text, usedforsecurity=False).hexdigest()

    def run(self, client: redis.Redis, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Raises redis.RedisError; on a connection error it is unknown whether the script ran."""
        try:
            return wire.call(client, "EVALSHA", self.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return wire.call(client, "EVAL", self.text, len(keys), *keys, *arguments)

    async def run_async(
        self, client: redis.asyncio.Redis, keys: Sequence[str], arguments: Sequence[Argument]
    ) -> Any:
        """As `run`."""
        try:
            return await wire.call_async(client, "EVALSHA", self.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return await wire.call_async(client, "EVAL", self.text, len(keys), *keys, *arguments)

    def queue(self, pipe: Pipeline, keys: Sequence[str], arguments: Sequence[Argument]) -> None:
        """On a pipeline, by its text: there nobody could send it again."""
        wire.queue(pipe, "EVAL", self.text, len(keys), *keys, *arguments)
