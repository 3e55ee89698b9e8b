"""E-mail over SMTP, as text and HTML, with a link to acknowledge.

Settings: host, port, security (starttls, tls, none), username, password, from_address, from_name, ca_file,
allow_plaintext. Sources: RFC 5322 (threading headers), RFC 3834 (Auto-Submitted).
"""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from html import escape

from ledger.clock import now_ms
from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from workers import smtp
from workers.text import cut, one_line, printable

TITLE = "E-mail (SMTP)"
VOICE = False


class Settings(smtp.Server):
    from_name: str = "Tocsin"


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    message = _message(notification, settings)
    answer = smtp.hand_over(settings, message, notification.to, timeout_s)
    return Sent(str(message["Message-ID"]), answer)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    message = _message(notification, settings)
    text = message.get_body(("plain",))
    headers = {
        name: str(value) for name, value in message.items() if not name.startswith(("MIME", "Content"))
    }
    sender = {} if "From" in headers else {"From": settings.from_address}
    return sender | headers | {"Text": text.get_content() if text else ""}


def _message(notification: Notification, settings: Settings) -> EmailMessage:
    """Raises DeliveryError for an address that is none. Each header gets one clean line, whatever came."""
    message = EmailMessage()
    if "@" in settings.from_address:  # in a preview without settings it is "(unset SMTP_FROM)"
        message["From"] = _address(settings.from_address, settings.from_name)
    if not re.fullmatch(smtp.ADDRESS, notification.to):
        raise DeliveryError(f"not a mail address: {notification.to!r}", outcome=Outcome.PERMANENT)
    message["To"] = _address(notification.to)
    domain = settings.from_address.rpartition("@")[2] if "@" in settings.from_address else "sandbox.invalid"
    message["Subject"] = cut(_subject(notification), 200)
    message["Date"] = formatdate(now_ms() / 1000, localtime=False)
    message["Message-ID"] = f"<{notification.delivery}.a{notification.attempt}@{domain}>"
    if notification.incident:
        # No mail has the thread's own id: clients put all that refer to it together all the same.
        thread = f"<{notification.incident}@{domain}>"
        message["In-Reply-To"] = thread
        message["References"] = thread
        message["X-Tocsin-Incident"] = notification.incident
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if notification.purpose is Purpose.PAGE:
        message["Importance"] = "high"
    message.set_content(_text(notification))
    message.add_alternative(_html(notification), subtype="html")
    return message


def _address(bare: str, name: str = "") -> Address:
    username, _, domain = bare.rpartition("@")
    return Address(one_line(name), username, domain)


def _subject(notification: Notification) -> str:
    repeat = "(repeat?) " if notification.repeat else ""
    return repeat + one_line(notification.message.title)


def _text(notification: Notification) -> str:
    parts = ["(This may be a repeat of an earlier mail.)"] if notification.repeat else []
    parts += [one_line(notification.message.title), printable(notification.message.body)]
    if notification.ack_url:
        parts.append(f"{_does(notification)}: {notification.ack_url}")
    return "\n\n".join(parts) + "\n"


def _does(notification: Notification) -> str:
    """What the link leads to."""
    return "Approve or deny" if notification.purpose is Purpose.APPROVAL else "Acknowledge"


def _html(notification: Notification) -> str:
    """Everything of a payload is escaped; the only link is ours."""
    repeat = "<p><em>This may be a repeat of an earlier mail.</em></p>" if notification.repeat else ""
    body = escape(printable(notification.message.body)).replace("\n", "<br>\n")
    button = (
        f'<p><a href="{escape(notification.ack_url)}" style="background:#b00020;color:#fff;padding:12px 20px;'
        f'border-radius:4px;text-decoration:none;font-weight:bold">{_does(notification)}</a></p>'
        if notification.ack_url
        else ""
    )
    about = f"{notification.incident}, {notification.severity}, " if notification.incident else ""
    return (
        '<!doctype html><html><body style="font-family:sans-serif;font-size:16px;line-height:1.5">'
        f'{repeat}<h2 style="font-size:18px">{escape(one_line(notification.message.title))}</h2>'
        f'<p>{body}</p>{button}<p style="color:#666;font-size:13px">{escape(about)}'
        f"delivery {escape(notification.delivery)}</p></body></html>"
    )
