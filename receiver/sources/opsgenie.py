"""What speaks to Opsgenie's alert API: `POST /v2/alerts`, and what is acknowledged, closed or noted below it.

https://docs.opsgenie.com/docs/alert-api. The key after `GenieKey` is the source's token. An alert is what its alias
says; `id` is our fingerprint of it, `tiny` the number of its incident.
"""

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import orjson

from receiver import shaping, strict_json, tokens
from routing.alerts.fingerprint import fingerprint
from routing.entry import AlertCommand, Verb
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING})
VERIFIED = "the key: `Authorization: GenieKey <token>`"
REPEAT = 'news: "still firing", by its `alias`'
TITLE = "Opsgenie alert API"
SETUP = """\
1. A long random token into `OPSGENIE_API_KEY` (a UUID, where the sender insists).
2. Give the sender `https://<tocsin>` instead of `https://api.opsgenie.com`, and the token as API key.
   Its addresses stay: `/v2/alerts` and what is below.
"""
PATH = "/v2/alerts"
ACTIONS = {"acknowledge": Verb.ACK, "close": Verb.RESOLVE, "notes": Verb.NOTE}
"""By the last word of the address."""

_VIA = "Opsgenie's API"
_PRIORITIES = ("P1", "P2", "P3", "P4", "P5")
_IDENTIFIERS = ("id", "alias", "tiny")
_LONGEST = {
    "message": 130,
    "alias": 512,
    "description": 15_000,
    "entity": 512,
    "source": 100,
    "user": 100,
    "note": 25_000,
}
_TAGS, _TAG, _DETAILS = 20, 50, 8_000
_NUMBER = re.compile(r"[0-9]{1,12}")
_KEY = 200


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Raises BadSignature."""
    scheme, _, given = inbound.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "geniekey":
        raise BadSignature("no Authorization header with GenieKey", "send `Authorization: GenieKey <token>`")
    tokens.verify_given(given.strip(), secrets, "key after GenieKey")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "authorization": f"GenieKey {secret}"}


def packed(value: Any) -> bytes:
    """Of a sample that says where it is sent, the body."""
    return json.dumps(shaping.at(value, "body") if _addressed(value) else value).encode()


def address(value: Any) -> str:
    if not _addressed(value):
        return PATH
    kind = shaping.text(value, "identifierType")
    return (
        f"{PATH}/{quote(shaping.text(value, 'identifier'), safe='')}/{value['action']}?identifierType={kind}"
    )


def _addressed(value: Any) -> bool:
    return shaping.text(value, "action") in ACTIONS


def parse(inbound: Inbound, source: Source) -> Parsed:
    """A firing event, or what is to be done about one. Raises Unreadable saying all that is wrong."""
    told = body_of(inbound)
    if wrong := faults_of(told, inbound):
        raise Unreadable("; ".join(f"{name} {what}" for name, what in wrong.items()))
    identifier, action = place_of(inbound.path)
    if not action:
        return _created(told, inbound, source)
    alert, incident = _meant(identifier, inbound.query.get("identifierType", "id"), source)
    return Parsed((), commands=(_command(told, ACTIONS[action], alert, inbound, source, incident),))


def body_of(inbound: Inbound) -> dict[str, Any]:
    """Raises Unreadable. What is done about an alert may come without a body."""
    if not inbound.body and place_of(inbound.path)[1]:
        return {}
    return strict_json.object_of(strict_json.loads(inbound.body))


def place_of(path: str) -> tuple[str, str]:
    """Identifier and action of an address below `PATH`; ("", "") where an alert is created."""
    if not path.startswith(f"{PATH}/"):
        return "", ""
    identifier, _, action = path[len(PATH) + 1 :].rpartition("/")
    return (identifier, action) if action in ACTIONS else ("", "")


def faults_of(told: Mapping[str, Any], inbound: Inbound) -> dict[str, str]:
    """By field what is wrong with it, as Opsgenie says it."""
    _, action = place_of(inbound.path)
    wrong = _action_faults(told, inbound, action) if action else _create_faults(told)
    for name, most in _LONGEST.items():
        found = told.get(name)
        if found is not None and not isinstance(found, str):
            wrong[name] = "should be a string"
        elif found is not None and len(found) > most:
            wrong[name] = f"should be at most {most} characters"
    return wrong


def _action_faults(told: Mapping[str, Any], inbound: Inbound, action: str) -> dict[str, str]:
    wrong = {}
    identifier, kind = place_of(inbound.path)[0], inbound.query.get("identifierType", "id")
    if kind not in _IDENTIFIERS:
        wrong["identifierType"] = f"should be one of [ {', '.join(_IDENTIFIERS)} ]"
    if not identifier.strip() or (kind == "tiny" and not _NUMBER.fullmatch(identifier)):
        wrong["identifier"] = "should be a number" if kind == "tiny" else "can not be empty"
    if action == "notes" and not shaping.text(told, "note").strip():
        wrong["note"] = "can not be empty"
    return wrong


def _create_faults(told: Mapping[str, Any]) -> dict[str, str]:
    wrong = {}
    if not shaping.text(told, "message").strip():
        wrong["message"] = "can not be empty"
    priority, tags, details = (told.get(name) for name in ("priority", "tags", "details"))
    if priority is not None and priority not in _PRIORITIES:
        wrong["priority"] = f"should be one of [ {', '.join(_PRIORITIES)} ]"
    if tags is not None and not _fits(tags):
        wrong["tags"] = f"should be at most {_TAGS} strings of at most {_TAG} characters"
    if details is not None and not isinstance(details, dict):
        wrong["details"] = "should be an object"
    elif details and len(orjson.dumps(details)) > _DETAILS:
        wrong["details"] = f"should be at most {_DETAILS} characters in all"
    return wrong


def _fits(tags: Any) -> bool:
    return (
        isinstance(tags, list)
        and len(tags) <= _TAGS
        and all(isinstance(each, str) and len(each) <= _TAG for each in tags)
    )


def _created(told: Mapping[str, Any], inbound: Inbound, source: Source) -> Parsed:
    event = _event(told, inbound, source)
    if not shaping.text(told, "note").strip():
        return Parsed((event,))
    mark = fingerprint(event, "")
    return Parsed((event,), commands=(_command(told, Verb.NOTE, mark, inbound, source),))


def _event(told: Mapping[str, Any], inbound: Inbound, source: Source) -> Event:
    alias = shaping.text(told, "alias") or _alias(inbound)
    details = told.get("details")
    labels = {
        "origin": shaping.text(told, "source"),
        "entity": shaping.text(told, "entity"),
        "tags": ", ".join(told.get("tags") or ()),
        "responders": ", ".join(_names(told.get("responders"))),
    }
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="opsgenie",
            kind="alert",
            status=Status.FIRING,
            key=_key(alias),
            title=" ".join(shaping.text(told, "message").split()),
            summary=shaping.text(told, "description"),
            vendor_severity=shaping.text(told, "priority") or "P3",
            labels=shaping.plain(labels),
            details={"alias": alias, **shaping.plain(details if isinstance(details, dict) else {})},
            # Each is another occurrence: one after the end of its alert, whoever ended it, begins a new one.
            starts_at=inbound.received_at,
        )
    )


def _names(responders: Any) -> list[str]:
    listed = responders[:50] if isinstance(responders, list) else []
    return [name for each in listed if (name := shaping.text(each, "name") or shaping.text(each, "id"))]


def _alias(inbound: Inbound) -> str:
    """For an alert that has none: the same whenever this very request is read again."""
    return blake2b(b"%d.%b" % (inbound.received_at, inbound.body), digest_size=16).hexdigest()


def _key(alias: str) -> str:
    """A long one is cut, but stays itself."""
    if len(alias) <= _KEY:
        return alias
    return f"{alias[:_KEY]}#{blake2b(alias.encode(), digest_size=8).hexdigest()}"


def _command(
    told: Mapping[str, Any], verb: Verb, alert: str, inbound: Inbound, source: Source, incident: str = ""
) -> AlertCommand:
    user = " ".join(shaping.text(told, "user").split())
    return AlertCommand(
        at=inbound.received_at,
        by=f"{user} ({source.name})" if user else f"source {source.name}",
        source=source.name,
        verb=verb,
        alert=alert,
        incident=incident,
        text=shaping.text(told, "note").strip(),
        via=_VIA,
    )


def _meant(identifier: str, kind: str, source: Source) -> tuple[str, str]:
    """Fingerprint and incident; what nobody knows is found out by who decides."""
    if kind == "tiny":
        return "", f"INC-{int(identifier)}"
    if kind == "id":
        return identifier.replace("-", ":", 1)[:_KEY], ""
    known = Event(source=source.name, vendor="", kind="", status=Status.INFO, key=_key(identifier), title="")
    return fingerprint(known, ""), ""


def id_of(mark: str) -> str:
    """What an alert of this fingerprint is called there."""
    return mark.replace(":", "-", 1)
