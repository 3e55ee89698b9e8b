"""Secrets taken out of what is kept or shown: outputs of steps, answers of providers, texts of errors.

Two nets: names of fields that hold secrets, and shapes of secrets wherever they stand. A number is only taken
for a payment card when it passes the Luhn check, so that order ids and timestamps stay readable.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

MAX_BYTES = 50_000
"""Of one step's output, as JSON."""
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


def output(found: Any, most: int = MAX_BYTES) -> Any:
    """A step's output as it may be kept: redacted, and at most `most` bytes as JSON.

    What is longer becomes {"truncated": true, "bytes": <its length>, "head": <its beginning as text>}.
    Raises TypeError when it is no JSON.
    """
    clean = value(found)
    encoded = orjson.dumps(clean, option=orjson.OPT_NON_STR_KEYS)
    if len(encoded) <= most:
        return clean
    head = encoded[: most // 4].decode(errors="ignore")
    return {"truncated": True, "bytes": len(encoded), "head": head}


def error(found: BaseException, limit: int = 500) -> str:
    """Say "ConnectionError: ..." of an unexpected exception: one line, bounded, without secrets."""
    said = " ".join(text(str(found)).split())
    name = type(found).__name__
    return f"{name}: {said}"[:limit] if said else name


def _card(found: re.Match[str]) -> str:
    digits = [int(char) for char in found.group() if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]  # noqa: PLR2004  # ISO/IEC 7812-1
    valid = (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return "[card]" if valid and digits[0] in {3, 4, 5, 6} else found.group()
