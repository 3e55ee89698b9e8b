"""What our own workers found of a source is handed in at the front door, signed with a secret of ours.

So it is read, known again by its vendor's id and kept exactly as if the vendor had posted it, and no worker needs what
verifies the vendor. The header is `t=<seconds>;how=<word>;of=<event>;v1=<hex>`: HMAC-SHA256 over all that stands before
`;v1=`, the source's name and the body.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from routing.errors import BadSignature
from routing.instant import SECOND

HEADER = "x-tocsin-signature"
SECRET = "TOCSIN_DOOR_SECRET"  # noqa: S105  # the variable's name
POLLING = "polling"
"""The vendor was asked what we had missed."""
RETRIEVAL = "retrieval"
"""The vendor was asked for the rest of what it had only hinted at."""

_FORM = re.compile(r"(t=([0-9]{1,12});how=([a-z]{1,20});of=([a-z0-9.-]{0,60}));v1=([0-9a-f]{64})")
_TOLERANCE_S = 300


class Handed(NamedTuple):
    """`how` it was found; `of`: the id of our event that it completes, "" where it stands for itself."""

    how: str
    of: str = ""


def sign(secret: str, source: str, body: bytes, handed: Handed, at: int) -> dict[str, str]:
    """The header for a body found at `at` (ms). Raises ValueError without a secret."""
    if not secret:
        raise ValueError(f"nothing can be handed in: {SECRET} is not set")
    said = f"t={at // SECOND};how={handed.how};of={handed.of}"
    return {HEADER: f"{said};v1={_mac(secret, said, source, body)}"}


def verify(
    headers: Mapping[str, str], source: str, body: bytes, secrets: Sequence[str], now: int
) -> Handed | None:
    """None when it is not handed in by us, which is for its vendor to prove. Raises BadSignature."""
    header = headers.get(HEADER)
    if header is None:
        return None
    found = _FORM.fullmatch(header)
    if found is None:
        raise BadSignature(f"the {HEADER} header is malformed", "only Tocsin's own workers send it")
    said, seconds, how, of, given = found.groups()
    # Every secret is compared, so that the time taken says nothing.
    matches = [hmac.compare_digest(_mac(each, said, source, body), given) for each in secrets if each]
    if not any(matches):
        raise BadSignature(f"{HEADER} does not match the body", f"give receiver and upkeep the same {SECRET}")
    if abs(now // SECOND - int(seconds)) > _TOLERANCE_S:
        raise BadSignature(f"{HEADER} is too old or from the future", "check both machines' clocks")
    return Handed(how, of)


def _mac(secret: str, said: str, source: str, body: bytes) -> str:
    signed = f"{said}\n{source}\n".encode() + body
    return hmac.new(secret.encode(), b"handed:" + signed, hashlib.sha256).hexdigest()
