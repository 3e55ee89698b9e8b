"""What is kept of a request's headers: names always, values unless they could open a door."""

from collections.abc import Mapping
from functools import lru_cache

HIDDEN = "[redacted]"
_TELLTALE = (
    "auth",
    "cookie",
    "signature",
    "token",
    "secret",
    "key",
    "password",
    "session",
    "jwt",
    "credential",
)
_HIDDEN_NAMES = frozenset({"referer", "referrer", "x-original-url", "x-rewrite-url", "x-amzn-oidc-data"})
"""Addresses may carry a token in their query."""
_LONGEST = 512


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with the values of secrets and signatures hidden, and no value endless."""
    return {name: HIDDEN if _hides(name) else value[:_LONGEST] for name, value in headers.items()}


@lru_cache(maxsize=512)
def _hides(name: str) -> bool:
    lower = name.lower()
    return lower in _HIDDEN_NAMES or any(word in lower for word in _TELLTALE)
