"""Secrets and people taken out of what is shown: two nets for secrets, and one for what names a person.

Names of fields that hold secrets, and shapes of secrets wherever they stand. A number is only taken for a payment
card when it passes the Luhn check, so that order ids and timestamps stay readable.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

GONE = "[redacted]"

_SECRET_NAME = re.compile(
    r"(^|[_\-. ])(authorization|cookie|set-cookie|password|passwd|pwd|secret|token|api[_-]?key|apikey|"
    r"private[_-]?key|access[_-]?key|credentials?|dsn|signature|session)s?($|[_\-. ])"
    r"|(Secret|Token|Password|ApiKey)$",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{8,}"  # Stripe keys
    r"|\bwhsec_[0-9A-Za-z+/=]{8,}"  # webhook secrets
    r"|\bsbp_[0-9a-f]{20,}|\bsb_secret_[0-9A-Za-z_-]{8,}"  # Supabase
    r"|\bxox[abeoprs]-[0-9A-Za-z-]{8,}|\bxapp-[0-9A-Za-z-]{8,}"  # Slack
    r"|\bgh[opsur]_[0-9A-Za-z]{20,}|\bgithub_pat_[0-9A-Za-z_]{20,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bSG\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"  # SendGrid
    r"|\bre_[0-9A-Za-z]{8,}_[0-9A-Za-z]{8,}"  # Resend
    r"|\b(?:bot)?\d{6,12}:[0-9A-Za-z_-]{30,}"  # Telegram
    r"|\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*"  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_BEARER = re.compile(r"\b(Bearer|Basic|OAuth)\s+[0-9A-Za-z+/=._~-]{8,}", re.IGNORECASE)
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s/@]+@", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"(?i)\b((?:[a-z0-9]+[_-])*(?:password|secret|token|api[_-]?key|signature)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}]{4,}"
)
_CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
_EMAIL = re.compile(r"\b[\w.%+-]+@((?:[\w-]+\.)+[A-Za-z]{2,})\b")
_PERSONAL_NAME = re.compile(
    r"(?i)(^|[_\-. ])(e?mail|phone|mobile|(first|last|full|given|family|sur|customer|user|real)_?name|"
    r"line[12]|street|address|postal_?code|zip|iban|birth(day|date)?|dob|ssn|tax_?id|ip(_?address)?)s?($|[_\-. ])"
)
_PERSON = re.compile(
    r"(?i)^(billing_details|shipping|customer|customer_details|user|sender|author|actor|owner|contact|client|person)$"
)
"""Of the objects with these names the `name` is a person's."""
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FORM = re.compile(rb"[^\s=&]+=[^\s&]*(&[^\s=&]+=[^\s&]*)*")
_MOST_FIELDS = 500


def text(found: str) -> str:
    """The text without secrets, card numbers and the names before the @ of mail addresses."""
    found = _USERINFO.sub(rf"\1{GONE}@", found)
    found = _SHAPES.sub(GONE, found)
    found = _BEARER.sub(rf"\1 {GONE}", found)
    found = _ASSIGNED.sub(rf"\1{GONE}", found)
    found = _CARD.sub(_card, found)
    return _EMAIL.sub(r"…@\1", found)


def value(found: Any) -> Any:
    """The same for JSON: fields named like secrets lose their value, texts are searched."""
    if isinstance(found, str):
        return text(found)
    if isinstance(found, Mapping):
        return {
            str(name): GONE
            if item and isinstance(item, str) and _SECRET_NAME.search(str(name))
            else value(item)
            for name, item in found.items()
        }
    if isinstance(found, list | tuple):
        return [value(item) for item in found]
    return found


def body(raw: bytes) -> str:
    """A request's body as it may be shown: without secrets, card numbers, and what names or reaches a person.

    JSON in which something was hidden is laid out anew, a form one field a line.
    """
    try:
        found = orjson.loads(raw)
        hidden = value(_impersonal(found))
    except (orjson.JSONDecodeError, RecursionError):
        return _form(raw) if _FORM.fullmatch(raw) else text(raw.decode(errors="backslashreplace"))
    return raw.decode() if hidden == found else orjson.dumps(hidden, option=orjson.OPT_INDENT_2).decode()


def _form(raw: bytes) -> str:
    try:
        fields = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return text(raw.decode(errors="backslashreplace"))
    shown = ((name, value(_impersonal({name: given}))[name]) for name, given in fields)
    return "\n".join(f"{name}={given}" for name, given in shown)


def _impersonal(found: Any, within: str = "") -> Any:
    """JSON without what names or reaches a person; `within` is the name of what holds it."""
    if isinstance(found, list):
        return [_impersonal(each, within) for each in found]
    if not isinstance(found, Mapping):
        return found
    return {
        name: GONE if _is_personal(name, each, within) else _impersonal(each, name)
        for name, each in found.items()
    }


def _is_personal(name: str, found: Any, within: str) -> bool:
    if not isinstance(found, str) or not found:
        return False
    if name == "name":
        return bool(_PERSON.match(within))
    return bool(_PERSONAL_NAME.search(_HUMP.sub("_", name)))


def _card(found: re.Match[str]) -> str:
    digits = [int(char) for char in found.group() if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004  # ISO/IEC 7812-1
    valid = (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return "[card]" if valid and digits[0] in {3, 4, 5, 6} else found.group()
