"""Resend, where it sends the mail to customers: what became of the latest.

Settings: token (an API key that may read), base_url. Without a token every action is only simulated. Nothing is taken
over of whom a mail was for, or what it said. Source: resend.com/docs/api-reference/emails/list-emails.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.instant import MINUTE, iso
from routing.ports import Action, Step
from workers import vendors
from workers.answer import Call
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline

TITLE = "Resend"
SETTINGS = ("token", "base_url")
SHARED = ("base_url",)

BASE_URL = "https://api.resend.com"
ILL = frozenset({"bounced", "complained", "failed", "suppressed"})
"""What a mail ends as that nobody got."""
_PAGE = 100
_MOST_SHOWN = 20
_ADVICE = {
    401: "check RESEND_API_KEY",
    403: "the key may only send: make one with full access, or leave RESEND_API_KEY unset",
    429: "too many requests for now",
}


class Emails(BaseModel):
    """Those made in the last so many `minutes`, at most `most` of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minutes: int = Field(default=60, ge=1, le=1_440)
    most: int = Field(default=500, ge=1, le=5_000)


def emails(step: Step, params: Emails) -> dict[str, Any]:
    """{"count", "more", "events": {last event: count}, "ill": how many nobody got, "ill_percent", "latest_ill": [{id,
    at, event}]}; newest first.
    """
    if not step.settings.get("token"):
        raise NoCredentialsError("no key of Resend's: set RESEND_API_KEY")
    found, more = _since(step, params)
    ill = [each for each in found if each["event"] in ILL]
    return {
        "count": len(found),
        "more": more,
        "events": dict(Counter(each["event"] for each in found)),
        "ill": len(ill),
        "ill_percent": round(100 * len(ill) / len(found), 1) if found else 0.0,
        "latest_ill": ill[:_MOST_SHOWN],
    }


def _since(step: Step, params: Emails) -> tuple[list[dict[str, Any]], bool]:
    """The mails of the time asked for, and whether there are more of them than may be looked at."""
    found: list[dict[str, Any]] = []
    oldest, deadline, after = step.now - params.minutes * MINUTE, Deadline(step.timeout_s), ""
    while True:
        page = _page(step, after, deadline.left())
        items = page.get("data")
        mails = [_mail(each) for each in items if isinstance(each, dict)] if isinstance(items, list) else []
        recent = [each for each in mails if each.pop("ms") >= oldest]
        found += recent
        if len(found) > params.most:
            return found[: params.most], True
        if not mails or len(recent) < len(mails) or page.get("has_more") is not True:
            return found, False
        after = mails[-1]["id"]


def _page(step: Step, after: str, timeout_s: float) -> dict[str, Any]:
    base = (step.settings.get("base_url") or BASE_URL).rstrip("/")
    call = Call(
        method="GET",
        url=f"{base}/emails",
        mutates=False,
        timeout_s=timeout_s,
        query={"limit": str(_PAGE), **({"after": after} if after else {})},
        headers={"authorization": f"Bearer {step.settings['token']}"},
    )
    return vendors.object_of("Resend", vendors.ask("Resend", call, _ADVICE))


def _mail(each: dict[str, Any]) -> dict[str, Any]:
    at = _instant(str(each.get("created_at", "")))
    return {
        "id": str(each.get("id", ""))[:100],
        "at": iso(at),
        "event": str(each.get("last_event", ""))[:40],
        "ms": at,
    }


def _instant(written: str) -> int:
    """Resend writes "2023-04-03 22:13:42.674981+00". Raises ActionError."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        said = f"Resend dates a mail {written[:40]!r}, which is no instant"
        raise ActionError(said, outcome=Outcome.TEMPORARY) from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _plan(step: Step, _: Emails) -> dict[str, Any]:
    return {
        "would": {"method": "GET", "url": f"{(step.settings.get('base_url') or BASE_URL).rstrip('/')}/emails"}
    }


ACTIONS = {"emails": Action(Emails, mutates=False, run=emails, plan=_plan)}
