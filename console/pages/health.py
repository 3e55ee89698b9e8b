"""Whether the process answers: for who starts it, and for what watches it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.serving.site import site_of
from console.trust.acts import Act
from console.trust.guard import guarded


async def alive(request: Request) -> Response:  # noqa: ARG001  # it asks for nothing
    return JSONResponse({"ok": True})


async def ready(request: Request) -> Response:
    """503 when the database does not answer."""
    site = site_of(request)
    await site.read(site.client.ping)
    return JSONResponse({"ok": True})


ROUTES = [
    Route("/healthz", guarded(Act.PUBLIC, alive)),
    Route("/readyz", guarded(Act.PUBLIC, ready)),
]
