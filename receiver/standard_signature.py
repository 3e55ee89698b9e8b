"""Signatures of the Standard Webhooks specification, which several vendors use.

https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md. HMAC-SHA256 over
`id.timestamp.body`, in base64, as `v1,<signature>`; several are separated by spaces, by Supabase with commas.
"""

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence

from receiver import timely
from routing.errors import BadSignature
from routing.instant import SECOND
from routing.policy import Source
from routing.ports import Inbound

_LONGEST = 4096
_MOST = 16


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
    given = _signatures(header)
    if not any(hmac.compare_digest(_signature(inbound.body, id_, at, key), each)
               for key in keys(secrets) for each in given):  # fmt: skip
        raise BadSignature("no v1 signature matches the body", "check the secret: each endpoint has its own")
    timely.check(at, inbound.received_at, source)


def sign(body: bytes, secret: str, at: int, id_: str, prefix: str = "webhook") -> dict[str, str]:
    seconds = str(at // SECOND)
    signature = _signature(body, id_, seconds, next(keys([secret]), b""))
    return {
        "content-type": "application/json",
        f"{prefix}-id": id_,
        f"{prefix}-timestamp": seconds,
        f"{prefix}-signature": f"v1,{signature.decode()}",
    }


def keys(secrets: Sequence[str]) -> Iterator[bytes]:
    """The bytes that sign, of `whsec_<base64>`, `v1,whsec_<base64>`, or several of these with `|` between."""
    for several in secrets:
        for secret in several.split("|"):
            written = secret.strip().removeprefix("v1,").removeprefix("whsec_")
            try:
                key = b64decode(written, validate=True)
            except (binascii.Error, ValueError):
                key = written.encode()
            if key.strip():
                yield key


def _signatures(header: str) -> list[bytes]:
    """Those of version 1, of the first sixteen. A list may be written `v1,AAA= v1,BBB=` or `v1,AAA=, v1,BBB=`."""
    parts = [part for part in re.split(r"[ ,]+", header) if part][: 2 * _MOST]
    return [
        value.encode() for version, value in zip(parts[::2], parts[1::2], strict=False) if version == "v1"
    ]


def _signature(body: bytes, id_: str, at: str, key: bytes) -> bytes:
    return b64encode(hmac.digest(key, b"%b.%b.%b" % (id_.encode(), at.encode(), body), "sha256"))
