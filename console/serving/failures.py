"""What is answered when a request cannot be served: the same facts as a page, or as problem+json for programs."""

import structlog
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.trust.guard import Refused, TooMany, Unknown

API = "/api/"
_log = structlog.get_logger(__name__)


async def failed(request: Request, error: Exception) -> Response:  # noqa: ARG001  # pages will look at it
    status, what, hint = _facts(error)
    return problem(status, what, hint, _headers(error))


def problem(status: int, what: str, hint: str, headers: dict[str, str]) -> Response:
    """RFC 9457."""
    body = {"type": "about:blank", "title": what, "status": status, "hint": hint}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def _facts(error: Exception) -> tuple[int, str, str]:
    """Status, what is wrong, what to do."""
    if isinstance(error, Refused):
        return error.status, error.reason, error.hint
    if isinstance(error, HTTPException):
        return error.status_code, error.detail, ""
    if isinstance(error, RedisError | OSError):
        _log.warning("a page could not be served", error=type(error).__name__)
        return 503, "the database does not answer", "paging goes on without this page; look again in a moment"
    return 500, "this page failed", "it is in the log; the command line reads the same"


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, TooMany):
        return {"retry-after": str(error.retry_after_s)}
    if isinstance(error, RedisError | OSError):
        return {"retry-after": "2"}
    return {"www-authenticate": "Bearer"} if isinstance(error, Unknown) else {}
