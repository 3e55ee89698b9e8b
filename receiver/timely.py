"""How old, or how far ahead, a signed time may be: as much as the source's `tolerance`, either way."""

import re

from routing.errors import BadSignature
from routing.instant import SECOND
from routing.policy import Source

_SECONDS = re.compile(r"[0-9]{1,15}")


def check(written: str, received_at: int, source: Source) -> None:
    """Seconds since the epoch, in plain digits. Raises BadSignature."""
    if not _SECONDS.fullmatch(written):
        raise BadSignature(
            "the time that is signed is no number of seconds", "it is sent in a header of its own"
        )
    behind_ms = received_at - int(written) * SECOND
    if abs(behind_ms) > source.tolerance_ms:
        side = "old" if behind_ms > 0 else "in the future"
        hint = "check this machine's clock; a stored request cannot be sent again"
        raise BadSignature(f"the signature is {abs(behind_ms) // SECOND} s {side}", hint)
