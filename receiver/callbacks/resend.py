"""What Resend tells us of mails it sent for us: delivered, bounced, complained of.

Signed as Standard Webhooks are, with headers that begin with `svix-` or `webhook-`. A mail's delivery is the tag
`delivery` that we gave it. Source: resend.com/docs/dashboard/webhooks/event-types, /verify-webhooks-requests.
"""

from typing import Any, Final

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from ledger import standard_webhooks
from receiver import callback, refuse
from receiver.site import Site
from routing.entry import Receipt
from routing.errors import BadSignature

SECRETS = ("RESEND_WEBHOOK_SECRET",)
"""`whsec_` and base64, as Resend shows it for the endpoint; or several with commas while it is rolled."""
SOURCE = "resend"
_STATUS: Final = {
    "email.delivered": "delivered",
    "email.bounced": "bounced",
    "email.suppressed": "bounced",
    "email.failed": "failed",
    "email.complained": "complained",
}
"""All else Resend tells of a mail changes nothing for us."""


def routes(site: Site) -> list[Route]:
    return [Route("/callbacks/resend", _Events(site).take, methods=["POST"])]


class _Events:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def take(self, request: WebRequest) -> Response:
        site = self._site
        secrets = callback.secrets(site, *SECRETS)
        raw, headers = await callback.read(site, request)
        name, at, signatures = (_header(headers, each) for each in ("id", "timestamp", "signature"))
        try:
            standard_webhooks.verify(secrets, name, at, signatures, raw, site.now() / 1000)
        except BadSignature as error:
            raise refuse.unauthentic(error) from error
        if receipt := _receipt(callback.json_object(raw, "Resend"), site.now()):
            await callback.note(site, SOURCE, receipt, name[:100], raw, headers)
        return Response(status_code=200, headers={"cache-control": "no-store"})


def _header(headers: dict[str, str], name: str) -> str:
    return headers.get(f"svix-{name}") or headers.get(f"webhook-{name}", "")


def _receipt(event: dict[str, Any], at: int) -> Receipt | None:
    """None for what changes nothing, or is not of a delivery of ours."""
    status = _STATUS.get(str(event.get("type")), "")
    data = event.get("data")
    data = data if isinstance(data, dict) else {}
    delivery = callback.delivery_name(_tag(data.get("tags"), "delivery"))
    if not status or not delivery:
        return None
    mail = data.get("email_id")
    return Receipt(
        at=at,
        by=SOURCE,
        delivery=delivery,
        status=status,
        provider_id=mail[:100] if isinstance(mail, str) else "",
        detail=_detail(data)[:200],
    )


def _tag(tags: Any, name: str) -> str:
    """Resend has written tags as an object and as a list of names and values."""
    if isinstance(tags, list):
        tags = {each.get("name"): each.get("value") for each in tags if isinstance(each, dict)}
    found = tags.get(name) if isinstance(tags, dict) else ""
    return found if isinstance(found, str) else ""


def _detail(data: dict[str, Any]) -> str:
    """Like "Permanent General: the mailbox does not exist"."""
    why: dict[str, Any] = next(
        (data[name] for name in ("bounce", "suppressed", "failed") if isinstance(data.get(name), dict)), {}
    )
    kind = " ".join(
        str(why[name]) for name in ("type", "subType", "reason") if isinstance(why.get(name), str)
    )
    said = why.get("message")
    return f"{kind}: {said}" if isinstance(said, str) and said else kind
