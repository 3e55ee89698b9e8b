"""A letter: a notification as mail, whoever carries it. Subject, text, HTML and the headers that make a thread.

Sources: RFC 5322 (threading headers), RFC 3834 (Auto-Submitted), RFC 2919 (List-Id).
"""

import re
import secrets
from dataclasses import dataclass

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification
from workers import letter_page, mail_address
from workers.text import cut, one_line, whole

_MOST_SUBJECT = 200
_DOES = {Purpose.APPROVAL: "Approve or deny", Purpose.TEST: "Confirm"}
_REPEAT = "This may be a repeat of an earlier mail."


@dataclass(frozen=True, slots=True)
class Letter:
    """`headers` are one clean line each, whatever came; without From, To, Subject, Date and Message-ID."""

    subject: str
    text: str
    html: str
    headers: dict[str, str]


def write(notification: Notification, from_address: str) -> Letter:
    subject = ("(repeat?) " if notification.repeat else "") + one_line(notification.message.title)
    return Letter(
        subject=cut(subject, _MOST_SUBJECT),
        text=_text(notification),
        html=notification.message.html
        or letter_page.html(notification, does(notification), _REPEAT if notification.repeat else ""),
        headers=_headers(notification, mail_address.domain_of(from_address)),
    )


def check_address(notification: Notification) -> str:
    """To whom. Raises DeliveryError for an address that is none."""
    if not re.fullmatch(mail_address.PATTERN, notification.to):
        raise DeliveryError(f"not a mail address: {notification.to!r}", outcome=Outcome.PERMANENT)
    return notification.to


def name(notification: Notification) -> str:
    """Of this attempt, for Message-ID and envelope: "INC-1-d1.a1.5f0c2a9be1d34c77".

    Nobody can guess it who has not seen the mail: so nobody else can report that it failed.
    """
    return f"{notification.delivery}.a{notification.attempt}.{secrets.token_hex(8)}"


def does(notification: Notification) -> str:
    """What the link leads to."""
    return _DOES.get(notification.purpose, "Acknowledge")


def _headers(notification: Notification, domain: str) -> dict[str, str]:
    headers = {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": f"Tocsin <tocsin.{domain}>",
    }
    if notification.incident:
        # No mail has the thread's own id: clients put all that refer to it together all the same.
        thread = f"<{notification.incident}@{domain}>"
        headers |= {"In-Reply-To": thread, "References": thread, "X-Tocsin-Incident": notification.incident}
    if notification.purpose is Purpose.PAGE:
        headers["Importance"] = "high"
    return headers


def _text(notification: Notification) -> str:
    title, _, rest = whole(notification.message).partition("\n")
    parts = [f"({_REPEAT})"] if notification.repeat else []
    parts += [part for part in (title, rest) if part]
    if notification.ack_url:
        parts.append(f"{does(notification)}: {notification.ack_url}")
    return "\n\n".join(parts) + "\n"
