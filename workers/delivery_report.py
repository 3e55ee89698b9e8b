"""A mail server's report that a mail was not delivered, read as far as it concerns a delivery of ours.

Source: RFC 3464 (delivery status notifications), RFC 6522 (multipart/report). Anybody may write such a mail: what
counts is that it names the mail by a name nobody could guess.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Final

from workers import redaction
from workers.text import cut, one_line

NAME: Final = re.compile(r"(?P<delivery>[A-Za-z0-9-]{1,64})\.a\d{1,6}\.[0-9a-f]{16}")
"""As `workers.letter.name` makes them."""
_MOST_DETAIL = 200
_STATUS = {"failed": "bounced", "delivered": "delivered"}


@dataclass(frozen=True, slots=True)
class Report:
    """`status` in the words of receipts, "" where it changes nothing, as for a delay."""

    name: str
    delivery: str
    status: str
    detail: str


def read(raw: bytes) -> Report | None:
    """None for any other mail, also for a report of a mail that is not ours."""
    try:
        return _report(message_from_bytes(raw))
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return None  # the parser takes any bytes, but does not promise to make sense of all headers


def _report(mail: Message) -> Report | None:
    kind = str(mail.get_param("report-type", "")).lower()
    if mail.get_content_type() != "multipart/report" or kind != "delivery-status" or not mail.is_multipart():
        return None
    fields = [block for part in mail.walk() for block in _blocks(part)]
    named = NAME.fullmatch(_envelope_id(fields)) or NAME.fullmatch(_message_id(mail))
    if named is None:
        return None
    recipients = [block for block in fields if block.get("Action")]
    actions = [str(block["Action"]).strip().lower() for block in recipients]
    action = "failed" if "failed" in actions else next(iter(actions), "")
    about = next((block for block, each in zip(recipients, actions, strict=True) if each == action), None)
    return Report(named[0], named["delivery"], _STATUS.get(action, ""), _detail(about) if about else "")


def _blocks(part: Message) -> list[Message]:
    """Of a status part: what it says of the mail, then of each recipient."""
    inner = part.get_payload() if part.get_content_type() == "message/delivery-status" else None
    return [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []


def _envelope_id(fields: list[Message]) -> str:
    return next(
        (str(each["Original-Envelope-Id"]).strip() for each in fields if "Original-Envelope-Id" in each), ""
    )


def _message_id(mail: Message) -> str:
    """Of the mail that came back, which stands in the report whole or with its headers alone."""
    for part in mail.walk():
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            found = str(inner.get("Message-ID", "")) if isinstance(inner, Message) else ""
        elif part.get_content_type() == "text/rfc822-headers":
            headers = part.get_payload(decode=True)
            found = str(
                message_from_bytes(headers if isinstance(headers, bytes) else b"").get("Message-ID", "")
            )
        else:
            continue
        return found.strip().removeprefix("<").partition("@")[0]
    return ""


def _detail(recipient: Message) -> str:
    """Like "5.1.1 550 no such user"."""
    said = str(recipient.get("Diagnostic-Code", "")).partition(";")[2]
    told = one_line(f"{recipient.get('Status', '')} {said}")
    return cut(redaction.text(told), _MOST_DETAIL)
