"""E-mail as a customer would get it: a test mail is handed in, and, where there is a mailbox, seen to arrive.

Settings: host, port, security, username, password, from_address, ca_file, allow_plaintext, as of the channel `email`;
to, an address of the operator's own; mailbox, where that address is read (host, port, security, username, password,
folder, ca_file), over IMAP.
"""

import secrets
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from routing.entry import Outcome
from routing.errors import ActionError, DeliveryError
from routing.ports import Action, Step
from workers import mail_address, mailbox, smtp
from workers.credentials import faults
from workers.deadline import Deadline
from workers.journal import note
from workers.mailbox import Mailbox

TITLE = "E-mail probe"


class Settings(smtp.Server):
    to: str = Field(pattern=mail_address.PATTERN)
    mailbox: Mailbox = Mailbox()


SETTINGS = tuple(Settings.model_fields)


class Send(BaseModel):
    """Where it goes the configuration alone says: nobody is written to because a payload says so.

    `wait_s`: how long it may take to arrive, within the step's timeout.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wait_s: int = Field(default=60, ge=1, le=600)


def send(step: Step, params: Send) -> dict[str, Any]:
    """Mail that is refused, or does not arrive, is a result, and no error; a mailbox that cannot be read is one.

    {"ok", "accepted", "arrived": null without a mailbox, "outcome": of handing it in: ok/temporary/permanent/unknown,
    "answer": of the server, "error", "token": in its subject, "accepted_ms", "arrived_ms"}
    """
    settings, deadline = _settings(step), Deadline(step.timeout_s)
    token = secrets.token_hex(8)
    told: dict[str, Any] = {
        "ok": True, "accepted": True, "arrived": None, "outcome": str(Outcome.OK), "answer": "", "error": "",
        "token": token, "accepted_ms": None, "arrived_ms": None,
    }  # fmt: skip
    try:
        told["answer"] = smtp.hand_over(
            settings, _message(settings, token, step.now), settings.to, deadline.left()
        )
        told["accepted_ms"] = deadline.passed_ms
    except DeliveryError as error:
        note(f"SMTP {settings.host} {error.outcome}")
        told |= {"ok": False, "accepted": False, "outcome": str(error.outcome), "error": str(error)}
        if error.outcome is not Outcome.UNKNOWN:
            return told
    else:
        note(f"SMTP {settings.host} accepted it")
    return told | _arrival(settings, token, params, deadline)


def _arrival(settings: Settings, token: str, params: Send, deadline: Deadline) -> dict[str, Any]:
    """What a mailbox adds. Silence after the mail was handed in is made up for by its arrival."""
    if not settings.mailbox.host or deadline.rest() <= 0:
        return {}
    begun_ms = deadline.passed_ms
    arrived = mailbox.await_mail(settings.mailbox, token, Deadline(min(params.wait_s, deadline.left())))
    note(f"IMAP {settings.mailbox.host} {'has it' if arrived else 'has it not'}")
    took_ms = deadline.passed_ms - begun_ms
    if not arrived:
        return {"ok": False, "arrived": False, "error": f"it has not arrived within {took_ms // 1000} s"}
    return {"ok": True, "accepted": True, "arrived": True, "arrived_ms": took_ms, "error": ""}


def _message(settings: Settings, token: str, now: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.from_address
    message["To"] = settings.to
    message["Subject"] = f"Tocsin mail probe {token}"
    message["Date"] = formatdate(now / 1000, localtime=False)
    message["Message-ID"] = f"<{token}.probe@{settings.from_address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content("A test whether mail is delivered. Nobody needs to read it; it may be deleted.\n")
    return message


def _settings(step: Step) -> Settings:
    """Raises ActionError."""
    given: dict[str, Any] = {name: step.settings[name] for name in SETTINGS if step.settings.get(name)}
    try:
        if "mailbox" in given:
            given["mailbox"] = Mailbox.model_validate_json(given["mailbox"])
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ActionError(
            f"email_probe in config/actions.yaml: {faults(error)}", outcome=Outcome.PERMANENT
        ) from error


def _plan(step: Step, _: Send) -> dict[str, Any]:
    settings = _settings(step)
    return {"would": {"mail": settings.to, "over": f"{settings.host}:{settings.port}"}}


ACTIONS = {
    "send": Action(params=Send, mutates=False, run=send, plan=_plan),
}
