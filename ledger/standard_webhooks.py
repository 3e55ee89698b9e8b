"""Standard Webhooks signatures: made by who sends one, checked by who gets one.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. The signature is the base64 of an
HMAC-SHA256 over `<id>.<timestamp>.<body>`, under the secret without its prefix `whsec_`, decoded from base64.
"""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence

from routing.errors import BadSignature

PREFIX = "whsec_"
TOLERANCE_S = 300
_MOST = 16
"""Signatures of one request that are looked at."""
_BETWEEN = re.compile(r"[ ,]+")
"""The specification separates by spaces, some senders by a comma and a space."""


def key_of(secret: str) -> bytes:
    """Raises ValueError when it is no secret of this form, or too short to be one."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a signing secret is whsec_ and base64") from error
    if len(key) < 16:  # noqa: PLR2004  # the specification asks for 24 bytes, some senders give 16
        raise ValueError("a signing secret has at least 16 bytes")
    return key


def sign(secrets: Sequence[str], name: str, at_s: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature a secret, so that secrets can be rolled. Raises ValueError."""
    return " ".join(f"v1,{signature(key_of(secret), name, str(at_s), body).decode()}" for secret in secrets)


def verify(secrets: Sequence[str], name: str, at: str, signatures: str, body: bytes, now_s: float) -> None:
    """Raises BadSignature."""
    if not name or not at or not signatures:
        raise BadSignature("a signature header is missing", "id, timestamp and signature belong together")
    if not at.isascii() or not at.isdigit() or len(at) > 15 or abs(int(at) - now_s) > TOLERANCE_S:  # noqa: PLR2004
        raise BadSignature(
            "the timestamp is not of now", "check the clocks; an old request is not taken again"
        )
    found = claimed(signatures)
    good = False
    for secret in secrets:
        try:
            made = signature(key_of(secret), name, at, body)
        except ValueError as error:
            raise BadSignature("our own signing secret cannot be read", str(error)) from error
        for each in found:
            good |= hmac.compare_digest(made, each)
    if not good:
        raise BadSignature("the signature does not match", "check the signing secret of this endpoint")


def signature(key: bytes, name: str, at: str, body: bytes) -> bytes:
    signed = b"%b.%b.%b" % (name.encode("utf-8", "surrogateescape"), at.encode(), body)
    return b64encode(hmac.digest(key, signed, "sha256"))


def claimed(signatures: str) -> list[bytes]:
    """Those of version 1, of the first sixteen: words come in pairs, a version and what it says."""
    words = _BETWEEN.split(signatures.strip())[: 2 * _MOST]
    pairs = zip(words[::2], words[1::2], strict=False)
    return [said.encode("utf-8", "surrogateescape") for version, said in pairs if version == "v1" and said]
