"""ECDSA over P-256: what was signed is good, anything else is not."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st
from signing import NUMBER, public, sign

from receiver import ecdsa

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@given(st.binary(max_size=300), st.integers(1, ORDER - 1))
@settings(max_examples=25)
def test_what_the_library_signed_is_good_and_of_no_other_message_or_key(message: bytes, number: int) -> None:
    signature = sign(message, number)
    assert ecdsa.verify(public(number), signature, message)
    assert not ecdsa.verify(public(number), signature, message + b"x")
    assert ecdsa.verify(public(), signature, message) is (number == NUMBER)


def test_the_example_of_sendgrids_own_library_verifies() -> None:
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1F"
        "wCM/QmGUhA=="
    )
    signature = (
        "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0="
    )
    body = b'{"category":"example_payload","event":"test_event","message_id":"message_id"}'
    assert ecdsa.verify(key, signature, b"1588788367" + body)
    assert not ecdsa.verify(key, signature, b"1588788368" + body)


@given(st.integers(0, 71), st.integers(1, 255))
@settings(max_examples=60)
def test_a_signature_with_any_byte_changed_is_not_good(at: int, mask: int) -> None:
    raw = bytearray(b64decode(sign(b"message")))
    raw[at % len(raw)] ^= mask
    assert not ecdsa.verify(public(), b64encode(raw).decode(), b"message")


def encoded(r: int, s: int) -> str:
    return b64encode(utils.encode_dss_signature(r, s)).decode()


R, S = utils.decode_dss_signature(b64decode(sign(b"message")))


@pytest.mark.parametrize(
    "signature",
    [
        "", "AAAA", "not base64!", "ü", encoded(0, S), encoded(R, 0), encoded(0, 0), encoded(R + ORDER, S),
        encoded(R, S + ORDER), encoded(ORDER, S), encoded(R, ORDER), encoded(S, R), encoded(1, 1),
        b64encode(utils.encode_dss_signature(R, S) + b"\0").decode(),
        b64encode(b"\x30\x06\x02\x01\xff\x02\x01\x01").decode(),
        b64encode(b"\x30\x07\x02\x02\x00\x01\x02\x01\x01").decode(),
        b64encode(b"\x30\x84\x00\x00\x00\x06\x02\x01\x01\x02\x01\x01").decode(),
    ],
    ids=range(17),
)  # fmt: skip
def test_what_is_no_signature_is_not_good(signature: str) -> None:
    assert not ecdsa.verify(public(), signature, b"message")


OTHER_CURVE = b64encode(
    ec.derive_private_key(5, ec.SECP384R1())
    .public_key()
    .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()


@pytest.mark.parametrize(
    "key",
    [
        "", "AAAA", "not base64!", public()[:-4], public() + "AAAA",
        OTHER_CURVE,
        b64encode(b64decode(public())[:-1] + b"\x01").decode(),
    ],
    ids=range(7),
)  # fmt: skip
def test_a_key_that_is_none_of_this_curve_says_so(key: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        ecdsa.verify(key, sign(b"message"), b"message")


def test_a_key_may_be_shown_in_lines() -> None:
    lines = "\n".join(public()[at : at + 64] for at in range(0, len(public()), 64))
    assert ecdsa.verify(lines, sign(b"message"), b"message")
