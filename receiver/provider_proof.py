"""What shows that a provider configured by hand is the one who calls: a token of ours, the secret, or a signature."""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress

from ledger import links
from routing.errors import BadSignature
from routing.schema.provider import Signature

SKEW_S = 300


def delivery(token: str, secrets: Sequence[str], now: int) -> str:
    """The one that a token made for it names. Raises BadSignature."""
    for secret in secrets[:-1]:
        with suppress(BadSignature):
            return links.read(secret, token, now)
    return links.read(secrets[-1], token, now)


def is_secret(given: str, secrets: Sequence[str]) -> None:
    """Raises BadSignature when it is none of them."""
    claimed, found = given.encode("utf-8", "surrogateescape"), False
    for secret in secrets:
        found |= hmac.compare_digest(secret.encode(), claimed)
    if not found:
        raise BadSignature(
            "nothing shows that this is the provider", "add ?token=<TOCSIN_PROVIDER_SECRET> to the address"
        )


def verify(
    shape: Signature, raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: int
) -> None:
    """The signature over the raw body. Raises BadSignature."""
    given = headers.get(shape.header.lower(), "")
    if not given or not given.startswith(shape.prefix):
        raise BadSignature(f"no {shape.header} header", "only the provider may call this address")
    signed = raw
    if shape.timestamp:
        at = headers.get(shape.timestamp.lower(), "")
        if not (at.isascii() and at.isdecimal()) or abs(int(at[:15]) - now // 1000) > SKEW_S:
            raise BadSignature(f"{shape.timestamp} is not within {SKEW_S} s of now", "check both clocks")
        signed = at.encode() + b"." + raw
    claimed, found = given.removeprefix(shape.prefix).encode("utf-8", "surrogateescape"), False
    for secret in secrets:
        found |= hmac.compare_digest(sign(shape, signed, secret).encode(), claimed)
    if not found:
        raise BadSignature("the provider's signature does not match", "check TOCSIN_PROVIDER_SECRET")


def sign(shape: Signature, text: bytes, secret: str) -> str:
    """What the provider writes behind the prefix."""
    digest = hmac.digest(secret.encode(), text, shape.algorithm)
    return b64encode(digest).decode() if shape.encoding == "base64" else digest.hex()
