"""The console as an ASGI application: every page and every API route, found by name, behind the same doors."""

import asyncio
import importlib
import pkgutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import ModuleType

import click
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from console.serving.doors import Doors
from console.serving.failures import failed
from console.serving.packing import Packing
from console.serving.site import Site
from routing.errors import TocsinError

FAILURES = (TocsinError, ValueError, click.ClickException, HTTPException, RedisError, OSError, Exception)
PARTS = ("console.pages", "console.api")
"""Packages whose modules bring routes: a module's `ROUTES`."""


def build(site: Site) -> Starlette:
    app = Starlette(
        routes=routes(),
        exception_handlers=dict.fromkeys(FAILURES, failed),
        middleware=[Middleware(Doors), Middleware(Packing)],
        lifespan=lambda _: _running(site),
    )
    app.state.site = site
    return app


@asynccontextmanager
async def _running(site: Site) -> AsyncIterator[None]:
    watching = asyncio.create_task(site.live.run())
    try:
        yield
    finally:
        site.live.close()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await site.live.client.aclose()
        site.client.close()


def routes() -> list[BaseRoute]:
    """Every route of the console, whatever serves it."""
    return [route for module in modules() for route in getattr(module, "ROUTES", ())]


def modules() -> Iterator[ModuleType]:
    """The modules of pages and of the API, by name."""
    for part in PARTS:
        try:
            package = importlib.import_module(part)
        except ModuleNotFoundError as error:
            if error.name != part:
                raise
            continue
        for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
            yield importlib.import_module(f"{part}.{found.name}")
