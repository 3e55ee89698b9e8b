"""E-mail over SMTP, as text and HTML, with a link to acknowledge.

Settings: host, port, security (starttls, tls, none), username, password, from_address, from_name, bounce_address,
ca_file, allow_plaintext. Sources: RFC 5322 (mail), RFC 3461 (asking for reports of failure).
"""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from ledger.clock import now_ms
from routing.ports import Notification, Sent
from workers import letter, mail_address, smtp
from workers.mailbox import Mailbox
from workers.smtp_kept import Kept
from workers.text import one_line

TITLE = "E-mail (SMTP)"
VOICE = False
ADDRESS = mail_address.PATTERN
THREADS = True
LETTERS = True
KEPT: Final = Kept()
"""Of this process: a burst of mails does not connect and log in for each."""


Bounces = Mailbox


class Settings(smtp.Server):
    from_name: str = "Tocsin"


def send(notification: Notification, settings: Settings, timeout_s: float) -> Sent:
    """Raises DeliveryError."""
    name = letter.name(notification)
    message = _message(notification, settings)
    message["Message-ID"] = f"<{name}@{mail_address.domain_of(settings.from_address)}>"
    answer = smtp.hand_over(settings, message, notification.to, timeout_s, envelope_id=name, kept=KEPT)
    return Sent(name, answer)


def preview(notification: Notification, settings: Settings) -> dict[str, str]:
    message = _message(notification, settings)
    text = message.get_body(("plain",))
    headers = {
        name: str(value) for name, value in message.items() if not name.startswith(("MIME", "Content"))
    }
    sender = {} if "From" in headers else {"From": settings.from_address}
    return sender | headers | {"Text": text.get_content() if text else ""}


def _message(notification: Notification, settings: Settings) -> EmailMessage:
    """Raises DeliveryError for an address that is none."""
    written = letter.write(notification, settings.from_address)
    message = EmailMessage()
    if "@" in settings.from_address:  # in a preview without settings it is "(unset SMTP_FROM)"
        message["From"] = _address(settings.from_address, settings.from_name)
    message["To"] = _address(letter.check_address(notification))
    message["Subject"] = written.subject
    message["Date"] = formatdate(now_ms() / 1000, localtime=False)
    for name, value in written.headers.items():
        message[name] = value
    message.set_content(written.text)
    message.add_alternative(written.html, subtype="html")
    return message


def _address(bare: str, name: str = "") -> Address:
    username, _, domain = bare.rpartition("@")
    return Address(one_line(name), username, domain)
