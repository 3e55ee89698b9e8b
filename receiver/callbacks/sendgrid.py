"""What SendGrid tells us of mails it sent for us: delivered, bounced, dropped, complained of. Many in one request.

Signed by SendGrid's private key over the timestamp and the body. A mail's delivery and its name are the arguments
`tocsin-delivery` and `tocsin-mail` that we gave it. Source:
twilio.com/docs/sendgrid/for-developers/tracking-events/event, and its page on security.
"""

from contextlib import suppress
from typing import Any, Final

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from receiver import callback, ecdsa, refuse
from receiver.site import Site
from routing.entry import Receipt
from routing.errors import BadSignature
from routing.instant import DAY, HOUR

SECRETS = ("SENDGRID_WEBHOOK_PUBLIC_KEY",)
"""The verification key that SendGrid shows for the signed event webhook; or several with commas."""
SOURCE = "sendgrid"
_MAX_BYTES = 1_048_576
"""SendGrid sends what happened within a second at once, up to 768 KB."""
_OLDEST_MS: Final = DAY + HOUR
"""It tries for a day."""
_STATUS: Final = {
    "delivered": "delivered",
    "bounce": "bounced",
    "dropped": "bounced",
    "spamreport": "complained",
}
"""All else SendGrid tells of a mail changes nothing for us."""


def routes(site: Site) -> list[Route]:
    return [Route("/callbacks/sendgrid", _Events(site).take, methods=["POST"])]


class _Events:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def take(self, request: WebRequest) -> Response:
        site = self._site
        keys = callback.secrets(site, *SECRETS)
        raw, headers = await callback.read(site, request, _MAX_BYTES)
        _check(keys, raw, headers, site.now())
        events = callback.json_objects(raw, "SendGrid")
        receipts = [(receipt, _once(event)) for event in events if (receipt := _receipt(event, site.now()))]
        if receipts:
            await callback.note_all(site, SOURCE, receipts, raw, headers)
        return Response(status_code=200, headers={"cache-control": "no-store"})


def _check(keys: tuple[str, ...], raw: bytes, headers: dict[str, str], now: int) -> None:
    """Raises Refused."""
    signature = headers.get("x-twilio-email-event-webhook-signature", "")
    at = headers.get("x-twilio-email-event-webhook-timestamp", "")
    try:
        _check_age(at, now)
        _check_signature(keys, signature, at.encode() + raw)
    except BadSignature as error:
        raise refuse.unauthentic(error) from error


def _check_age(at: str, now: int) -> None:
    """Raises BadSignature."""
    if not at.isascii() or not at.isdigit() or len(at) > 15:  # noqa: PLR2004
        raise BadSignature("SendGrid's headers are missing", "enable the signed event webhook at SendGrid")
    if abs(int(at) * 1000 - now) > _OLDEST_MS:
        raise BadSignature("the timestamp is not of now", "an old request is not taken again")


def _check_signature(keys: tuple[str, ...], signature: str, message: bytes) -> None:
    """Raises BadSignature. A key of ours that cannot be read is none."""
    for key in keys:
        with suppress(ValueError):
            if ecdsa.verify(key, signature, message):
                return
    hint = "check SENDGRID_WEBHOOK_PUBLIC_KEY, and that nothing rewrites the body"
    raise BadSignature("SendGrid's signature does not match", hint)


def _receipt(event: dict[str, Any], at: int) -> Receipt | None:
    """None for what changes nothing, or is not of a delivery of ours."""
    status = _STATUS.get(str(event.get("event")), "")
    delivery = callback.delivery_name(_text(event, "tocsin-delivery"))
    if not status or not delivery:
        return None
    told = [_text(event, name) for name in ("type", "status", "reason")] if status == "bounced" else []
    return Receipt(
        at=at,
        by=SOURCE,
        delivery=delivery,
        status=status,
        provider_id=_text(event, "tocsin-mail")[:100],
        detail=" ".join(each for each in told if each)[:200],
    )


def _once(event: dict[str, Any]) -> str:
    return _text(event, "sg_event_id")[:100]


def _text(event: dict[str, Any], name: str) -> str:
    found = event.get(name)
    return found if isinstance(found, str) else ""
