"""Senders that do not sign: a bearer token, or the same token as the password of basic authentication."""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence

from routing.errors import BadSignature
from routing.ports import Inbound

_LONGEST = 4096


def verify(inbound: Inbound, secrets: Sequence[str]) -> None:
    """Raises BadSignature unless the Authorization header carries one of the secrets."""
    header = inbound.headers.get("authorization", "")
    if not header:
        raise BadSignature(
            "no Authorization header", "send `Authorization: Bearer <token>`, or the token as password"
        )
    given = _given(header[:_LONGEST]).encode("utf-8", "surrogateescape")
    _compare(given, secrets)


def verify_anywhere(inbound: Inbound, secrets: Sequence[str]) -> None:
    """The same, of a vendor that can be given no more than an address: `X-Tocsin-Token` and `?token=` count too.

    Raises BadSignature. An address is kept nowhere; the vendor's own screens do show it.
    """
    if "authorization" in inbound.headers:
        verify(inbound, secrets)
        return
    given = inbound.headers.get("x-tocsin-token", "") or inbound.query.get("token", "")
    verify_given(given, secrets, "token: add `?token=<token>` to the address, or send a header")


def verify_given(given: str, secrets: Sequence[str], what: str) -> None:
    """A token that was found already, "" where there is none. Raises BadSignature."""
    if not given:
        raise BadSignature(f"no {what}", "the token is the one configured for this source")
    _compare(given[:_LONGEST].encode("utf-8", "surrogateescape"), secrets)


def _compare(given: bytes, secrets: Sequence[str]) -> None:
    # Every secret is compared, each in constant time, so that the time taken says nothing.
    matches = [hmac.compare_digest(given, secret.encode()) for secret in secrets if secret.strip()]
    if not any(matches):
        raise BadSignature(
            "the token is not the one configured for this source", "compare both sides' tokens"
        )


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def user(headers: Mapping[str, str]) -> str:
    """The user name beside a token that was verified; "" of a bearer token."""
    scheme, _, rest = headers.get("authorization", "")[:_LONGEST].partition(" ")
    return _pair(rest)[0] if scheme.lower() == "basic" else ""


def _given(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        return _pair(rest)[1]
    raise BadSignature(
        "the Authorization scheme is neither Bearer nor Basic", "send `Authorization: Bearer <token>`"
    )


def _pair(written: str) -> tuple[str, str]:
    """User name and password of Basic authentication. Raises BadSignature."""
    try:
        name, _, password = b64decode(written.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError) as error:
        raise BadSignature(
            "the Authorization header is not valid Basic", "it is base64 of user:token"
        ) from error
    return name, password
