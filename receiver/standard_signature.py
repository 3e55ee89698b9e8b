"""Signatures of the Standard Webhooks specification, which several vendors use.

https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. HMAC-SHA256 over
`id.timestamp.body`, in base64, as `v1,<signature>`; several are separated by spaces, by Supabase with commas.
"""

import binascii
import hmac
from base64 import b64decode
from collections.abc import Iterator, Sequence

from ledger import standard_webhooks
from receiver import timely
from routing.errors import BadSignature
from routing.instant import SECOND
from routing.policy import Source
from routing.ports import Inbound

_LONGEST = 4096


def verify(inbound: Inbound, secrets: Sequence[str], source: Source, prefix: str = "webhook") -> None:
    """Raises BadSignature unless a `v1` signature under one of the secrets is right, and the time is."""
    id_, at, header = (
        inbound.headers.get(f"{prefix}-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (id_ and at and header):
        names = f"{prefix}-id, {prefix}-timestamp and {prefix}-signature"
        raise BadSignature("a header is missing", f"it is signed with {names}")
    if len(header) + len(id_) > _LONGEST or not (header + id_ + at).isascii():
        raise BadSignature("the signature headers are malformed", "v1,<base64>, at most sixteen of them")
    given = standard_webhooks.claimed(header)
    if not any(hmac.compare_digest(standard_webhooks.signature(key, id_, at, inbound.body), each)
               for key in keys(secrets) for each in given):  # fmt: skip
        raise BadSignature("no v1 signature matches the body", "check the secret: each endpoint has its own")
    timely.check(at, inbound.received_at, source)


def sign(body: bytes, secret: str, at: int, id_: str, prefix: str = "webhook") -> dict[str, str]:
    seconds = str(at // SECOND)
    signature = standard_webhooks.signature(next(keys([secret]), b""), id_, seconds, body)
    return {
        "content-type": "application/json",
        f"{prefix}-id": id_,
        f"{prefix}-timestamp": seconds,
        f"{prefix}-signature": f"v1,{signature.decode()}",
    }


def keys(secrets: Sequence[str]) -> Iterator[bytes]:
    """The bytes that sign, of `whsec_<base64>`, `v1,whsec_<base64>`, or several of these with `|` between.

    After `whsec_` base64 may be without its padding, as the specification's own libraries take it.
    """
    for several in secrets:
        for secret in several.split("|"):
            told = secret.strip().removeprefix("v1,")
            written = told.removeprefix("whsec_")
            padding = "=" * (-len(written) % 4) if written != told else ""
            try:
                key = b64decode(written + padding, validate=True)
            except (binascii.Error, ValueError):
                key = written.encode()
            if key.strip():
                yield key
