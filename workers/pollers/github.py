"""GitHub: deliveries of our webhook that failed, which GitHub does not repeat, and a hook that is not active.

The payload of each is fetched and taken in here, so that nothing but reading is asked of the token. Whoever has GitHub
deliver it again (*Redeliver*) sends the same body, which is known. Deliveries are listed for three days. Sources:
docs.github.com/en/rest/repos/webhooks, /en/rest/using-the-rest-api/rate-limits-for-the-rest-api.
"""

import re
from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import orjson
from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import DAY, MINUTE
from routing.ports import Missed, Page, Step, Window
from routing.schema.fitting import SURE
from workers import http, redaction
from workers.answer import Answer, Call, HttpError
from workers.polling import Polling, number, text

TITLE = "GitHub"
GRACE_MS = 2 * MINUTE
OVERLAP_MS = 10 * MINUTE
FIRST_MS = DAY
BASE_URL = "https://api.github.com"
_LIMIT = 50
_LARGEST = 26_214_400
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_NOT_FOUND = 404
_REFUSALS = frozenset({403, 429})

_ADVICE = {
    401: "check GITHUB_TOKEN",
    403: "the token may not read this hook: give it read access to webhooks",
    404: "check repository or organization and hook in poll, and that the token may read webhooks",
}


class Settings(Polling):
    token: SecretStr = Field(description="a fine-grained token that may read webhooks")
    hook: int = Field(ge=1, description="the webhook's number, the last part of its page's address")
    repository: str = Field(
        default="", pattern=r"^([\w.-]+/[\w.-]+)?$", description="whose hook it is, like shop/web"
    )
    organization: str = Field(default="", pattern=r"^[\w.-]*$", description="or the organization's")
    base_url: str = ""

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if bool(self.repository) == bool(self.organization):
            raise PydanticCustomError(
                SURE, "name the repository or the organization whose hook it is, and not both"
            )
        return self

    @property
    def path(self) -> str:
        owner = f"/repos/{self.repository}" if self.repository else f"/orgs/{self.organization}"
        return f"{owner}/hooks/{self.hook}"


def page(step: Step, settings: Settings, window: Window, known: Container[str]) -> Page:
    query = {"per_page": str(_LIMIT), **({"cursor": window.after} if window.after else {})}
    answer = _ask(step, settings, f"{settings.path}/deliveries", query)
    listed = _json(answer)
    if not isinstance(listed, list):
        raise ActionError(f"GitHub: {answer} with something that is no list", outcome=Outcome.TEMPORARY)
    deliveries = [each for each in listed if isinstance(each, dict)]
    missed = [
        _fetched(step, settings, each)
        for each in _failed(deliveries)
        if window.since_at <= _at(each) < window.until_at and text(each, "guid") not in known
    ]
    done = not deliveries or min(map(_at, deliveries)) < window.since_at
    return Page([each for each in missed if each is not None], "" if done else _cursor(answer))


def troubles(step: Step, settings: Settings, source: str) -> Mapping[str, str]:  # noqa: ARG001  # one hook it is
    hook = _json(_ask(step, settings, settings.path, {}))
    if isinstance(hook, dict) and hook.get("active") is False:
        return {str(settings.hook): f"GitHub's webhook {settings.hook} is not active: it sends nothing"}
    return {}


def _failed(deliveries: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Once each, and none that was delivered in the end."""
    done = {text(each, "guid") for each in deliveries if _arrived(each)}
    for each in deliveries:
        if text(each, "guid") not in done:
            done.add(text(each, "guid"))
            yield each


def _arrived(delivery: Mapping[str, Any]) -> bool:
    return 200 <= number(delivery, "status_code") < 300  # noqa: PLR2004  # what HTTP calls success


def _fetched(step: Step, settings: Settings, delivery: Mapping[str, Any]) -> Missed | None:
    """None when GitHub has its payload no more. Raises ActionError."""
    path = f"{settings.path}/deliveries/{number(delivery, 'id')}"
    answer = _ask(step, settings, path, {}, may_lack=True)
    whole = _json(answer) if answer.ok else None
    request = whole.get("request") if isinstance(whole, dict) else None
    payload = request.get("payload") if isinstance(request, dict) else None
    if not isinstance(payload, dict):
        return None
    headers = {"x-github-event": text(delivery, "event"), "x-github-delivery": text(delivery, "guid")}
    return Missed(text(delivery, "guid"), orjson.dumps(payload), headers)


def _ask(
    step: Step, settings: Settings, path: str, query: Mapping[str, str], *, may_lack: bool = False
) -> Answer:
    """What was answered: 2xx, or 404 where that may be. Raises ActionError."""
    call = Call(
        method="GET",
        url=(settings.base_url or BASE_URL).rstrip("/") + path,
        mutates=False,
        timeout_s=step.timeout_s,
        query=query,
        headers={
            "authorization": f"Bearer {settings.token.get_secret_value()}",
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
        },
        max_bytes=_LARGEST,
    )
    try:
        answer = http.call(call)
    except HttpError as error:
        raise ActionError(f"GitHub: {error}", outcome=error.outcome) from error
    if answer.ok or (may_lack and answer.status == _NOT_FOUND):
        return answer
    # Too much was asked: both limits are told with 403 as well as with 429, and say until when.
    limited = answer.status in _REFUSALS and (
        answer.retry_after_ms > 0 or "rate limit" in _said(answer).lower()
    )
    advice = "asked too often" if limited else _ADVICE.get(answer.status, "")
    words = "; ".join(filter(None, (f"GitHub: {answer}", redaction.text(_said(answer))[:200], advice)))
    outcome = Outcome.TEMPORARY if limited else answer.outcome
    raise ActionError(words, outcome=outcome, retry_after_ms=answer.retry_after_ms or limited * MINUTE)


def _said(answer: Answer) -> str:
    try:
        return text(answer.object(), "message")
    except HttpError:
        return ""


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except HttpError as error:
        raise ActionError(f"GitHub: {error}", outcome=error.outcome) from error


def _cursor(answer: Answer) -> str:
    """Of the next page, as the Link header has it."""
    found = _NEXT.search(answer.headers.get("link", ""))
    return parse_qs(urlsplit(found[1]).query).get("cursor", [""])[0][:200] if found else ""


def _at(delivery: Mapping[str, Any]) -> int:
    try:
        return round(datetime.fromisoformat(text(delivery, "delivered_at")).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
