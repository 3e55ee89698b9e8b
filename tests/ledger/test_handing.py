"""What our own workers hand in is signed over all that is said of it."""

import pytest

from ledger import handing
from ledger.handing import HEADER, Handed
from routing.errors import BadSignature
from routing.instant import MINUTE

AT = 1_790_000_000_000
BODY = b'{"id": "evt_1"}'
POLLED = Handed(handing.POLLING)


def test_what_was_signed_is_believed_under_any_of_the_secrets() -> None:
    handed = Handed(handing.RETRIEVAL, "u1732406400123-0")
    headers = handing.sign("new", "stripe", BODY, handed, AT)
    assert handing.verify(headers, "stripe", BODY, ("old", "new"), AT + MINUTE) == handed


def test_without_the_header_it_is_for_the_vendor_to_prove() -> None:
    assert handing.verify({"stripe-signature": "t=1,v1=0"}, "stripe", BODY, ("s",), AT) is None


@pytest.mark.parametrize(
    ("source", "body", "secrets", "late_ms"),
    [
        ("vercel", BODY, ("s",), 0),
        ("stripe", BODY + b" ", ("s",), 0),
        ("stripe", BODY, ("another",), 0),
        ("stripe", BODY, (), 0),
        ("stripe", BODY, ("",), 0),
        ("stripe", BODY, ("s",), 6 * MINUTE),
        ("stripe", BODY, ("s",), -6 * MINUTE),
    ],
)
def test_anything_else_is_not(source: str, body: bytes, secrets: tuple[str, ...], late_ms: int) -> None:
    headers = handing.sign("s", "stripe", BODY, POLLED, AT)
    with pytest.raises(BadSignature):
        handing.verify(headers, source, body, secrets, AT + late_ms)


@pytest.mark.parametrize("part", ["t=", "how=", "of=", "v1="])
def test_no_part_of_the_header_can_be_another(part: str) -> None:
    said = handing.sign("s", "stripe", BODY, Handed("polling", "b1-0"), AT)[HEADER]
    at = said.index(part) + len(part)
    forged = said[:at] + ("0" if said[at] != "0" else "1") + said[at + 1 :]
    with pytest.raises(BadSignature):
        handing.verify({HEADER: forged}, "stripe", BODY, ("s",), AT)


@pytest.mark.parametrize(
    "header", ["", "v1=", "t=1;how=polling;of=;v1=" + "é" * 64, "t=1;how=POLLING;of=;v1=" + "0" * 64]
)
def test_a_malformed_header_is_no_proof(header: str) -> None:
    with pytest.raises(BadSignature):
        handing.verify({HEADER: header}, "stripe", BODY, ("s",), AT)


def test_nothing_is_signed_with_nothing() -> None:
    with pytest.raises(ValueError, match="TOCSIN_DOOR_SECRET"):
        handing.sign("", "stripe", BODY, POLLED, AT)
