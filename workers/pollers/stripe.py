"""Stripe: events that no endpoint of ours has taken, and endpoints that are disabled.

It sends for three days and tells of a month. What is still on its way is listed as well: taken early, its own arrival
changes nothing. Sources: docs.stripe.com/webhooks/process-undelivered-events, docs.stripe.com/api/events/list,
docs.stripe.com/api/webhook_endpoints, docs.stripe.com/api/v2/core/events and /event-destinations.
"""

import re
from collections.abc import Container, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import orjson
from pydantic import Field, SecretStr

from routing.entry import Outcome
from routing.errors import ActionError
from routing.event import Event
from routing.instant import DAY, MINUTE, SECOND, parse_iso
from routing.ports import Missed, Page, Step, Window
from workers.polling import Polling
from workers.stripe.api import PAGE, Stripe, text

TITLE = "Stripe"
GRACE_MS = 2 * MINUTE
OVERLAP_MS = 10 * MINUTE
FIRST_MS = DAY
_MOST_ENDPOINTS = 500
_VERSION = "2025-09-30.clover"
"""Of Stripe's API: nothing below /v2 is told without one."""
_NAMES = {"webhook_endpoint": "webhook endpoint", "v2.core.event_destination": "event destination"}
_THIN = "thin:"
"""Before a place in the list of thin events."""
_OBJECT = re.compile(r"/v[12](/[A-Za-z0-9_]+)+")


class Settings(Polling):
    """A restricted key that may read events and webhook endpoints is enough."""

    api_key: SecretStr = Field(description="a restricted key that may read events and webhook endpoints")
    base_url: str = ""
    endpoint: str = Field(
        default="", description="part of our address there; unless given, what ends in /hooks/<source>"
    )
    types: list[str] = Field(default=[], max_length=20, description="only these; unless given, all of them")
    thin: list[str] = Field(
        default=[], max_length=20, description="types of thin events that are to reach us"
    )


def page(step: Step, settings: Settings, window: Window, known: Container[str]) -> Page:
    """What was not delivered; after it, where any are named, thin events: of those all, for nothing says which were."""
    if window.after.startswith(_THIN):
        return _thin(step, settings, window, known)
    found = _undelivered(step, settings, window, known)
    return found if found.after or not settings.thin else found._replace(after=_THIN)


def _thin(step: Step, settings: Settings, window: Window, known: Container[str]) -> Page:
    """Newest first, until they are older than asked for."""
    query = {"limit": str(PAGE)} | {f"types[{n}]": each for n, each in enumerate(settings.thin)}
    if place := window.after.removeprefix(_THIN):
        query["page"] = place
    told = Stripe(step, {"stripe-version": _VERSION}).read("/v2/core/events", query)
    listed = told.get("data")
    events = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    made = [_made_at(each) for each in events]
    missed = [
        Missed(text(each, "id"), orjson.dumps(each))
        for each, at in zip(events, made, strict=True)
        if text(each, "id") and text(each, "id") not in known and window.since_at <= at < window.until_at
    ]
    following = parse_qs(urlsplit(text(told, "next_page_url")).query).get("page", [""])[0]
    older = not made or min(made) < window.since_at
    return Page(missed, _THIN + following if following and not older else "")


def _made_at(event: Mapping[str, Any]) -> int:
    try:
        return parse_iso(text(event, "created"))
    except ValueError:
        return 0


def _undelivered(step: Step, settings: Settings, window: Window, known: Container[str]) -> Page:
    query: dict[str, str | list[str]] = {
        "delivery_success": "false",
        "created[gte]": str(max(0, window.since_at // SECOND)),
        "created[lt]": str(max(0, window.until_at // SECOND)),
        "limit": str(PAGE),
    }
    if settings.types:
        query["types[]"] = settings.types
    if window.after:
        query["starting_after"] = window.after
    told = Stripe(step).read("/v1/events", query)
    listed = told.get("data")
    events = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    missed = [Missed(text(each, "id"), orjson.dumps(each)) for each in events if text(each, "id")]
    more = told.get("has_more") is True and bool(missed)
    return Page([each for each in missed if each.id not in known], missed[-1].id if more else "")


def retrieve(step: Step, settings: Settings, event: Event) -> Missed:  # noqa: ARG001  # its key is the step's
    """A thin event whole: what it tells when it is fetched, and the object it is about as that is now."""
    account = event.labels.get("account", "")
    stripe = Stripe(step, {"stripe-version": _VERSION, **({"stripe-context": account} if account else {})})
    whole = stripe.read(f"/v2/core/events/{quote(event.vendor_id, safe='')}")
    related = whole.get("related_object")
    url = text(related, "url") if isinstance(related, dict) else ""
    if isinstance(related, dict) and url:
        if not _OBJECT.fullmatch(url):
            raise ActionError(f"Stripe: {text(whole, 'id')} is about what has no address of Stripe's")
        whole["related_object"] = {**related, "object": stripe.read(url)}
    whole["retrieved"] = True
    return Missed(event.vendor_id, orjson.dumps(whole))


def troubles(step: Step, settings: Settings, source: str) -> Mapping[str, str]:
    """Our endpoints there, and destinations of thin events, that are not enabled."""
    endpoints, _ = Stripe(step).listed("/v1/webhook_endpoints", {}, _MOST_ENDPOINTS)
    found = [(text(each, "url"), each, "") for each in endpoints]
    for each in _destinations(step):
        target, why = each.get("webhook_endpoint"), each.get("status_details")
        disabled = why.get("disabled") if isinstance(why, dict) else None
        because = text(disabled, "reason") if isinstance(disabled, dict) else ""
        found.append((text(target, "url") if isinstance(target, dict) else "", each, because))
    return {
        text(each, "id"): f"Stripe's {_NAMES.get(text(each, 'object'), 'endpoint')} {text(each, 'id')} is"
        f" {text(each, 'status')}{because and f' ({because})'}: it sends nothing there, and does not go on by itself"
        for url, each, because in found
        if text(each, "status") != "enabled" and _ours(url, settings, source)
    }


def _destinations(step: Step) -> list[dict[str, Any]]:
    """[] where the key may not read them: only who has thin events needs them. Raises ActionError."""
    query = {"include[0]": "webhook_endpoint.url", "limit": str(PAGE)}
    try:
        told = Stripe(step, {"stripe-version": _VERSION}).read("/v2/core/event_destinations", query)
    except ActionError as error:
        if error.outcome is Outcome.PERMANENT:
            return []
        raise
    listed = told.get("data")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _ours(url: str, settings: Settings, source: str) -> bool:
    return settings.endpoint in url if settings.endpoint else url.rstrip("/").endswith(f"/hooks/{source}")
