"""Keyed hashes over the raw body, compared in constant time."""

import hmac
from collections.abc import Sequence


def matches(algorithm: str, message: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether `given` is the lower-case hex HMAC of the message under one of the secrets (never a blank one)."""
    claimed = given.encode("utf-8", "surrogateescape")
    for secret in secrets:
        if secret.strip() and hmac.compare_digest(hexdigest(algorithm, message, secret).encode(), claimed):
            return True
    return False


def hexdigest(algorithm: str, message: bytes, secret: str) -> str:
    return hmac.digest(secret.encode(), message, algorithm).hex()
