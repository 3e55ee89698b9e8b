"""A request to an address that the operator wrote down, and what its answer must be like.

What a payload had a hand in may fill paths, queries and bodies, and never the host; no redirect is followed.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from routing.entry import Outcome
from routing.errors import ActionError
from routing.language import expressions
from routing.language.expressions import BadExpression
from routing.ports import Step
from workers import http, redaction
from workers.addresses import Guard
from workers.answer import Answer, Call, HttpError

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
BASE: Final = r"^(https?://[^/?#\\\s@]+)?$"
"""Scheme, host and port; nothing that a path could turn into another host."""
_MAX_TEXT: Final = 2_000
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "upgrade"})
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LEADS_AWAY: Final = re.compile(r"[\\\x00-\x20\x7f]|(^|/)(\.|%2e){1,2}(/|\?|#|$)", re.IGNORECASE)


def _path(path: str) -> str:
    if not path.startswith("/") or _LEADS_AWAY.search(path.partition("?")[0]):
        raise ValueError("a path begins with / and has no .., backslashes, spaces or control characters")
    return path


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"{name!r} is no header to be set here")
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"the header {name} has a value that cannot be sent")
    return headers


def _condition(text: str) -> str:
    if text:
        try:
            expressions.compiled(text)
        except BadExpression as error:
            raise ValueError(str(error)) from error
    return text


Path = Annotated[str, AfterValidator(_path)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Expected = Annotated[str, AfterValidator(_condition)]


class Asked(BaseModel):
    """`expect_status` []: any 2xx. `expect`: a JMESPath condition over `status`, `ms`, `headers` and `json`.

    `max_ms` 0: however slow. At most one of `json` and `form`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    method: Method = "GET"
    query: dict[str, str] = {}
    headers: Headers = {}
    body: Any = Field(default=None, alias="json")
    form: dict[str, str] | None = None
    expect_status: list[int] = Field(default=[], max_length=20)
    expect: Expected = ""
    max_ms: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.body is not None and self.form is not None:
            raise ValueError("write json or form, and not both")
        return self


def send(step: Step, url: str, asked: Asked, *, mutates: bool, extra: Mapping[str, str]) -> dict[str, Any]:
    """{"ok", "status", "ms", "json", "text"}; `text` where the answer is no JSON, its beginning.

    Raises ActionError when there is no answer, or not the one that was expected.
    """
    call = Call(
        method=asked.method,
        url=url,
        mutates=mutates,
        timeout_s=step.timeout_s,
        query=asked.query,
        form=asked.form,
        json=asked.body,
        headers={**asked.headers, **extra},
        guard=Guard(allow_private=step.settings.get("allow_private") == "true"),
    )
    try:
        answer = http.call(call)
    except HttpError as error:
        raise ActionError(str(error), outcome=error.outcome) from error
    found = _told(answer)
    ailment = _ailment(answer, found, asked)
    if ailment:
        raise ActionError(ailment, outcome=_meaning(answer), retry_after_ms=answer.retry_after_ms)
    return found


def _told(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ok": True,
        "status": answer.status,
        "ms": answer.took_ms,
        "json": None,
        "text": "",
    }
    try:
        return {**told, "json": answer.json()}
    except HttpError:
        return {**told, "text": answer.body[: 4 * _MAX_TEXT].decode(errors="replace")[:_MAX_TEXT]}


def _ailment(answer: Answer, found: dict[str, Any], asked: Asked) -> str:
    """What is not as expected; "" when all is."""
    well = answer.status in asked.expect_status if asked.expect_status else answer.ok
    if not well:
        wanted = ", ".join(map(str, asked.expect_status)) or "2xx"
        return f"{answer}, expected {wanted}{_moved(answer)}"
    if asked.max_ms and answer.took_ms > asked.max_ms:
        return f"{answer} after {answer.took_ms} ms, more than {asked.max_ms}"
    try:
        if asked.expect and not expressions.holds(asked.expect, {**found, "headers": dict(answer.headers)}):
            return f"{answer}, and {asked.expect!r} does not hold"
    except BadExpression as error:
        return f"{answer}, and {error}"
    return ""


def _moved(answer: Answer) -> str:
    leads = redaction.text(answer.headers.get("location", ""))[:200]
    return f"; it leads to {leads}, which is not followed" if leads else ""


def _meaning(answer: Answer) -> Outcome:
    """An answer that came and is not as expected is not cured by asking again, unless its status says so."""
    return Outcome.PERMANENT if answer.outcome is Outcome.OK else answer.outcome
