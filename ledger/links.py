"""Tokens in links: signed by the worker that sends them, checked by the receiver that is clicked.

A token is `<delivery>.<expires_at in base 36>.<signature>`, all of it safe in a URL. It says which delivery
it belongs to and until when it counts, and nothing else; anyone can read it, nobody can make it without the
secret. The signature is the first 16 bytes of an HMAC-SHA256, which is what a short URL can afford and
far more than can be guessed.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

from routing.errors import BadSignature

_DELIVERY = re.compile(r"[A-Za-z0-9-]{1,64}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SIGNATURE_BYTES = 16
_MAX_LENGTH = 128


def make(secret: str, delivery: str, expires_at: int) -> str:
    """The token for one delivery, good until `expires_at` (ms). Raises ValueError without a secret."""
    if not secret:
        raise ValueError("links cannot be signed: TOCSIN_LINK_SECRET is empty")
    if not _DELIVERY.fullmatch(delivery):
        raise ValueError(f"not a delivery id: {delivery!r}")
    signed = f"{delivery}.{_base36(expires_at)}"
    return f"{signed}.{_signature(secret, signed)}"


def read(secret: str, token: str, now: int) -> str:
    """The delivery a token is for. Raises BadSignature for a forged, mangled or expired one."""
    if not secret:
        raise BadSignature("links cannot be checked: TOCSIN_LINK_SECRET is empty")
    signed, _, signature = token.rpartition(".")
    delivery, _, expires = signed.partition(".")
    if len(token) > _MAX_LENGTH or not token.isascii() or not delivery or not expires:
        raise BadSignature("this is not one of our links", "copy the whole link from the message")
    if not hmac.compare_digest(_signature(secret, signed), signature):
        raise BadSignature("the link's signature is wrong", "copy the whole link from the message")
    if int(expires, 36) < now:
        raise BadSignature(
            "the link has expired", "acknowledge with `tocsin incidents ack` or in the console"
        )
    return delivery


def _signature(secret: str, signed: str) -> str:
    mac = hmac.digest(secret.encode(), b"link:" + signed.encode(), hashlib.sha256)
    return urlsafe_b64encode(mac[:_SIGNATURE_BYTES]).rstrip(b"=").decode()


def _base36(number: int) -> str:
    digits = ""
    while number > 0:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
