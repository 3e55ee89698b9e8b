"""`/healthz`: this process is alive. `/readyz`: what it answers 202 to will be kept; if not, why."""

import asyncio
from dataclasses import dataclass

from redis.exceptions import RedisError
from starlette.requests import Request as WebRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from receiver import inside
from receiver.mail import mailboxes
from receiver.site import Site

_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    site: Site

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
        gates, durable = self.site.gates, self.site.durable
        reasons = [] if gates.version else [gates.fault or "no policy has been published"]
        unset = gates.unset()
        warnings = [f"sources cannot verify: {', '.join(unset)} not set"] if unset else []
        warnings += [f"no module for vendor {vendor!r}: update this receiver" for vendor in gates.strange]
        warnings += self._of_mail()
        try:
            async with asyncio.timeout(_WAIT_S):
                await self.site.client.ping()
        except (RedisError, OSError, TimeoutError) as error:
            return [*reasons, f"Redis does not answer: {type(error).__name__}"], warnings
        if not durable.known:
            reasons.append("it is not known yet whether the server keeps what it is given")
        return [*reasons, *durable.broken()], [*warnings, *durable.warnings()]

    def _of_mail(self) -> list[str]:
        if self.site.settings.mail_port and not mailboxes.domain(self.site):
            return ["no mail is taken: neither TOCSIN_MAIL_DOMAIN nor a public address is set"]
        return [self.site.mail_fault] if self.site.mail_fault else []
