"""What Twilio tells us: keys pressed during a call, SMS sent back, and how a call or a message went.

Signatures are checked over the public URL of the settings: the Host header is anybody's to write. Answers are
TwiML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from receiver import callback, refuse, twilio_signature
from receiver.site import Site
from routing.entry import Answer, AnyEntry, Receipt, Verb
from routing.errors import BadSignature
from routing.response import answers

SECRETS = ("TWILIO_AUTH_TOKEN",)
"""The account's token, or several with commas while it is rolled."""
SOURCE = "twilio"
_BY = "twilio"
_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")
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


def routes(site: Site) -> list[Route]:
    calls = _Calls(site)
    return [
        Route("/callbacks/twilio/gather/{delivery}", calls.gather, methods=["POST"]),
        Route("/callbacks/twilio/status/{delivery}", calls.status, methods=["POST"]),
        Route("/callbacks/twilio/sms", calls.sms, methods=["POST"]),
    ]


class _Calls:
    def __init__(self, site: Site) -> None:
        self._site = site

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
        site = self._site
        secrets = callback.secrets(site, *SECRETS)
        url = callback.public_url(site, request)
        delivery = request.path_params.get("delivery", "")
        if delivery and not _DELIVERY.fullmatch(delivery):
            raise refuse.unknown_page()
        raw, headers = await callback.read(site, request)
        fields = callback.fields(raw, "Twilio")
        try:
            twilio_signature.verify(url, fields, headers, secrets)
        except BadSignature as error:
            raise refuse.unauthentic(error) from error
        return Callback(dict(fields), delivery, site.now(), raw, headers)

    async def _keep(self, call: Callback, entry: AnyEntry, sid: str, what: str) -> None:
        """Raises Refused."""
        once = f"{sid}:{call.delivery}:{what}" if sid else ""
        await callback.note(self._site, SOURCE, entry, once, call.raw, call.headers)


def _twiml(inner: str) -> Response:
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>',
        media_type="text/xml",
        headers={"cache-control": "no-store"},
    )
