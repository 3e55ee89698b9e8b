"""The ASGI application: what must be fast by hand, everything else by Starlette."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ledger import catalogue
from receiver import refuse, rehearsing, telling
from receiver.ack_links import AckLinks
from receiver.alertmanager.routes import AlertmanagerApi
from receiver.alerts_api import PATH as ALERTS
from receiver.alerts_api import AlertsApi
from receiver.door import GatedDoor
from receiver.events_api import PATHS as EVENTS
from receiver.events_api import EventsApi
from receiver.genie_api import GenieApi
from receiver.health import Health
from receiver.hooks import PREFIX, Hooks
from receiver.metrics import Metrics
from receiver.refuse import Refused
from receiver.site import Site
from receiver.status_page import StatusPage
from receiver.take import headers_of

if TYPE_CHECKING:  # see _mail
    from receiver.mail.server import MailServer

_log = structlog.get_logger(__name__)


class Application:
    """ASGI, and `straight` for what need not come by it."""

    def __init__(self, site: Site) -> None:
        self._hooks, self._alerts = Hooks(site), AlertsApi(site)
        self._events, self._genie = EventsApi(site), GenieApi(site)
        self._status, self._pages = StatusPage(site), _pages(site)

    def straight(self, path: str) -> GatedDoor | None:
        """The door at which a POST that came whole is taken in at once."""
        if path.startswith(PREFIX):
            return self._hooks
        return self._alerts if path == ALERTS else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._served_by(scope)(scope, receive, send)

    def _served_by(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http":
            return self._pages
        path = scope["path"]
        if path.startswith(PREFIX):
            return self._hooks
        if path == ALERTS and scope["method"] == "POST":
            return self._alerts
        if path in EVENTS:
            return self._events
        if self._genie.serves(path):
            return self._genie
        return self._status if self._status.serves(path) else self._pages


def build(site: Site) -> Application:
    return Application(site)


def _pages(site: Site) -> Starlette:
    called_back = [route for name in catalogue.callbacks() for route in catalogue.callback(name).routes(site)]
    groups = (AckLinks(site), Health(site), Metrics(site), AlertmanagerApi(site))

    async def refused(request: Request, error: Exception) -> Response:
        refusal = _refusal(error)
        site.refused("", refusal, headers_of(request.scope))
        site.counts.answers["pages", "", refusal.status] += 1
        return Response(refusal.body(), refusal.status, headers=dict(refusal.headers()))

    return Starlette(
        routes=[*called_back, *(route for group in groups for route in group.routes())],
        exception_handlers=dict.fromkeys((Refused, HTTPException, RedisError, OSError, Exception), refused),
        lifespan=lambda _: _running(site),
    )


def _refusal(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        allowed = (error.headers or {}).get("Allow", "POST").split(", ")
        return refuse.wrong_method(allowed) if error.status_code == 405 else refuse.unknown_page()  # noqa: PLR2004
    if isinstance(error, RedisError | OSError):
        _log.warning("a page could not be served", error=type(error).__name__)
        return refuse.not_durable()
    return refuse.fault()  # the server logs it, and Sentry hears of it


def _running(site: Site) -> AbstractAsyncContextManager[None]:
    return asynccontextmanager(_life)(site)


def _mail(site: Site) -> "MailServer | None":
    """Where the environment says that mail is taken; its library is loaded nowhere else."""
    if not site.settings.mail_port:
        return None
    try:
        from receiver.mail.server import MailServer  # noqa: PLC0415
    except ImportError:
        site.mail_fault = "no mail is taken: install tocsin[mail]"
        _log.error("mail cannot be taken: install tocsin[mail]")
        return None
    return MailServer(site)


async def _life(site: Site) -> AsyncIterator[None]:
    """Five tasks beside the requests. At the end, what was taken is still written."""
    with suppress(RedisError, OSError):
        await site.durable.look()
    writing = asyncio.create_task(site.keep.run())
    beside = [
        asyncio.create_task(site.gates.keep_fresh()),
        asyncio.create_task(site.durable.keep_looking()),
        asyncio.create_task(telling.keep_telling(site)),
        asyncio.create_task(rehearsing.keep_rehearsing(site)),
    ]
    mail = _mail(site)
    if mail is not None:
        mail.start()
    try:
        yield
    finally:
        if mail is not None:
            await asyncio.to_thread(mail.stop)
        site.keep.close()
        await writing
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await site.client.aclose()
