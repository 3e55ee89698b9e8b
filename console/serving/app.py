"""The console as an ASGI application: every page and every API route, found by name, behind the same doors."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from console.serving.failures import failed
from console.serving.site import Site
from console.trust.guard import Refused

PARTS = ("console.pages", "console.api")
"""Packages whose modules bring routes: a module's `ROUTES`."""


def build(site: Site) -> Starlette:
    app = Starlette(
        routes=routes(),
        exception_handlers=dict.fromkeys((Refused, HTTPException, RedisError, OSError, Exception), failed),
    )
    app.state.site = site
    return app


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
