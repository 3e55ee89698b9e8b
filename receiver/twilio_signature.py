"""Twilio's signatures over its callbacks.

https://www.twilio.com/docs/usage/security#validating-requests: base64 of the HMAC of the URL and each
parameter's name and value, sorted. SHA-1 under the account's auth token; SHA-256 when the request says so.
Whether Twilio signed with the port in the URL or without is not consistent, so both are tried.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from routing.errors import BadSignature

_HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


def verify(
    url: str, fields: Iterable[tuple[str, str]], headers: Mapping[str, str], secrets: Sequence[str]
) -> None:
    """`url` is the public one, with its query. Raises BadSignature."""
    given = headers.get("x-twilio-signature", "")
    if not given:
        raise BadSignature("no X-Twilio-Signature header", "only Twilio may call this address")
    algorithm = _algorithm(headers.get("x-twilio-webhooks-signature-settings", ""))
    claimed = given.encode("utf-8", "surrogateescape")
    tail = "".join(name + value for name, value in sorted(set(fields)))
    found = False
    for form in _with_and_without_port(url):
        for secret in filter(None, secrets):
            found |= hmac.compare_digest(sign(form, tail, secret, algorithm).encode(), claimed)
    if not found:
        raise BadSignature(
            "Twilio's signature does not match",
            "check TWILIO_AUTH_TOKEN, and that TOCSIN_PUBLIC_URL is exactly the address Twilio calls",
        )


def sign(url: str, tail: str, secret: str, algorithm: str = "sha1") -> str:
    """The header's value. `tail`: names and values of the form, sorted and joined."""
    return b64encode(hmac.digest(secret.encode(), (url + tail).encode(), algorithm)).decode()


def _algorithm(settings: str) -> str:
    """The header is `key=<id>,algorithm=HMAC_SHA256`; without it Twilio means SHA-1."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            known = _HASHES.get(value.strip().upper())
            if known is None:
                raise BadSignature(
                    "Twilio's signature algorithm is not known here", "expected HMAC_SHA1 or HMAC_SHA256"
                )
            return known
    return "sha1"


def _with_and_without_port(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    bare = f"[{host}]" if ":" in host else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    forms = (parts._replace(netloc=bare).geturl(), parts._replace(netloc=f"{bare}:{port}").geturl(), url)
    return tuple(dict.fromkeys(forms))
