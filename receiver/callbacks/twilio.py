"""What Twilio tells us: keys pressed during a call, SMS sent back, and how a call or a message went.

Signatures are checked over the public URL of the settings: the Host header is anybody's to write. Answers are
TwiML.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from redis.exceptions import RedisError
from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from receiver import callback, refuse, twilio_call, twilio_codes, twilio_signature
from receiver.site import Site
from routing.delivery import Delivery
from routing.entry import Answer, AnyEntry, Receipt
from routing.errors import BadSignature
from routing.incident import Incident

SECRETS = ("TWILIO_AUTH_TOKEN",)
"""The account's token, or several with commas while it is rolled."""
SOURCE = "twilio"
_BY = "twilio"


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
        Route("/callbacks/twilio/machine/{delivery}", calls.machine, methods=["POST"]),
        Route("/callbacks/twilio/sms", calls.sms, methods=["POST"]),
    ]


class _Calls:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def gather(self, request: WebRequest) -> Response:
        """Somebody pressed a key during the call, or none in time."""
        call = await self._authentic(request)
        digits = call.form.get("Digits", "")[:8]
        # As it stands before the key counts: else whoever takes it hears that it is taken.
        delivery, incident = await self._known(call.delivery)
        if digits:
            entry = Answer(at=call.at, by=_BY, channel="the phone", text=digits, delivery=call.delivery)
            await self._keep(call, entry, call.form.get("CallSid", ""), digits)
        address = callback.public_url(self._site, request).partition("?")[0]
        query = dict(request.query_params)
        return _twiml(twilio_call.reply(twilio_call.Heard(digits, query, address, delivery, incident)))

    async def status(self, request: WebRequest) -> Response:
        """How the call or the message went; several of these come for each, in any order."""
        call = await self._authentic(request)
        form = call.form
        sid = form.get("CallSid") or form.get("MessageSid") or form.get("SmsSid") or ""
        status = form.get("CallStatus") or form.get("MessageStatus") or form.get("SmsStatus") or ""
        found, detail = twilio_codes.status(status[:40], form.get("ErrorCode", ""))
        await self._receipt(call, sid, found, detail)
        return _twiml("<Response></Response>")

    async def machine(self, request: WebRequest) -> Response:
        """Whether a person or a machine has taken the call; nothing is made of it when Twilio cannot tell."""
        call = await self._authentic(request)
        answered_by = call.form.get("AnsweredBy", "")[:40]
        found = twilio_codes.ANSWERED_BY.get(answered_by.partition("_")[0])
        if found:
            await self._receipt(call, call.form.get("CallSid", ""), found, "")
        return _twiml("<Response></Response>")

    async def sms(self, request: WebRequest) -> Response:
        """Somebody wrote to our number; the fold knows whose number it is, and which page is meant."""
        call = await self._authentic(request)
        # Where Twilio keeps the list of who has opted out, it says what it took the words for, in any language.
        understood = call.form.get("OptOutType", "")
        if understood == "HELP":
            return _twiml("<Response></Response>")  # Twilio has answered it
        entry = Answer(
            at=call.at,
            by=_BY,
            channel="SMS",
            text=(understood or call.form.get("Body", ""))[:160],
            address=call.form.get("From", "")[:64],
        )
        await self._keep(call, entry, call.form.get("MessageSid", ""), "sms")
        return _twiml("<Response></Response>")

    async def _authentic(self, request: WebRequest) -> Callback:
        """Raises Refused."""
        site = self._site
        secrets = callback.secrets(site, *SECRETS)
        url = callback.public_url(site, request)
        delivery = request.path_params.get("delivery", "")
        if delivery and not callback.NAME.fullmatch(delivery):
            raise refuse.unknown_page()
        raw, headers = await callback.read(site, request)
        fields = callback.fields(raw, "Twilio")
        try:
            twilio_signature.verify(url, fields, headers, secrets)
        except BadSignature as error:
            raise refuse.unauthentic(error) from error
        return Callback(dict(fields), delivery, site.now(), raw, headers)

    async def _known(self, delivery: str) -> tuple[Delivery | None, Incident | None]:
        """As they are now. What cannot be read is not known: the key counts all the same."""
        with suppress(RedisError, OSError):
            return await callback.delivery(self._site, delivery), await callback.incident(
                self._site, delivery
            )
        return None, None

    async def _receipt(self, call: Callback, sid: str, status: str, detail: str) -> None:
        entry = Receipt(
            at=call.at,
            by=_BY,
            delivery=call.delivery,
            status=status,
            provider_id=sid[:64],
            detail=detail[:200],
        )
        await self._keep(call, entry, sid, status)

    async def _keep(self, call: Callback, entry: AnyEntry, sid: str, what: str) -> None:
        """Raises Refused."""
        once = f"{sid}:{call.delivery}:{what}" if sid else ""
        await callback.note(self._site, SOURCE, entry, once, call.raw, call.headers)


def _twiml(document: str) -> Response:
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>{document}',
        media_type="text/xml",
        headers={"cache-control": "no-store"},
    )
