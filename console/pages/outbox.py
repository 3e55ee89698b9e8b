"""The outbox: each call, SMS and mail of channels without credentials, as its person would get it; and answering it."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import click
from starlette.routing import Route

from console.doing.entries import do
from console.outbox import masked
from console.refusals import Undecided
from console.serving.navigation import Nav
from console.serving.view import Facts, NotFound, View, act, page
from console.trust.acts import Act
from ledger import records, sandbox
from ledger.sandbox import Unsent
from ledger.views import incidents
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import Answer

NAV = Nav("Outbox", "/outbox", 35)
LIMIT = 50
_KEYS = (
    ("1", "approve"), ("2", "deny"), ("3", ""), ("4", "ack"), ("5", "escalate"), ("6", "resolve"), ("7", ""),
    ("8", ""), ("9", ""), ("*", ""), ("0", ""), ("#", ""),
)  # fmt: skip
_ANSWER = re.compile(r"[\w #*.!?-]{1,160}")
_BODIES = ("Body", "Text", "text", "body", "HTML")
_BESIDE = re.compile(r"(StatusCallback|AsyncAmd|MachineDetection|Timeout$|Twiml$|MessagingServiceSid$)")
"""What only the provider needs to know."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A call: what is said, and whether keys are listened for."""

    said: tuple[str, ...]
    listens: bool


def ask(view: View) -> Facts:
    found = sandbox.listing(view.site.client, view.site.keys, LIMIT, view.query.get("after", ""))
    return {
        "unsent": [{"one": each, "kind": kind_of(each), "says": _first_words(each)} for each in found],
        "older": f"/outbox?after={found[-1].id}" if len(found) == LIMIT else "",
    }


def show(view: View) -> Facts:
    delivery = view.path["delivery"]
    attempts = _attempts(view, delivery)
    if not attempts:
        raise NotFound(f"{delivery[:40]} is not in the outbox; it keeps the last thousand")
    newest = attempts[0]
    answers = view.actor.may(Act.ANSWER, _team(view, newest.incident))
    standing = _delivery(view, newest)
    return {
        "one": newest,
        "attempts": attempts,
        "kind": kind_of(newest),
        "spoken": _spoken(newest.fields.get("Twiml", "")),
        "body": _masked(_body(newest), answers=answers),
        "fields": _fields(newest, answers=answers),
        "keys": _keys(standing),
        "can": answers and bool(newest.incident),
        "standing": incidents.delivery(standing) if standing else None,
        "came": _came(view, newest.incident, view.query.get("said", "")),
    }  # fmt: skip


def _fields(one: Unsent, *, answers: bool) -> dict[str, str]:
    """Besides the body, and without what only the provider needs."""
    return {
        name: _masked(value, answers=answers)
        for name, value in one.fields.items()
        if name not in _BODIES and not _BESIDE.match(name)
    }


def kind_of(one: Unsent) -> str:
    """How it is drawn: "call", "text", "mail" or "message"."""
    if "Twiml" in one.fields:
        return "call"
    if "Subject" in one.fields:
        return "mail"
    return "text" if "Body" in one.fields and "URL" not in one.fields else "message"


def _attempts(view: View, delivery: str) -> list[Unsent]:
    """Newest first."""
    found = sandbox.listing(view.site.client, view.site.keys, sandbox.MAX_KEPT)
    return [each for each in found if each.delivery == delivery]


def _first_words(one: Unsent) -> str:
    spoken = _spoken(one.fields.get("Twiml", ""))
    return (
        spoken.said[0]
        if spoken and spoken.said
        else one.fields.get("Subject", "") or _masked(_body(one), answers=False)[:200]
    )


def _body(one: Unsent) -> str:
    return next((one.fields[name] for name in _BODIES if one.fields.get(name)), "")


def _masked(text: str, *, answers: bool) -> str:
    """Without what a link would let do whoever may not do it."""
    return text if answers else masked(text)


def _spoken(twiml: str) -> Spoken | None:
    """Of TwiML we wrote ourselves; None where there is none."""
    try:
        root = ET.fromstring(twiml)  # noqa: S314  # our own worker wrote it
    except ET.ParseError:
        return None
    said = dict.fromkeys((each.text or "").strip() for each in root.iter("Say"))
    return Spoken(tuple(filter(None, said)), root.find("Gather") is not None)


def _keys(standing: Delivery | None) -> list[tuple[str, str]]:
    """Each key, and what it does here: approving is for what asks for it."""
    asks = bool(standing and standing.run)
    return [(key, "" if what in {"approve", "deny"} and not asks else what) for key, what in _KEYS]


def _delivery(view: View, one: Unsent) -> Delivery | None:
    if not one.incident:
        return None
    place = view.site.keys.owned(one.incident, Table.DELIVERY)
    return records.read(view.site.client, place, one.delivery, Delivery)


def _team(view: View, incident: str) -> str:
    found = view.context.store.incident(incident) if incident else None
    return found.team if found else ""


def _came(view: View, incident: str, entry: str) -> list[str]:
    """What an answer did, in the words of the timeline."""
    if not incident or not entry:
        return []
    return [moment.what for moment in view.context.store.moments(incident, LIMIT) if moment.entry == entry]


def answer(view: View) -> str:
    """As the person would whom it was for: a key, or words sent back."""
    delivery, text = view.path["delivery"], view.sent("text", 160)
    attempts = _attempts(view, delivery)
    if not attempts or not attempts[0].incident:
        raise NotFound(f"{delivery[:40]} is not in the outbox, or nobody can answer it")
    view.need(Act.ANSWER, _team(view, attempts[0].incident))
    if not _ANSWER.fullmatch(text):
        raise click.UsageError("press a key, or write ack, resolve or escalate")
    entry = Answer(
        at=view.now,
        by=view.actor.name,
        client=view.actor.client,
        channel="the sandbox",
        text=text,
        delivery=delivery,
    )
    try:
        done = do(view.context, view.who, entry, attempts[0].incident).entry
    except Undecided as error:
        done = error.entry
    return f"/outbox/{delivery}?said={done}"


ROUTES = [
    Route("/outbox", page(Act.READ, "outbox.html", ask, "outbox")),
    Route("/outbox/{delivery}", page(Act.READ, "unsent.html", show, "outbox", "now")),
    Route("/outbox/{delivery}/answer", act(Act.ANSWER, answer), methods=["POST"]),
]
