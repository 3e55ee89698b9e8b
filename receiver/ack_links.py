"""`/a/{token}`: a link in an e-mail or SMS that acknowledges an incident, or approves or denies a repair.

Opening it only shows what would be done, because mail scanners open every link; the button does it.
"""

import hashlib
from base64 import b64encode
from html import escape

from starlette.requests import Request as WebRequest
from starlette.responses import Response
from starlette.routing import Route

from ledger import links, records
from ledger.log import NewEvent, Request
from receiver import refuse
from receiver.site import Site
from receiver.take import keep
from routing.decision import Table
from routing.delivery import Delivery, Purpose
from routing.entry import Answer, Lane, encode_entry
from routing.errors import BadSignature
from routing.incident import Incident, Phase
from routing.instant import MINUTE, iso

SOURCE = "ack_link"
_TEST = "test-"
"""What ids of tests begin with; those of pages with their incident's."""
_STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;"
    "color:#1b1b1b;background:#fff}h1{font-size:1.5rem}dt{color:#595959}dd{margin:0 0 .6rem}"
    "button{font:inherit;font-weight:600;padding:.8rem 1.6rem;border:0;border-radius:.4rem;background:#05f;"
    "color:#fff}@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}dt{color:#aaa}}"
)
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}

_DECISIONS = {
    "approve": ("Approved", "<p>Thank you. It goes on once everyone it needs has approved.</p>"),
    "deny": ("Denied", "<p>Thank you. It is not done, and that is recorded.</p>"),
}


class AckLinks:
    """Routes of the links in messages."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        return [
            Route("/a/{token}", self.show, methods=["GET"]),
            Route("/a/{token}", self.acknowledge, methods=["POST"]),
            Route("/a/{token}/{decision:str}", self.decide, methods=["POST"]),
        ]

    async def show(self, request: WebRequest) -> Response:
        """What would be acknowledged, and a button."""
        try:
            delivery = self._delivery(request)
        except BadSignature as error:
            return self._refused(request, error)
        if delivery.startswith(_TEST):
            return _page("This is a test", f"<p>Nothing is wrong.</p>{_button('It reached me')}")
        incident = await self._incident(delivery)
        if incident is None:
            return _page("Nothing to acknowledge", "<p>This incident is closed and archived.</p>")
        if incident.phase is Phase.RESOLVED:
            return _page("Already resolved", _facts(incident))
        if (asks := await self._approval(incident, delivery)) is not None:
            return _asking(incident, asks, request.path_params["token"])
        if incident.phase is Phase.ACKNOWLEDGED:
            by = escape(incident.acknowledged_by or "somebody")
            return _page(
                "Already acknowledged", f"<p>By {by}.</p>{_facts(incident)}{_button('Take it over')}"
            )
        return _page("Acknowledge this incident?", _facts(incident) + _button("Acknowledge: it is mine"))

    async def decide(self, request: WebRequest) -> Response:
        """The button that approves, or the one that denies. Raises Refused when it cannot be kept."""
        decision = request.path_params["decision"]
        if decision not in _DECISIONS:
            raise refuse.unknown_page()
        try:
            delivery = self._delivery(request)
        except BadSignature as error:
            return self._refused(request, error)
        await self._keep(delivery, decision)
        return _page(*_DECISIONS[decision])

    async def acknowledge(self, request: WebRequest) -> Response:
        """The button. Pressed twice, it is one acknowledgement. Raises Refused when it cannot be kept."""
        try:
            delivery = self._delivery(request)
        except BadSignature as error:
            return self._refused(request, error)
        await self._keep(delivery, "ack")
        if delivery.startswith(_TEST):
            return _page("Thank you", "<p>So pages reach you here.</p>")
        return _page("Acknowledged", "<p>Thank you. Nobody else is called for it now. It is yours.</p>")

    async def _keep(self, delivery: str, text: str) -> None:
        entry = Answer(at=self._site.now(), by=SOURCE, channel="a link", text=text, delivery=delivery)
        event = NewEvent(Lane.CONTROL, f"{delivery}:{text}", encode_entry(entry))
        await keep(self._site, Request(SOURCE, b"", b"{}", (event,), (), MINUTE))

    def _delivery(self, request: WebRequest) -> str:
        """Raises BadSignature, or Refused when this process was given no secret to check with."""
        secret = self._site.settings.link_secret
        if not secret:
            raise refuse.no_secret("TOCSIN_LINK_SECRET")
        return links.read(secret, request.path_params["token"], self._site.now())

    async def _incident(self, delivery: str) -> Incident | None:
        """As it is now; None when it is not live any more. Raises redis.RedisError."""
        key = delivery.rpartition("-d")[0]
        return await records.read_soon(
            self._site.client, self._site.keys.state(Table.INCIDENT), key, Incident
        )

    async def _approval(self, incident: Incident, delivery: str) -> Delivery | None:
        """The message, if it asks for approval. Raises redis.RedisError."""
        place = self._site.keys.owned(incident.id, Table.DELIVERY)
        found = await records.read_soon(self._site.client, place, delivery, Delivery)
        return found if found is not None and found.purpose is Purpose.APPROVAL else None

    def _refused(self, request: WebRequest, error: BadSignature) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._site.refused(SOURCE, refuse.unauthentic(error), headers)
        text = f"<p>{escape(error.reason).capitalize()}.</p><p>{escape(error.hint).capitalize()}.</p>"
        return _page("This link cannot be used", text, status=401)


def _asking(incident: Incident, asks: Delivery, token: str) -> Response:
    """What would be done, and two buttons."""
    lines = "".join(f"<p>{escape(line)}</p>" for line in asks.message.body.splitlines()[1:4])
    buttons = _button("Approve: do it", f"/a/{token}/approve") + _button("Deny: do not", f"/a/{token}/deny")
    return _page("Approve this repair?", _facts(incident) + lines + buttons)


def _facts(incident: Incident) -> str:
    facts = (
        ("Incident", incident.id),
        ("Severity", str(incident.severity)),
        ("Service", incident.service),
        ("Opened", iso(incident.opened_at)),
    )
    listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    return f"<p><strong>{escape(incident.title)}</strong></p><dl>{listed}</dl>"


def _button(label: str, to: str = "") -> str:
    action = f' action="{to}"' if to else ""
    return f'<form method="post"{action}><button type="submit">{label}</button></form>'


def _page(title: str, inner: str, status: int = 200) -> Response:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{inner}</main></body></html>"
    )
    return Response(page, status_code=status, media_type="text/html", headers=_HEADERS)
