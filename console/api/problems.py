"""What is wrong with a request, as RFC 9457 has it, with a hint what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import orjson
from pydantic import ValidationError
from redis.exceptions import RedisError
from starlette.responses import Response

from console.refusals import Clash, Nowhere
from console.trust.guard import Refused
from ledger.archive.database import ArchiveError
from ledger.dead import NotThere
from routing.errors import ConfigError, TocsinError

MEDIA = "application/problem+json"

TITLES = {
    400: "the request cannot be read", 401: "nobody is known by it", 403: "not allowed", 404: "there is no such thing",
    405: "not with this method", 409: "not as things stand", 412: "it has changed meanwhile", 413: "too large",
    415: "not JSON", 422: "it makes no sense", 429: "too many", 500: "it failed", 503: "the database does not answer",
}  # fmt: skip


class Problem(Exception):
    """`errors`: {"where", "what"} of each fault of a body or of the query."""

    def __init__(
        self,
        status: int,
        detail: str,
        hint: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.hint = hint
        self.errors = errors
        self.headers = dict(headers or {})

    def facts(self) -> dict[str, Any]:
        return {
            "type": "about:blank", "title": TITLES[self.status], "status": self.status, "detail": self.detail,
            "hint": self.hint, "errors": list(self.errors),
        }  # fmt: skip

    def response(self) -> Response:
        headers = {"cache-control": "no-store", **self.headers}
        return Response(orjson.dumps(self.facts()), self.status, headers, MEDIA)


def invalid(where: str, error: ValidationError) -> Problem:
    """All faults of a body or of the query at once. What was sent is not repeated: it may be a secret."""
    faults = [
        {"where": ".".join((where, *map(str, fault["loc"]))), "what": fault["msg"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = f"{faults[0]['where']}: {faults[0]['what']}"
    return Problem(422, first, "see /api/v1/openapi.json for what it takes", faults)


def problem_of(error: Exception) -> Problem | None:
    """What one of our own errors is to a program; None for a fault of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        return Problem(error.status, error.reason, error.hint)
    if isinstance(error, RedisError | OSError | ArchiveError):
        return Problem(
            503, "the store does not answer", "try again in a moment", headers={"retry-after": "2"}
        )
    status = _status(error)
    return _said(status, str(error)) if status else None


def _status(error: Exception) -> int:
    if isinstance(error, Nowhere | NotThere):
        return 404
    if isinstance(error, click.UsageError | ConfigError):
        return 422
    if isinstance(error, Clash | click.ClickException | TocsinError):
        return 409
    return 0


def _said(status: int, message: str) -> Problem:
    """Our messages say what is wrong, then what to do, in that order."""
    detail, _, hint = message.partition("; ")
    return Problem(status, detail, hint)
