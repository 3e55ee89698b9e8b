"""Resend, as strict as Resend: its list of mails, for a key that may read, in pages of at most a hundred; and sending,
once for each idempotency key.
"""

import re
from datetime import UTC, datetime
from typing import Any

from vendor_server import Asked, Reply, VendorServer

KEY = "re_standin"
VERIFIED = "example.com"
"""The domain that may be sent from."""
_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+\.[a-z]+")
_FROM = re.compile(r'(?:"?[^<>"]*"? )?<?(?P<address>[^<>]+?)>?')
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TAKES = {"from", "to", "subject", "text", "html", "headers", "tags", "bcc", "cc", "reply_to", "scheduled_at"}
_NAMES = {
    400: "validation_error", 401: "missing_api_key", 403: "invalid_api_key", 404: "not_found",
    409: "invalid_idempotent_request", 422: "missing_required_field", 429: "rate_limit_exceeded",
    451: "security_error", 500: "application_error",
}  # fmt: skip


class ResendStandin(VendorServer):
    """`mails`: newest first. `sent`: what was taken to be sent, in order, each with its `id`."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self._keys: dict[str, dict[str, Any]] = {}
        self.refuses = ""
        """The name of an error that sending is answered with."""

    def settings(self, **changes: str) -> dict[str, str]:
        return {"token": KEY, "base_url": self.url, **changes}

    def channel(self, **changes: Any) -> dict[str, Any]:
        """What the channel needs to use it."""
        return {"api_key": KEY, "from_address": "tocsin@example.com", "base_url": self.url, **changes}

    def mail(self, event: str, made_at: int) -> dict[str, Any]:
        """`made_at` in ms."""
        made = {
            "id": f"mail-{len(self.mails) + 1}", "message_id": "<m@shop.example>", "to": ["ola@customer.example"],
            "from": "Shop <shop@shop.example>", "subject": "Your booking", "bcc": [], "cc": [], "reply_to": [],
            "created_at": datetime.fromtimestamp(made_at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00"),
            "last_event": event,
        }  # fmt: skip
        self.mails.append(made)
        self.mails.sort(key=lambda each: str(each["created_at"]), reverse=True)
        return made

    def fault(self, status: int) -> Any:
        return _fault(status, _NAMES.get(status, "scripted"))

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(
                401, {"statusCode": 401, "name": "restricted_api_key", "message": "API key is invalid"}
            )
        if (asked.method, asked.path) == ("POST", "/emails"):
            return self.send(asked)
        if (asked.method, asked.path) != ("GET", "/emails"):
            return Reply(
                404, {"statusCode": 404, "name": "not_found", "message": "The requested endpoint is unknown"}
            )
        given = {name: values[0] for name, values in asked.query.items()}
        limit, after = given.pop("limit", "20"), given.pop("after", "")
        if given or not limit.isdigit() or not 1 <= int(limit) <= 100:
            return Reply(
                422, {"statusCode": 422, "name": "validation_error", "message": "Invalid pagination"}
            )
        ids = [each["id"] for each in self.mails]
        if after and after not in ids:
            return Reply(422, {"statusCode": 422, "name": "validation_error", "message": "Invalid cursor"})
        rest = self.mails[ids.index(after) + 1 :] if after else self.mails
        return Reply(200, {"object": "list", "has_more": len(rest) > int(limit), "data": rest[: int(limit)]})

    def send(self, asked: Asked) -> Reply:
        if self.refuses:
            status = next((status for status, name in _NAMES.items() if name == self.refuses), 429)
            return Reply(409 if "idempotent" in self.refuses else status, _fault(status, self.refuses))
        if asked.headers.get("content-type") != "application/json":
            return Reply(400, _fault(400, "validation_error"))
        key, mail = asked.headers.get("idempotency-key", ""), asked.json
        if not 1 <= len(key) <= 256:
            return Reply(400, _fault(400, "invalid_idempotency_key"))
        if key in self._keys:
            known = self._keys[key]
            same = {name: value for name, value in known.items() if name != "id"} == mail
            return (
                Reply(200, {"id": known["id"]})
                if same
                else Reply(409, _fault(409, "invalid_idempotent_request"))
            )
        if wrong := _wrong(mail):
            return Reply(*wrong)
        self._keys[key] = {**mail, "id": f"49a3999c-0ce1-4ea6-ab68-{len(self.sent) + 1:012x}"}
        self.sent.append(self._keys[key])
        return Reply(200, {"id": self._keys[key]["id"]})


def _wrong(mail: dict[str, Any]) -> tuple[int, Any] | None:
    if (
        mail.keys() - _TAKES
        or not {"from", "to", "subject"} <= mail.keys()
        or not mail.keys() & {"text", "html"}
    ):
        return 422, _fault(422, "missing_required_field")
    sender = _FROM.fullmatch(mail["from"])
    if sender is None or not _ADDRESS.fullmatch(sender["address"]):
        return 422, _fault(422, "invalid_from_address")
    if sender["address"].rpartition("@")[2] != VERIFIED:
        return 403, _fault(403, "validation_error")
    if not mail["to"] or len(mail["to"]) > 50 or not all(_ADDRESS.fullmatch(each) for each in mail["to"]):
        return 422, _fault(422, "validation_error")
    values = [*mail.get("headers", {}).values(), mail["subject"]]
    tags = [text for tag in mail.get("tags", ()) for text in (tag["name"], tag["value"])]
    good = all(isinstance(each, str) and not set("\r\n") & set(each) for each in values)
    return (
        None
        if good and all(_TAG.fullmatch(each) for each in tags)
        else (422, _fault(422, "validation_error"))
    )


def _fault(status: int, name: str) -> dict[str, Any]:
    return {"statusCode": status, "name": name, "message": f"refused with {name}"}
