"""What Twilio tells us: keys pressed during a call, SMS sent back, and how a call or a message went.

Each becomes an entry in the control lane, where nothing waits behind a storm. Signatures are checked over the
public URL of the settings: the Host header is anybody's to write. Answers are TwiML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import orjson
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from ledger.log import NewEvent, Request
from receiver import body, refuse, twilio_signature
from receiver.redaction import redacted
from receiver.refuse import Refused
from receiver.site import Site
from receiver.take import headers_of, keep
from routing.entry import Answer, AnyEntry, Lane, Receipt, Verb, encode_entry
from routing.errors import BadSignature
from routing.instant import DAY
from routing.response import answers

SOURCE = "twilio"
_BY = "twilio"
_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")
_MAX_BYTES = 65_536
_MOST_FIELDS = 200
_SAID = {
    Verb.ACK: "Thank you. The incident is acknowledged. It is yours now.",
    Verb.RESOLVE: "Thank you. The incident is marked as resolved.",
    Verb.ESCALATE: "Understood. The next person is being called.",
}
_NOT_UNDERSTOOD = "That key means nothing here. The incident stays open."


@dataclass(frozen=True, slots=True)
class Callback:
    """One authentic call of Twilio's: its form, and the delivery its address names."""

    form: Mapping[str, str]
    delivery: str
    at: int
    raw: bytes
    headers: Mapping[str, str]


class Callbacks:
    """Routes below `/callbacks/twilio`."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        return [
            Route("/callbacks/twilio/gather/{delivery}", self.gather, methods=["POST"]),
            Route("/callbacks/twilio/status/{delivery}", self.status, methods=["POST"]),
            Route("/callbacks/twilio/sms", self.sms, methods=["POST"]),
        ]

    async def gather(self, request: WebRequest) -> Response:
        """Somebody pressed a key during the call."""
        call = await self._authentic(request)
        digits = call.form.get("Digits", "")[:8]
        entry = Answer(at=call.at, by=_BY, channel="the phone", text=digits, delivery=call.delivery)
        await self._keep(call, entry, call.form.get("CallSid", ""), digits)
        reply = answers.read(digits)
        said = _SAID.get(reply.verb, _NOT_UNDERSTOOD) if reply else _NOT_UNDERSTOOD
        return _twiml(f"<Say>{escape(said)}</Say><Hangup/>")

    async def status(self, request: WebRequest) -> Response:
        """How the call or the message went; several of these come for each, in any order."""
        call = await self._authentic(request)
        sid = call.form.get("CallSid") or call.form.get("MessageSid") or call.form.get("SmsSid") or ""
        status = (
            call.form.get("CallStatus") or call.form.get("MessageStatus") or call.form.get("SmsStatus") or ""
        )
        detail = " ".join(
            part for part in (call.form.get("ErrorCode", ""), call.form.get("AnsweredBy", "")) if part
        )
        entry = Receipt(
            at=call.at,
            by=_BY,
            delivery=call.delivery,
            status=status[:40],
            provider_id=sid[:64],
            detail=detail[:200],
        )
        await self._keep(call, entry, sid, status)
        return _twiml("")

    async def sms(self, request: WebRequest) -> Response:
        """Somebody wrote to our number; the fold knows whose number it is, and which page is meant."""
        call = await self._authentic(request)
        entry = Answer(
            at=call.at,
            by=_BY,
            channel="SMS",
            text=call.form.get("Body", "")[:160],
            address=call.form.get("From", "")[:64],
        )
        await self._keep(call, entry, call.form.get("MessageSid", ""), "sms")
        return _twiml("")

    async def _authentic(self, request: WebRequest) -> Callback:
        """Raises Refused."""
        site, headers = self._site, headers_of(request.scope)
        if not site.settings.twilio_secrets:
            raise refuse.no_secret("TWILIO_AUTH_TOKEN")
        if not site.public_url:
            raise refuse.no_secret("TOCSIN_PUBLIC_URL")
        delivery = request.path_params.get("delivery", "")
        if delivery and not _DELIVERY.fullmatch(delivery):
            raise refuse.unknown_page()
        raw = await body.read(
            request.receive,
            headers.get("content-length", ""),
            _MAX_BYTES,
            site.room,
            site.settings.body_wait_s,
        )
        site.room.give_back(len(raw))
        fields = _fields(raw)
        try:
            twilio_signature.verify(_url(site, request), fields, headers, site.settings.twilio_secrets)
        except BadSignature as error:
            raise refuse.unauthentic(error) from error
        return Callback(dict(fields), delivery, site.now(), raw, headers)

    async def _keep(self, call: Callback, entry: AnyEntry, sid: str, what: str) -> None:
        """Raises Refused. Twilio calls again when it heard no answer: that is still one entry."""
        once = f"{sid}:{call.delivery}:{what}" if sid else ""
        event = NewEvent(Lane.CONTROL, once, encode_entry(entry))
        headers = orjson.dumps(redacted(call.headers))
        await keep(self._site, Request(SOURCE, call.raw, headers, (event,), (), DAY))


def _url(site: Site, request: WebRequest) -> str:
    query: str = request.scope["query_string"].decode("latin-1")
    path: str = request.scope.get("raw_path", b"").decode("latin-1") or request.scope["path"]
    return site.public_url + path + (f"?{query}" if query else "")


def _fields(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Refused(
            400, "form", "the body is not a form", "Twilio sends application/x-www-form-urlencoded"
        ) from error


def _twiml(inner: str) -> Response:
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>',
        media_type="text/xml",
        headers={"cache-control": "no-store"},
    )
