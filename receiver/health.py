"""`/healthz`: this process is alive. `/readyz`: what it answers 202 to will be kept; if not, why."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError
from starlette.requests import Request as WebRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from ledger.connection import Finding
from receiver import inside
from receiver.site import Site

_log = structlog.get_logger(__name__)
_WAIT_S = 2.0
_FRESH_MS = 10_000


@dataclass(slots=True)
class Health:
    """`inspect` asks the server for its durability settings; its answer is good for ten seconds."""

    site: Site
    inspect: Callable[[], Sequence[Finding]]
    _findings: Sequence[Finding] = ()
    _looked_at: int = field(default=-_FRESH_MS)

    def routes(self) -> list[Route]:
        return [Route("/healthz", self.alive, methods=["GET"]), Route("/readyz", self.ready, methods=["GET"])]

    async def alive(self, _: WebRequest) -> JSONResponse:
        return JSONResponse({"alive": True})

    async def ready(self, request: WebRequest) -> JSONResponse:
        inside.admit(self.site, request)
        reasons, warnings = await self.judge()
        status = 503 if reasons else 200
        headers = {"cache-control": "no-store", **({"retry-after": "5"} if reasons else {})}
        return JSONResponse(
            {"ready": not reasons, "reasons": reasons, "warnings": warnings}, status, headers=headers
        )

    async def judge(self) -> tuple[list[str], list[str]]:
        """What keeps it from being ready, and what the operator should know besides."""
        gates = self.site.gates
        reasons = [] if gates.version else [gates.fault or "no policy has been published"]
        unset = gates.unset()
        warnings = [f"sources cannot verify: {', '.join(unset)} not set"] if unset else []
        warnings += [f"no module for vendor {vendor!r}: update this receiver" for vendor in gates.strange]
        try:
            async with asyncio.timeout(_WAIT_S):
                findings = await self._durability()
        except (RedisError, OSError, TimeoutError) as error:
            return [*reasons, f"Redis does not answer: {type(error).__name__}"], warnings
        for finding in findings:
            broken = finding.level == "refuse" and not self.site.settings.ledger.allow_weak
            (reasons if broken else warnings).append(f"{finding.text}; {finding.fix}")
        return reasons, warnings

    async def _durability(self) -> Sequence[Finding]:
        await self.site.client.ping()
        if self.site.now() - self._looked_at >= _FRESH_MS:
            self._findings = await asyncio.to_thread(self.inspect)
            self._looked_at = self.site.now()
        return self._findings
