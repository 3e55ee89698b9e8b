"""A program that takes signed webhooks, as strict as the specification allows: each id once, old ones refused."""

from typing import Any

from vendor_server import Asked, Reply, VendorServer

from ledger import standard_webhooks
from ledger.clock import now_ms
from routing.errors import BadSignature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"


class WebhookStandin(VendorServer):
    """`taken`: bodies by webhook-id, in order; a repeat changes nothing."""

    def __init__(self, secret: str = SECRET) -> None:
        super().__init__()
        self.secret = secret
        self.taken: dict[str, Any] = {}

    def channel(self, **changes: Any) -> dict[str, Any]:
        """What the channel needs to use it."""
        return {"url": f"{self.url}/tocsin", "secret": SECRET, "allow_private": True, **changes}

    def answer(self, asked: Asked) -> Reply:
        name, at, signatures = (
            asked.headers.get(f"webhook-{each}", "") for each in ("id", "timestamp", "signature")
        )
        if asked.method != "POST" or asked.headers.get("content-type") != "application/json":
            return Reply(415)
        try:
            standard_webhooks.verify([self.secret], name, at, signatures, asked.body, now_ms() / 1000)
        except BadSignature as error:
            return Reply(401, {"error": error.reason})
        self.taken.setdefault(name, asked.json)
        return Reply(200, {})
