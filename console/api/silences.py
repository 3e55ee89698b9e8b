"""Silences: list, set, try and end them."""

import uuid
from typing import Annotated

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Operation, few
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Length, Level, Sent, Shape, Text, Toggle, told
from console.doing.entries import do
from console.doing.silences import check_whose
from console.refusals import Nowhere
from console.trust.acts import Act
from ledger.views import silences
from ledger.views.times import iso
from routing import duration
from routing.decision import Table
from routing.entry import SilenceSet
from routing.incident import Phase
from routing.language import matchers
from routing.noise import silences as silencing

Matcher = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Matchers = Annotated[
    list[Matcher], Field(min_length=1, max_length=20, description="""Like `service="site"`.""")
]


class Silence(Shape):
    id: str
    matchers: list[str]
    since: Instant
    until: Instant
    by: str
    reason: str


class Silences(Shape):
    """The first to end first."""

    silences: list[Silence]


class Setting(Sent):
    matchers: Matchers
    length: Annotated[Length, Field(alias="for")]
    reason: Text


class Set(Shape):
    silence: str
    until: Instant
    entry: str
    decided: bool
    said: list[str]


class Trying(Sent):
    matchers: Matchers


class Hidden(Shape):
    incident: str
    title: str
    severity: Level
    status: Phase
    matched: int
    firing: int
    whole: bool


class Preview(Shape):
    now: list[Hidden]
    last_day: list[Hidden]


class Wants(Shape):
    ended: Annotated[Toggle, Field(description="Those that ended in the last five days instead.")] = "false"


def listing(asked: Asked) -> Free:
    if asked.queried(Wants).ended == "true":
        return {"silences": [_shown(each) for each in silences.ended(asked.context.store, asked.now)]}
    return {
        "silences": [
            _shown(each) for each in sorted(_known(asked).values(), key=lambda one: (one.until_at, one.id))
        ]
    }


def show(asked: Asked) -> Free:
    return _shown(_one(asked))


def _known(asked: Asked) -> dict[str, SilenceSet]:
    """Those that have not ended."""
    found = asked.context.store.records(Table.SILENCE, SilenceSet)
    return {key: each for key, each in found.items() if each.until_at > asked.now}


def _one(asked: Asked) -> SilenceSet:
    found = _known(asked).get(asked.path["id"])
    if found is None:
        raise Nowhere(f"no silence {asked.path['id'][:100]!r}; see: tocsin silence list")
    return found


def _shown(each: SilenceSet) -> Free:
    return {
        "id": each.id, "matchers": each.matchers, "since": iso(each.from_at), "until": iso(each.until_at),
        "by": each.by, "reason": each.reason,
    }  # fmt: skip


def set_(asked: Asked) -> Free:
    sent = asked.sent(Setting)
    check_whose(asked.actor, _read(sent.matchers))
    entry = SilenceSet(
        at=asked.now, by=asked.who.name, client=asked.who.client, id=f"s-{uuid.uuid4().hex[:8]}",
        matchers=list(sent.matchers), from_at=asked.now, until_at=asked.now + _ms(sent.length), reason=sent.reason,
    )  # fmt: skip
    done = do(asked.context, asked.who, entry)
    return {"silence": entry.id, "until": iso(entry.until_at), **told(done)}


def expire(asked: Asked) -> Free:
    entry = silencing.ended(_one(asked), asked.now, asked.who.name, asked.who.client)
    return told(do(asked.context, asked.who, entry))


def preview(asked: Asked) -> Free:
    found = silences.preview(asked.context.store, _read(asked.sent(Trying).matchers), asked.now)
    return {
        "now": [_hidden(each) for each in found.now],
        "last_day": [_hidden(each) for each in found.last_day],
    }


def _hidden(each: silences.Hidden) -> Free:
    incident = each.incident
    return {
        "incident": incident.id, "title": incident.title, "severity": str(incident.severity),
        "status": incident.phase.value, "matched": each.matched, "firing": each.firing, "whole": each.whole,
    }  # fmt: skip


def _read(texts: list[str]) -> list[matchers.Matcher]:
    try:
        return [matchers.parse(text) for text in texts]
    except ValueError as error:
        raise Problem(
            422, f"body.matchers: {error}", """write them like service="site" """.strip()
        ) from error


def _ms(length: str) -> int:
    try:
        found = duration.parse(length)
    except ValueError as error:
        raise Problem(422, f"body.for: {error}") from error
    if not found:
        raise Problem(422, "body.for: it is over at once", "give a longer time")
    return found


OPERATIONS = (
    Operation(
        "GET", "/silences", Act.READ, "List what is muted, the first to end first.", listing, Silences, Wants
    ),
    Operation("GET", "/silences/{id}", Act.READ, "Show one silence.", show, Silence, refusals=(404,)),
    Operation(
        "POST",
        "/silences",
        Act.SILENCE,
        "Mute what all matchers match; resolves and acks always pass.",
        set_,
        Set,
        body=Setting,
        status=201,
        waits=True,
    ),
    Operation(
        "POST",
        "/silences/preview",
        Act.REHEARSE,
        "Say what it would hide now, and would have in the last day.",
        few(preview),
        Preview,
        body=Trying,
    ),
    Operation(
        "DELETE",
        "/silences/{id}",
        Act.SILENCE,
        "End it now; what only it held back is paged.",
        expire,
        Done,
        waits=True,
        reads=show,
        refusals=(404, 412),
    ),
)
ROUTES = routes(OPERATIONS)
