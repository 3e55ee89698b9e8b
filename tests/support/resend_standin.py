"""Resend's list of mails, as strict about its parameters as Resend: a key that may read, pages of at most a hundred."""

from datetime import UTC, datetime
from typing import Any

from vendor_server import Asked, Reply, VendorServer

KEY = "re_standin"


class ResendStandin(VendorServer):
    """`mails`: newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[dict[str, Any]] = []

    def settings(self, **changes: str) -> dict[str, str]:
        return {"token": KEY, "base_url": self.url, **changes}

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
        return {"statusCode": status, "name": "scripted", "message": f"scripted {status}"}

    def answer(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return Reply(
                401, {"statusCode": 401, "name": "restricted_api_key", "message": "API key is invalid"}
            )
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
