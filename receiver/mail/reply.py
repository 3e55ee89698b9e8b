"""What is answered by SMTP: the same refusals as by HTTP, in its words. Enhanced codes: RFC 3463."""

from receiver.refuse import Refused

OK = "250 2.0.0"
NOT_DURABLE = "451 4.3.0"
"""The sender keeps it, and tries again."""
_CODES = {413: "552 5.3.4", 404: "550 5.1.1", 401: "550 5.1.1", 403: "550 5.7.1"}
_BUSY = 503
_OTHER = "554 5.6.0"


def of(refusal: Refused) -> str:
    """One line, ASCII."""
    code = NOT_DURABLE if refusal.status == _BUSY else _CODES.get(refusal.status, _OTHER)
    said = f"{refusal.error}; {refusal.hint}".encode("ascii", "replace").decode()
    return f"{code} {said}"[:400]


def status(line: str) -> int:
    """The number it begins with."""
    return int(line[:3])
