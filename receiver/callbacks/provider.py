"""What providers without a module of their own call back with: how a message went, what a person wrote or pressed.

Their channel's settings say how it reads. Addresses made for one message carry a token that is signed for it; those
that are fixed at the provider carry the secret itself, or what comes there is signed.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError
from redis.exceptions import RedisError
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from receiver import callback, phone_keys, provider_proof, refuse
from receiver.phone_keys import Key
from receiver.refuse import Refused
from receiver.site import Site
from routing.entry import Answer, AnyEntry, Receipt
from routing.errors import BadSignature
from routing.instant import MINUTE
from routing.language import template
from routing.policy import Channel
from routing.response.phrases import phrases
from routing.schema.provider import Callbacks, Receipts, Replies, items, text_at

SECRETS = ("TOCSIN_PROVIDER_SECRET",)
"""Of all such channels, or several with commas while it is rolled."""
SOURCE = "provider"


@dataclass(frozen=True, slots=True)
class Told:
    """One authentic call: the channel, the delivery its address names ("" where it names none), and what it says."""

    channel: Channel
    shape: Callbacks
    delivery: str
    body: Any
    raw: bytes
    headers: Mapping[str, str]
    at: int


def routes(site: Site) -> list[Route]:
    calls = _Calls(site)
    both = ["GET", "POST"]
    return [
        Route("/callbacks/provider/{channel}/receipts", calls.receipts, methods=both),
        Route("/callbacks/provider/{channel}/receipts/{token}", calls.receipts, methods=both),
        Route("/callbacks/provider/{channel}/replies", calls.replies, methods=both),
        Route("/callbacks/provider/{channel}/replies/{token}", calls.replies, methods=both),
    ]


class _Calls:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def receipts(self, request: WebRequest) -> Response:
        """How messages went. Words that decide nothing are taken and not kept."""
        told = await self._told(request)
        shape = told.shape.receipts
        if shape is None:
            raise refuse.unknown_page()
        entries = [_receipt(told, shape, each) for each in items(shape.each, told.body)]
        await self._keep(told, [each for each in entries if each is not None])
        return Response(status_code=204)

    async def replies(self, request: WebRequest) -> Response:
        """What people wrote back, or pressed during a call; the fold knows which page is meant."""
        told = await self._told(request)
        shape = told.shape.replies
        if shape is None:
            raise refuse.unknown_page()
        bodies = items(shape.each, told.body)
        said = await self._said(told, text_at(shape.text, bodies[0]) if bodies else "")
        entries = [_answer(told, shape, each) for each in bodies]
        await self._keep(told, [each for each in entries if each is not None])
        return _answered(shape, said)

    async def _told(self, request: WebRequest) -> Told:
        """Raises Refused."""
        site = self._site
        secrets = callback.secrets(site, *SECRETS)
        channel = site.gates.channels.get(request.path_params["channel"])
        shape = _shape(channel)
        if channel is None or shape is None:
            raise refuse.unknown_page()
        raw, headers = await callback.read(site, request)
        query = dict(request.query_params)
        given = query.pop("token", "") or headers.get("authorization", "").removeprefix("Bearer ")
        now, token = site.now(), request.path_params.get("token", "")
        try:
            delivery = provider_proof.delivery(token, secrets, now) if token else ""
            if shape.signature is not None:
                provider_proof.verify(shape.signature, raw, headers, secrets, now)
            elif not token:
                provider_proof.is_secret(given, secrets)
        except BadSignature as error:
            raise refuse.unauthentic(error) from error
        return Told(channel, shape, delivery, _read(raw, query), raw, headers, now)

    async def _said(self, told: Told, digits: str) -> str:
        """What the caller is to hear. What cannot be read is not known: the key counts all the same."""
        delivery = incident = None
        if told.delivery and told.channel.voice:
            with suppress(RedisError, OSError):
                delivery = await callback.delivery(self._site, told.delivery)
                incident = await callback.incident(self._site, told.delivery)
        person = self._site.gates.contacts.get(delivery.contact) if delivery else None
        language = person.language if person else ""
        key = Key(digits.strip(), language, delivery, incident)
        return phone_keys.said(key) or phrases(language).unknown

    async def _keep(self, told: Told, entries: list[tuple[AnyEntry, str]]) -> None:
        """Several in one body are kept together. Raises Refused."""
        if entries:
            await callback.note_all(self._site, SOURCE, entries, told.raw, told.headers)


def _shape(channel: Channel | None) -> Callbacks | None:
    """How the channel's provider calls back; None where it does not."""
    if channel is None or not {"receipts", "replies"} & channel.settings.keys():
        return None
    try:
        return Callbacks.model_validate(dict(channel.settings))
    except ValidationError as error:  # of a release that knows more
        raise refuse.fault() from error


def _read(raw: bytes, query: Mapping[str, str]) -> Any:
    """JSON, a form, or the fields of the address. Raises Refused."""
    if not raw.strip():
        return dict(query)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        fields = dict(callback.fields(raw, "the provider"))
        if not any(fields.values()):
            raise Refused(400, "form", "neither JSON nor a form", "see docs/channels.md") from None
        return fields


def _receipt(told: Told, shape: Receipts, body: Mapping[str, Any]) -> tuple[AnyEntry, str] | None:
    delivery = told.delivery or callback.delivery_name(text_at(shape.delivery, body))
    words = {word.lower(): ours for word, ours in shape.words.items()}
    status = words.get(text_at(shape.status, body).lower(), "ignored")
    if status == "ignored" or not delivery:
        return None
    name, detail = text_at(shape.id, body)[:200], text_at(shape.detail, body)[:200]
    entry = Receipt(
        at=told.at, by=told.channel.name, delivery=delivery, status=status, provider_id=name, detail=detail
    )
    return entry, f"{told.channel.name}:{delivery}:{name}:{status}"


def _answer(told: Told, shape: Replies, body: Mapping[str, Any]) -> tuple[AnyEntry, str] | None:
    text, sender = text_at(shape.text, body)[:160], text_at(shape.sender, body)[:64]
    if not text or not (told.delivery or sender):
        return None
    # Who writes may mean any page of theirs, or none; who presses a key means this call.
    delivery = told.delivery if told.channel.voice or not sender else ""
    entry = Answer(
        at=told.at,
        by=told.channel.name,
        channel="the phone" if told.channel.voice else "SMS",
        text=text,
        delivery=delivery,
        address="" if delivery else sender,
    )
    # Without an id the same words a minute later are said anew: better twice than not at all.
    name = text_at(shape.id, body)[:200] or delivery or f"{sender} {told.at // MINUTE}"
    return entry, f"{told.channel.name}:{told.delivery}:{name}:{text}"


def _answered(shape: Replies, said: str) -> Response:
    if shape.answer is None:
        return Response(status_code=204)
    body = orjson.dumps(template.fill(shape.answer, {"said": said}))
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})
