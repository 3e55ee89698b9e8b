"""A room for each incident: a channel whose purpose says which incident it is for, so that it is found again.

Its name comes from a pattern, like "#incident-{date}"; when that is taken, by another incident of the day, a number
is added. Limits: docs.slack.dev/reference/methods/conversations.create (80 characters, lower case), setPurpose (250).
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification
from workers.slack.api import Api, RefusedError
from workers.text import cut, one_line

_NAME = 80
_ABOUT = 250
_MOST_TRIES = 30
_PAGES: Final = 5
"""Of a thousand channels each: what a delivery has time to look through."""
PLACEHOLDERS: Final = ("date", "incident", "severity", "service")


def is_pattern(address: str) -> bool:
    return address.startswith("#") and "{" in address


def enter(api: Api, notification: Notification, *, private: bool) -> str:
    """The id of the incident's channel; made if it has none yet. Raises DeliveryError."""
    base = _name(notification)
    known: dict[str, dict[str, Any]] = {}
    if notification.attempt > 1 and (found := _ours(known := _known(api, base), notification)):
        return found
    for number in range(1, _MOST_TRIES + 1):
        name = base if number == 1 else f"{base[: _NAME - 3]}-{number}"
        if name in known:
            continue
        try:
            return _make(api, name, notification, private=private)
        except RefusedError as refusal:
            if refusal.word != "name_taken":
                raise
        if not known and (found := _ours(known := _known(api, base), notification)):
            return found
    raise DeliveryError(f"Slack: {_MOST_TRIES} channels are called {base} already", outcome=Outcome.PERMANENT)


def about(notification: Notification) -> str:
    """The purpose of its room; the first line is what it is found by."""
    incident = notification.standing
    title = one_line(incident.title if incident else notification.message.title)
    return cut(f"{_mark(notification)}: {title}", _ABOUT)


def invite(api: Api, channel: str, people: Iterator[str] | tuple[str, ...]) -> None:
    """Each who can be invited; whoever is there already, or cannot be, is no trouble."""
    users = [each for each in dict.fromkeys(people) if re.fullmatch(r"[UW][A-Z0-9]+", each)]
    if users:
        with suppress(DeliveryError):
            api.post("conversations.invite", {"channel": channel, "users": ",".join(users), "force": True})


def _make(api: Api, name: str, notification: Notification, *, private: bool) -> str:
    made = api.post("conversations.create", {"name": name, "is_private": private})
    channel = made.get("channel")
    found = channel.get("id") if isinstance(channel, dict) else None
    if not isinstance(found, str) or not found:
        raise DeliveryError("Slack: conversations.create answered without a channel", outcome=Outcome.UNKNOWN)
    with suppress(DeliveryError):  # the page matters more than finding the room again
        api.post("conversations.setPurpose", {"channel": found, "purpose": about(notification)})
    return found


def _known(api: Api, base: str) -> dict[str, dict[str, Any]]:
    """Channels whose names begin so, by name; as far as we may and can look."""
    found: dict[str, dict[str, Any]] = {}
    query = {"types": "public_channel,private_channel", "limit": "1000", "exclude_archived": "false"}
    with suppress(DeliveryError):
        for _ in range(_PAGES):
            page = api.get("conversations.list", query)
            for each in page.get("channels") or ():
                if isinstance(each, dict) and str(each.get("name", "")).startswith(base):
                    found[str(each["name"])] = each
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
            query["cursor"] = str(cursor)
    return found


def _ours(known: dict[str, dict[str, Any]], notification: Notification) -> str:
    for each in known.values():
        purpose = each.get("purpose")
        said = str(purpose.get("value", "")) if isinstance(purpose, dict) else ""
        if said.partition(":")[0] == _mark(notification) and not each.get("is_archived"):
            return str(each.get("id", ""))
    return ""


def _mark(notification: Notification) -> str:
    return f"Tocsin incident {notification.incident}"


def _name(notification: Notification) -> str:
    """Of the pattern, as Slack takes it: lower case, letters, digits, hyphens and underscores."""
    incident = notification.standing
    zone = ZoneInfo(notification.person.timezone) if notification.person else UTC
    opened = datetime.fromtimestamp(incident.opened_at / 1000 if incident else 0, zone)
    values = {
        "date": opened.strftime("%Y-%m-%d") if incident else notification.incident,
        "incident": notification.incident,
        "severity": str(notification.severity),
        "service": incident.service if incident else "",
    }
    name = notification.to.removeprefix("#")
    for placeholder, value in values.items():
        name = name.replace(f"{{{placeholder}}}", value)
    clean = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:_NAME]
    return clean or notification.incident.lower()
