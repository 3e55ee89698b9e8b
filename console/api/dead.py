"""Dead letters: a page of them, one, its body mended; one or many brought through, dropped, or restored."""

import base64
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Free, Instant, Paged, Sent, Shape, Toggle, sent_bytes
from console.dead import shown
from console.doing import dead as doing
from console.doing.dead import Outcome, Selection
from console.trust.acts import Act
from console.trust.guard import check as check_may
from ledger import dead as letters
from ledger.dead import DeadLetter, Fate, Kind
from routing import redaction
from routing.errors import TocsinError

AT_ONCE = 100
"""So many letters one request brings through or drops."""
READ = 500
LARGE = 2_097_152
"""Bytes of a request that replaces a body; the console takes no more of any."""


class Letter(Shape):
    id: str
    kind: Kind
    status: Fate
    at: Instant
    why: str
    source: str
    tries: int
    incident: str
    subject: str
    headers: dict[str, str]
    bytes: int
    edited_by: str
    edited_at: Instant
    by: str
    changed_at: Instant


class Letters(Shape):
    """Newest first. `after` "" is the last page; a page may have fewer than `limit`, or none, before it."""

    letters: list[Letter]
    after: str


class WholeLetter(Letter):
    """`text`: its body without secrets and people. `base64`: as it was received, null unless that was asked for."""

    text: str
    base64: str | None
    traceback: str


class Look(Shape):
    raw: Annotated[Toggle, Field(description="The body as it was received, too; takes who may edit it.")] = (
        "false"
    )


class Wants(Paged):
    kind: Kind | None = None
    source: Annotated[str, StringConstraints(max_length=200)] = ""
    status: Fate = Fate.WAITING
    text: Annotated[str, StringConstraints(max_length=200), Field(description="Part of why.")] = ""


class Body(Sent):
    """One of the three: the body as text, as base64, or values to set in its JSON, by paths like `data.object.id`."""

    text: str | None = None
    base64: str | None = None
    set: dict[str, Any] | None = None


class Reads(Shape):
    """`problem` "" where it can be read: then `reads_as` says as what."""

    id: str
    reads_as: str
    problem: str


class Which(Sent):
    """Those named; or with `all` those that match, a hundred at a time: go on with `after` of the answer."""

    ids: Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=AT_ONCE)] = []
    all: bool = False
    kind: Kind | None = None
    source: Annotated[str, StringConstraints(max_length=200)] = ""
    text: Annotated[str, StringConstraints(max_length=200)] = ""
    after: Annotated[str, StringConstraints(max_length=200)] = ""
    dry_run: Annotated[
        bool, Field(description="Say which it would be, and what they read as; do nothing.")
    ] = False


class One(Shape):
    """`error` "" where it was done."""

    id: str
    kind: Kind
    why: str
    entered: list[str]
    error: str


class Bulk(Shape):
    """`after` "" when these were the last."""

    letters: list[One]
    after: str


def listing(asked: Asked) -> Free:
    wants, context = asked.queried(Wants), asked.context
    cursor = letters.place(context.client, context.keys, wants.after) if _known(wants.after) else ""
    found = letters.listing(
        context.client, context.keys, cursor=cursor, limit=wants.limit, kind=wants.kind or "", source=wants.source,
        status=wants.status, text=wants.text, most=READ,
    )  # fmt: skip
    return {"letters": [shown(each) for each in found.letters], "after": found.mark if found.next else ""}


def _known(mark: str) -> str:
    """Raises Problem when it is no mark."""
    at, _, letter = mark.partition(".")
    if mark and not (letter and at.isascii() and at.isdigit()):
        raise Problem(422, "after: this is no place in the dead letters", "pass `after` of the page before")
    return mark


def show(asked: Asked) -> Free:
    whole = asked.queried(Look).raw == "true"
    if whole:
        check_may(asked.actor, Act.EDIT_DEAD)
    return _whole(doing.one(asked.context, asked.path["id"]), raw=whole)


def as_read(asked: Asked) -> Free:
    return _whole(doing.one(asked.context, asked.path["id"]))


def _whole(letter: DeadLetter, *, raw: bool = False) -> Free:
    encoded = base64.b64encode(letter.raw).decode() if raw else None
    text = redaction.body(letter.raw)
    return {**shown(letter), "text": text, "base64": encoded, "traceback": letter.traceback}


def edit(asked: Asked) -> Free:
    before = doing.one(asked.context, asked.path["id"])
    letter = doing.edit(asked.context, asked.who, before.id, _sent(before, asked.sent(Body)))
    return _reads(asked, letter)


