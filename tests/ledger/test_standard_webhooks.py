"""Standard Webhooks signatures: the published vector, secrets that are rolled, and everything else refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import standard_webhooks
from routing.errors import BadSignature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def verify(
    signatures: str = SIGNATURE, secrets: tuple[str, ...] = (SECRET,), *, name: str = ID, at: str = str(AT),
    body: bytes = BODY, now_s: float = AT,
) -> None:  # fmt: skip
    standard_webhooks.verify(secrets, name, at, signatures, body, now_s)


def test_the_published_vector_is_made_and_verified() -> None:
    assert standard_webhooks.sign([SECRET], ID, AT, BODY) == SIGNATURE
    verify()


def test_while_a_secret_is_rolled_both_sign_and_either_verifies() -> None:
    both = standard_webhooks.sign([OTHER, SECRET], ID, AT, BODY)
    assert len(both.split(" ")) == 2
    verify(both, (SECRET,))
    verify(both, (OTHER,))
    verify(SIGNATURE, (OTHER, SECRET))


@pytest.mark.parametrize("between", [" ", ", ", ",", "  "])
def test_lists_are_read_however_senders_write_them(between: str) -> None:
    verify(between.join(["v1,AAAA", "v1a,BBBB", SIGNATURE]))


@pytest.mark.parametrize(
    "signatures",
    [
        "", "v1", "v1,", SIGNATURE.removeprefix("v1,"), SIGNATURE.replace("v1,", "v2,"), SIGNATURE[:-2],
        SIGNATURE + "A", SIGNATURE.replace("v1,", "v1a,"), "v1,é", " ".join(["v1,AAAA"] * 40) + " " + SIGNATURE,
    ],
)  # fmt: skip
def test_anything_else_is_refused(signatures: str) -> None:
    with pytest.raises(BadSignature):
        verify(signatures)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "msg_other"}, {"name": ""}, {"body": b'{"test": 2432232315}'}, {"secrets": (OTHER,)}, {"secrets": ()},
        {"at": "1614265331"}, {"at": ""}, {"at": "x"}, {"at": "-1614265330"}, {"at": "9" * 400},
        {"now_s": AT + 301}, {"now_s": AT - 301}, {"secrets": ("not base64!",)}, {"secrets": ("",)},
    ],
)  # fmt: skip
def test_what_was_changed_is_old_or_under_another_secret_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadSignature):
        verify(**changed)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_short", "whsec_QUJD", "not base64!"])
def test_a_secret_that_is_none_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="signing secret"):
        standard_webhooks.sign([secret], ID, AT, BODY)


@given(
    st.binary(max_size=200),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40),
)
def test_what_is_signed_verifies_and_no_other_body_does(body: bytes, name: str) -> None:
    made = standard_webhooks.sign([SECRET], name, AT, body)
    standard_webhooks.verify([SECRET], name, str(AT), made, body, AT)
    with pytest.raises(BadSignature):
        standard_webhooks.verify([SECRET], name, str(AT), made, body + b" ", AT)
