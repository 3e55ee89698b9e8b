"""Mail: as it is sent to our own SMTP port, or as an inbound provider posts it: Postmark's and CloudMailin's JSON,
Mailgun's and SendGrid's forms.

https://postmarkapp.com/developer/webhooks/inbound-webhook and SendGrid's "Setting Up The Inbound Parse Webhook". For
what can do no better than write mail. The subject decides: patterns listed in `opens` and `closes` begin and end a
condition, named by the sender and the subject without those words. What only the text tells is found by `opens_text`
and `closes_text`.
"""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from receiver import forms, mime, shaping, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = (
    "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address; "
    "by SMTP in the address written to, or as password"
)
REPEAT = "the same `Message-ID`"
TITLE = "E-mail (to our own SMTP port, or by a provider's inbound webhook)"
MAIL = True
SETUP = """\
1. At Postmark, CloudMailin (format *JSON, normalized*), Mailgun or SendGrid (*Inbound Parse*): inbound mail to
   `https://<tocsin>/hooks/email?token=<EMAIL_TOKEN>`. A program that has the mail itself posts it there as
   `Content-Type: message/rfc822`. Or have it sent here: `TOCSIN_MAIL_PORT` (see below), and the machine writes to
   `email+<EMAIL_TOKEN>@<TOCSIN_MAIL_DOMAIN>`.
2. Say in `settings:` what subjects mean, as the machine writes them: `opens: ["*DOWN*", "ALARM*"]`,
   `closes: ["*UP*", "OK*"]`, and in `senders: ["alerts@vendor.example"]` whose mail counts. Anybody can write any
   sender: keep the mailbox's name to yourself, and let such a source wake nobody by itself where there is a
   better way in.
"""
SETTINGS = {
    "opens": "subjects that begin a condition, with * for any part",
    "closes": "subjects that end one",
    "opens_text": "texts that begin one, where the subject does not tell",
    "closes_text": "texts that end one",
    "senders": "addresses whose mail counts, with * for any part; all others is information",
}

_ADDRESS = re.compile(r"[^\s<>@,]{1,64}@[^\s<>@,]{1,255}")
_REPLY = re.compile(r"^(?:\s*(?:re|fwd?|aw|wg)\s*:)+\s*", re.IGNORECASE)


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = _told(inbound)
    sender, subject = _sender(told), _subject(told)
    summary = _first(told, ("TextBody", "plain", "stripped-text", "body-plain"))
    status = _status(sender, subject, summary, source)
    event = Event(
        source=source.name,
        vendor="email",
        kind="mail",
        status=status,
        key=f"mail:{sender}:{_without_words(subject, source)}",
        title=subject,
        summary=summary,
        vendor_id=_first(told, ("MessageID", "Message-Id")) or shaping.text(told, "headers", "message_id"),
        labels=shaping.plain({"sender": sender, "sender_domain": sender.rpartition("@")[2]}),
    )
    return Parsed((shaping.bounded(event),))


def _told(inbound: Inbound) -> dict[str, Any]:
    body = inbound.body
    kind = inbound.headers.get("content-type", "")
    if kind.lower().startswith(mime.MEDIA_TYPE):
        return dict(mime.read(body))
    if kind.lower().startswith(mime.FORM_TYPE):
        return _of_form(mime.fields(body, kind))
    if body.lstrip()[:1] in {b"{", b"["} or not body:
        return strict_json.object_of(strict_json.loads(body))
    return dict(forms.loads(body))


def _of_form(fields: dict[str, str]) -> dict[str, Any]:
    """SendGrid's has the whole mail in `email` where it is set to post it raw, and else its headers as a text."""
    if "email" in fields and "text" not in fields:
        return dict(mime.read(fields["email"].encode()))
    given = {"MessageID": mime.message_id(fields.get("headers", "")), "TextBody": fields.get("text", "")}
    return {**fields, **{name: value for name, value in given.items() if value}}


def _sender(told: dict[str, Any]) -> str:
    written = _first(told, ("From", "sender", "from")) or shaping.text(told, "envelope", "from")
    found = _ADDRESS.search(written)
    if found is None:
        raise Unreadable("expected the sender's address", "From")
    return found[0].casefold()


def _subject(told: dict[str, Any]) -> str:
    written = _first(told, ("Subject", "subject")) or shaping.text(told, "headers", "subject")
    return " ".join(_REPLY.sub("", written).split()) or "(no subject)"


def _status(sender: str, subject: str, text: str, source: Source) -> Status:
    """What the subject says, and where it says nothing, the text; an end before a beginning."""
    senders = source.settings.get("senders")
    if isinstance(senders, list) and not _matches(sender, senders):
        return Status.INFO
    for said, suffix in ((subject.casefold(), ""), (text.casefold(), "_text")):
        if _matches(said, source.settings.get(f"closes{suffix}")):
            return Status.RESOLVED
        if _matches(said, source.settings.get(f"opens{suffix}")):
            return Status.FIRING
    return Status.INFO


def _matches(text: str, patterns: Any) -> bool:
    return isinstance(patterns, list) and any(fnmatchcase(text, str(one).casefold()) for one in patterns)


def _without_words(subject: str, source: Source) -> str:
    """The subject without what tells a beginning from an end."""
    patterns = [*_list(source.settings.get("opens")), *_list(source.settings.get("closes"))]
    words = sorted(
        {word.casefold() for one in patterns for word in str(one).split("*") if word.strip()}, key=len
    )
    bare = subject.casefold()
    for word in reversed(words):
        bare = bare.replace(word, " ")
    return " ".join(bare.split())


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _first(told: dict[str, Any], names: Sequence[str]) -> str:
    return next(filter(None, (shaping.text(told, name) for name in names)), "")