def check(asked: Asked) -> Free:
    """Nothing is changed."""
    letter = doing.one(asked.context, asked.path["id"])
    raw = _sent(letter, asked.sent(Body))
    return _reads(asked, DeadLetter(id=letter.id, kind=letter.kind, at=letter.at, why=letter.why, raw=raw,
                                    source=letter.source, headers=letter.headers, subject=letter.subject))  # fmt: skip


def _reads(asked: Asked, letter: DeadLetter) -> Free:
    try:
        return {"id": letter.id, "reads_as": doing.reads_as(asked.context, letter), "problem": ""}
    except TocsinError as error:
        return {"id": letter.id, "reads_as": "", "problem": str(error)}


def _sent(letter: DeadLetter, body: Body) -> bytes:
    """Raises Problem."""
    if sum(each is not None for each in (body.text, body.base64, body.set)) != 1:
        raise Problem(
            422, "body: give one of `text`, `base64` and `set`", 'like {"set": {"data.object.id": "x"}}'
        )
    if body.set is not None:
        return doing.mended_with(letter, body.set)
    return sent_bytes(body.text, body.base64)


def retry(asked: Asked) -> Free:
    which, found, after = _chosen(asked)
    if which.dry_run:
        return {"letters": [_would(asked, each) for each in found], "after": after}
    return {"letters": _told(doing.retry(asked.context, asked.who, found)), "after": after}


def drop(asked: Asked) -> Free:
    which, found, after = _chosen(asked)
    if which.dry_run:
        return {"letters": _told(Outcome(each) for each in found), "after": after}
    return {"letters": _told(doing.drop(asked.context, asked.who, found)), "after": after}


def _would(asked: Asked, letter: DeadLetter) -> Free:
    readable = letter.kind in {Kind.REFUSED, Kind.UNDECIDABLE}
    return _one(Outcome(letter, error=_reads(asked, letter)["problem"] if readable else ""))


def restore(asked: Asked) -> Free:
    return shown(doing.restore(asked.context, asked.who, asked.path["id"]))


def _chosen(asked: Asked) -> tuple[Which, list[DeadLetter], str]:
    sent = asked.sent(Which)
    if bool(sent.ids) == sent.all:
        raise Problem(422, "body: give `ids`, or `all` with what must match", 'like {"ids": ["dl-..."]}')
    which = Selection(sent.ids, sent.kind or "", sent.source, sent.text, _known(sent.after))
    found, after = doing.chosen(asked.context, which, AT_ONCE)
    return sent, found, after


def _told(outcomes: Iterable[Outcome]) -> list[Free]:
    return [_one(each) for each in outcomes]


def _one(each: Outcome) -> Free:
    letter = each.letter
    return {
        "id": letter.id, "kind": letter.kind.value, "why": letter.why, "entered": list(each.entered),
        "error": each.error,
    }  # fmt: skip


OPERATIONS = (
    Operation(
        "GET",
        "/dead",
        Act.READ,
        "List dead letters, newest first; those that wait unless asked otherwise.",
        listing,
        Letters,
        Wants,
    ),
    Operation(
        "GET",
        "/dead/{id}",
        Act.READ,
        "Show all of one: why, headers, body, traceback.",
        show,
        WholeLetter,
        Look,
        refusals=(404,),
    ),
    Operation(
        "PUT",
        "/dead/{id}/body",
        Act.EDIT_DEAD,
        "Change its body, and say whether it can be read now.",
        edit,
        Reads,
        body=Body,
        most_bytes=LARGE,
        reads=as_read,
        refusals=(404, 412),
    ),
    Operation(
        "POST",
        "/dead/{id}/check",
        Act.REHEARSE,
        "Say whether it could be read with this body; nothing is changed.",
        check,
        Reads,
        body=Body,
        most_bytes=LARGE,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/dead/{id}/restore",
        Act.DROP_DEAD,
        "Have one that was dropped or retried wait again.",
        restore,
        Letter,
        reads=as_read,
        refusals=(404, 412),
    ),
    Operation(
        "POST",
        "/dead/retry",
        Act.REPLAY_DEAD,
        "Bring dead letters through; what fails again says why.",
        retry,
        Bulk,
        body=Which,
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/dead/drop",
        Act.DROP_DEAD,
        "Give dead letters up; they stay readable.",
        drop,
        Bulk,
        body=Which,
        refusals=(404,),
    ),
)
ROUTES = routes(OPERATIONS)
