"""SendGrid's mail/send, as strict as SendGrid: a key with Mail Send, a verified sender, the fields it documents."""

import re
from typing import Any

from vendor_server import Asked, Reply, VendorServer

KEY = "SG.standin"
VERIFIED = "example.com"
_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+\.[a-z]+")
_TAKES = {
    "personalizations", "from", "reply_to", "subject", "content", "headers", "custom_args", "tracking_settings",
}  # fmt: skip
_RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "to",
    "from",
    "subject",
    "reply-to",
}


class SendGridStandin(VendorServer):
    """`sent`: what was taken, in order, each with its `id`."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    def channel(self, **changes: Any) -> dict[str, Any]:
        """What the channel needs to use it."""
        return {"api_key": KEY, "from_address": "tocsin@example.com", "base_url": self.url, **changes}

    def fault(self, status: int) -> Any:
        return _fault(f"scripted {status}")

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(401, _fault("The provided authorization grant is invalid, expired, or revoked"))
        if (asked.method, asked.path) != ("POST", "/v3/mail/send"):
            return Reply(404, _fault("Resource not found"))
        if asked.headers.get("content-type") != "application/json":
            return Reply(415, _fault("Content-Type should be application/json."))
        if len(asked.body) > 30_000_000:
            return Reply(413, _fault("Payload too large"))
        mail = asked.json
        if wrong := _wrong(mail):
            return Reply(*wrong)
        made = {**mail, "id": f"14c5d75ce93.dfd.{len(self.sent) + 1:08x}"}
        self.sent.append(made)
        return Reply(202, b"", {"X-Message-Id": made["id"]})


def _wrong(mail: dict[str, Any]) -> tuple[int, Any] | None:
    if mail.keys() - _TAKES or not {"personalizations", "from", "subject", "content"} <= mail.keys():
        return 400, _fault("Bad Request", "personalizations")
    if mail["from"]["email"].rpartition("@")[2] != VERIFIED:
        return 403, _fault("The from address does not match a verified Sender Identity.", "from")
    for each in mail["personalizations"]:
        if not each["to"] or not all(_ADDRESS.fullmatch(to["email"]) for to in each["to"]):
            return 400, _fault("Does not contain a valid address.", "personalizations.0.to.0.email")
        if not all(isinstance(value, str) for value in each.get("custom_args", {}).values()):
            return 400, _fault("custom_args must be strings", "custom_args")
    if [part["type"] for part in mail["content"]] != ["text/plain", "text/html"]:
        return 400, _fault("text/plain must be first, followed by text/html", "content")
    if not all(part["value"] for part in mail["content"]) or not mail["subject"]:
        return 400, _fault("The content value must be a string at least one character in length.", "content")
    headers = mail.get("headers", {})
    plain = all(
        isinstance(value, str) and value.isascii() and not set("\r\n") & set(value)
        for value in headers.values()
    )
    if not plain or {name.lower() for name in headers} & _RESERVED:
        return 400, _fault("Invalid header", "headers")
    return None


def _fault(message: str, field: str | None = None) -> dict[str, Any]:
    return {"errors": [{"message": message, "field": field, "help": None}]}
