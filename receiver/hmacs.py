"""Keyed hashes over the raw body (RFC 2104), compared in constant time."""

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

_INNER, _OUTER = (bytes(each ^ mask for each in range(256)) for mask in (0x36, 0x5C))


def matches(algorithm: str, message: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether `given` is the lower-case hex HMAC of the message under one of the secrets (never a blank one)."""
    claimed = given.encode("utf-8", "surrogateescape")
    for secret in secrets:
        if secret.strip() and hmac.compare_digest(hexdigest(algorithm, message, secret).encode(), claimed):
            return True
    return False


def hexdigest(algorithm: str, message: bytes, secret: str) -> str:
    inner, outer = (half.copy() for half in _keyed(algorithm, secret))
    inner.update(message)
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=256)
def _keyed(algorithm: str, secret: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """Both halves with the key in them: to set one up for each request costs as much as the hash of its body."""
    empty, key = hashlib.new(algorithm), secret.encode()
    if len(key) > empty.block_size:
        key = hashlib.new(algorithm, key).digest()
    key = key.ljust(empty.block_size, b"\0")
    return hashlib.new(algorithm, key.translate(_INNER)), hashlib.new(algorithm, key.translate(_OUTER))
