"""Whether the server keeps what it is given. Asked again and again: a setting may change, a server be replaced."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog
from redis.exceptions import RedisError

from ledger.connection import Finding
from receiver import refuse
from receiver.keep import Keep

_log = structlog.get_logger(__name__)
_FRESH_S = 10.0
_LOOK_S = 0.5


@dataclass(slots=True)
class Durable:
    """`inspect` asks the server for its settings, and blocks. `allow_weak`: take events in all the same."""

    inspect: Callable[[], Sequence[Finding]]
    keep: Keep
    allow_weak: bool = False
    findings: list[Finding] = field(default_factory=list)
    _failed_then: int = -1
    _looked_at: float = field(default=float("-inf"))

    @property
    def known(self) -> bool:
        """Not before the first look, nor after a failed append: it may be another server that comes back."""
        return self.keep.failed == self._failed_then

    def insist(self) -> None:
        """Raises Refused (503): a 202 would be a promise that nobody can be sure of."""
        if not self.known:
            raise refuse.not_durable()
        if self.broken():
            raise refuse.weak_store()

    def broken(self) -> list[str]:
        """Findings that break the promise, unless that was allowed."""
        return [] if self.allow_weak else self._texts("refuse")

    def warnings(self) -> list[str]:
        return [
            *(self._texts("refuse") if self.allow_weak else ()),
            *self._texts("warn"),
            *self._texts("unknown"),
        ]

    async def look(self) -> None:
        """Raises redis.RedisError or OSError; then what was known stays known."""
        failed = self.keep.failed
        found = list(await asyncio.to_thread(self.inspect))
        if found != self.findings:
            _log.warning("what the server's settings mean", findings=[str(finding) for finding in found])
        self.findings, self._failed_then, self._looked_at = found, failed, monotonic()

    async def keep_looking(self) -> None:
        while True:
            if not self.known or monotonic() - self._looked_at > _FRESH_S:
                try:
                    await self.look()
                except (RedisError, OSError) as error:
                    _log.debug("the server's settings could not be read", error=type(error).__name__)
            await asyncio.sleep(_LOOK_S)

    def _texts(self, level: str) -> list[str]:
        return [f"{finding.text}; {finding.fix}" for finding in self.findings if finding.level == level]
