"""What is answered when a request cannot be served: the same facts as a page, or as problem+json for programs."""

from urllib.parse import quote, urlsplit

import click
import structlog
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from console.serving import view
from console.serving.rendering import written
from console.serving.view import NotFound
from console.trust.actor import bearer_of
from console.trust.guard import Refused, TooMany, Unknown
from routing.errors import TocsinError

API = "/api/"
_log = structlog.get_logger(__name__)


async def failed(request: Request, error: Exception) -> Response:
    status, what, hint = _facts(error)
    headers = _headers(error)
    if _is_program(request):
        return problem(status, what, hint, headers)
    if isinstance(error, Unknown) and request.method == "GET":
        return _to_the_door(request)
    if isinstance(error, HTTPException) and status == 404:  # noqa: PLR2004
        what, hint = "there is no such page", "check its address; what there is stands in the navigation"
    if isinstance(error, RedisError | OSError):
        return HTMLResponse(_bare(what, hint), status, headers)
    found = await view.answer(
        request, "problem.html", {"what": what, "hint": hint, "back": _back(request)}, status
    )
    found.headers.update(headers)
    return found


def problem(status: int, what: str, hint: str, headers: dict[str, str]) -> Response:
    """RFC 9457."""
    body = {"type": "about:blank", "title": what, "status": status, "hint": hint}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def _is_program(request: Request) -> bool:
    return (
        request.url.path.startswith((API, "/live", "/healthz", "/readyz")) or bearer_of(request) is not None
    )


def _to_the_door(request: Request) -> Response:
    """Whoever comes from a mail or a chat sends no cookie, as it is SameSite=Strict: look again from our own page."""
    if request.headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
        return HTMLResponse(written("bounce.html", {"url": _whole(request)}))
    path = _whole(request)
    return RedirectResponse(f"/login?next={quote(path)}" if path != "/" else "/login", 303)


def _whole(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _back(request: Request) -> str:
    """The page an act was done from: the nearest address that can be looked at."""
    if request.method == "GET":
        return "/"
    came = urlsplit(request.headers.get("hx-current-url", "")).path
    return (
        came
        if came.startswith("/") and not came.startswith("//")
        else request.url.path.rpartition("/")[0] or "/"
    )


def _bare(what: str, hint: str) -> str:
    facts = {"actor": None, "who": "", "topics": (), "version": "", "url": "/", "now": 0, "nav": ()}
    return written("problem.html", {**facts, "what": what, "hint": hint, "back": "/"})


def _facts(error: Exception) -> tuple[int, str, str]:
    """Status, what is wrong, what to do."""
    if isinstance(error, Refused):
        return error.status, error.reason, error.hint
    if isinstance(error, HTTPException):
        return error.status_code, error.detail, ""
    if isinstance(error, click.ClickException):
        return 404 if isinstance(error, NotFound) else 422, error.message, ""
    if isinstance(error, TocsinError | ValueError):
        return 422, str(error), ""
    if isinstance(error, RedisError | OSError):
        _log.warning("a page could not be served", error=type(error).__name__)
        return 503, "the database does not answer", "paging goes on without this page; look again in a moment"
    return 500, "this page failed", "it is in the console's log; the command line reads the same"


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, TooMany):
        return {"retry-after": str(error.retry_after_s)}
    if isinstance(error, RedisError | OSError):
        return {"retry-after": "2"}
    return {"www-authenticate": "Bearer"} if isinstance(error, Unknown) else {}
