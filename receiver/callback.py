"""A provider's call back: its body read whole, and what it says kept in the control lane.

There nothing waits behind a storm. Providers call again when they heard no answer: that is still one entry.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request as WebRequest

from ledger import records
from ledger.log import NewEvent, Request
from receiver import body, refuse
from receiver.redaction import redacted
from receiver.refuse import Refused
from receiver.site import Site
from receiver.take import headers_of, keep
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import AnyEntry, Lane, encode_entry
from routing.incident import Incident
from routing.instant import DAY

MAX_BYTES = 65_536
NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
"""A delivery's."""
_MOST_FIELDS = 200


async def read(site: Site, request: WebRequest, most: int = MAX_BYTES) -> tuple[bytes, dict[str, str]]:
    """The body and its headers (names in lower case). Raises Refused when it is too large or too slow."""
    headers = headers_of(request.scope)
    raw = await body.read(
        request.receive, headers.get("content-length", ""), most, site.room, site.settings.body_wait_s
    )
    site.room.give_back(len(raw))
    return raw, headers


async def note(
    site: Site, source: str, entry: AnyEntry, once: str, raw: bytes, headers: Mapping[str, str]
) -> None:
    """Returns once it is on disk. `once`: what names this call, "" if nothing does. Raises Refused."""
    await note_all(site, source, [(entry, once)], raw, headers)


async def note_all(
    site: Site, source: str, entries: Sequence[tuple[AnyEntry, str]], raw: bytes, headers: Mapping[str, str]
) -> None:
    """The same of several that came in one request, each with what names it. Raises Refused."""
    events = tuple(NewEvent(Lane.CONTROL, once, encode_entry(entry)) for entry, once in entries)
    await keep(site, Request(source, raw, orjson.dumps(redacted(headers)), events, (), DAY))


def secrets(site: Site, name: str) -> tuple[str, ...]:
    """Those that may have signed it. Raises Refused when this process was given none."""
    found = site.settings.callback_secrets.get(name, ())
    if not found:
        raise refuse.no_secret(name)
    return found


def public_url(site: Site, request: WebRequest) -> str:
    """The address that was called, as the provider knows it. Raises Refused when nobody said what it is."""
    if not site.public_url:
        raise refuse.no_secret("TOCSIN_PUBLIC_URL")
    query: str = request.scope["query_string"].decode("latin-1")
    path: str = request.scope.get("raw_path", b"").decode("latin-1") or request.scope["path"]
    return site.public_url + path + (f"?{query}" if query else "")


def fields(raw: bytes, sender: str) -> list[tuple[str, str]]:
    """Of a form. Raises Refused."""
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        hint = f"{sender} sends application/x-www-form-urlencoded"
        raise Refused(400, "form", "the body is not a form", hint) from error


def json_object(raw: bytes, sender: str) -> dict[str, Any]:
    """Raises Refused."""
    found = _json(raw, sender)
    if not isinstance(found, dict):
        raise Refused(400, "json", "the body is not a JSON object", f"{sender} sends one")
    return found


def json_objects(raw: bytes, sender: str) -> list[dict[str, Any]]:
    """Those of a list. Raises Refused."""
    found = _json(raw, sender)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Refused(400, "json", "the body is not a JSON list of objects", f"{sender} sends one")
    return found


def _json(raw: bytes, sender: str) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "json", "the body is not JSON", f"{sender} sends JSON") from error


def delivery_name(found: str) -> str:
    """Of a delivery of ours, as a provider gives it back; "" when it is none."""
    return found if NAME.fullmatch(found) else ""


async def delivery(site: Site, name: str) -> Delivery | None:
    """As it is now; None when it is not live. Raises redis.RedisError."""
    place = site.keys.owned(_owner(name), Table.DELIVERY)
    return await records.read_soon(site.client, place, name, Delivery)


async def incident(site: Site, name: str) -> Incident | None:
    """The one of a delivery, as it is now; None when it is not live. Raises redis.RedisError."""
    return await records.read_soon(site.client, site.keys.state(Table.INCIDENT), _owner(name), Incident)


def _owner(delivery_name: str) -> str:
    """The incident: INC-12 of INC-12-d3."""
    return delivery_name.rpartition("-d")[0]
