"""An ID token: believed when everything about it is right, and otherwise not at all."""

import hashlib
import json
import math
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from oidc_standin import Claims, Key, algorithm, coded, ec_key, jwk, public_pem, rsa_key, signed

from console.trust.oidc.id_token import LEEWAY_S, LONGEST, Disbelieved, Expected, UnknownKey, believed

NOW = 1_764_000_000
ISSUER, CLIENT, NONCE, ACCESS = "https://accounts.example.com", "console", "n" * 43, "access"
OURS = ec_key()
EXPECTED = Expected(ISSUER, CLIENT, NONCE, NOW, ACCESS)
KEYS: dict[str, Key] = {"RS256": rsa_key(), "ES256": OURS, "EdDSA": Ed25519PrivateKey.generate()}


def claims(**more: Any) -> Claims:
    """Right ones, but for what is given; None leaves one out."""
    right = {"iss": ISSUER, "aud": CLIENT, "sub": "u-1", "exp": NOW + 300, "iat": NOW, "nonce": NONCE}
    return {name: value for name, value in {**right, **more}.items() if value is not None}


def token(key: Key = OURS, kid: str = "k1", **more: Any) -> str:
    return signed(key, {"alg": algorithm(key), "kid": kid}, claims(**more))


def half(digest: bytes) -> str:
    return coded(digest[: len(digest) // 2])


@pytest.mark.parametrize("name", KEYS)
def test_one_that_is_right_is_believed_whatever_key_signed_it(name: str) -> None:
    key = KEYS[name]
    others = [jwk(each, f"other-{other}") for other, each in KEYS.items()]
    found = believed(token(key, email="anna@example.com"), [*others, jwk(key, "k1")], EXPECTED)
    assert (found["sub"], found["email"]) == ("u-1", "anna@example.com")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"iss": "https://evil.example"}, "another issuer"), ({"iss": ISSUER + "/"}, "another issuer"), ({"iss": None}, "another issuer"),
        ({"aud": "another"}, "another client"), ({"aud": None}, "another client"), ({"aud": []}, "another client"),
        ({"aud": {"console": 1}}, "another client"), ({"aud": [CLIENT, "another"]}, "asked for by another"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "asked for by another"), ({"azp": "another"}, "asked for by another"),
        ({"exp": NOW - LEEWAY_S}, "expired"), ({"exp": None}, "no exp"), ({"exp": "never"}, "no exp"),
        ({"exp": True}, "no exp"), ({"exp": math.nan}, "no exp"), ({"exp": math.inf}, "no exp"),
        ({"iat": NOW + LEEWAY_S + 1}, "from the future"), ({"iat": None}, "no iat"),
        ({"nbf": NOW + LEEWAY_S + 1}, "not count yet"),
        ({"nonce": "another"}, "another question"), ({"nonce": None}, "another question"), ({"nonce": 1}, "another question"),
        ({"nonce": "ż"}, "another question"),
        ({"at_hash": half(hashlib.sha256(b"another").digest())}, "another access token"), ({"at_hash": 1}, "another access token"),
        ({"sub": None}, "of nobody"), ({"sub": ""}, "of nobody"), ({"sub": 7}, "of nobody"), ({"sub": "x" * 256}, "of nobody"),
    ],
)  # fmt: skip
def test_one_claim_that_is_wrong_is_enough(more: Claims, says: str) -> None:
    with pytest.raises(Disbelieved, match=says):
        believed(token(**more), [jwk(OURS, "k1")], EXPECTED)


@pytest.mark.parametrize(
    "more",
    [
        {"exp": NOW - LEEWAY_S + 1}, {"iat": NOW + LEEWAY_S}, {"nbf": NOW}, {"aud": [CLIENT]}, {"azp": CLIENT},
        {"aud": ["another", CLIENT], "azp": CLIENT}, {"at_hash": half(hashlib.sha256(b"access").digest())},
    ],
)  # fmt: skip
def test_clocks_may_differ_by_a_minute_and_others_may_be_meant_too(more: Claims) -> None:
    assert believed(token(**more), [jwk(OURS, "k1")], EXPECTED)["sub"] == "u-1"


def test_the_access_tokens_digest_is_made_as_the_algorithm_makes_its_own() -> None:
    """RFC 8032: EdDSA by Ed25519 hashes with SHA-512."""
    key, digest = KEYS["EdDSA"], hashlib.sha512(b"access").digest()
    assert believed(token(key, at_hash=half(digest)), [jwk(key, "k1")], EXPECTED)
    with pytest.raises(Disbelieved, match="access token"):
        believed(token(key, at_hash=half(hashlib.sha256(b"access").digest())), [jwk(key, "k1")], EXPECTED)


def test_nothing_but_the_providers_private_key_signs() -> None:
    keys = [jwk(OURS, "k1"), jwk(rsa_key(), "rsa")]
    forged = {
        "not at all": signed(None, {"alg": "none", "kid": "k1"}, claims()),
        "not at all, in capitals": signed(None, {"alg": "NONE", "kid": "k1"}, claims()),
        "by the public key, as a password": signed(public_pem(OURS), {"alg": "HS256", "kid": "k1"}, claims()),
        "by RSA's public key": signed(public_pem(rsa_key()), {"alg": "HS256", "kid": "rsa"}, claims()),
        "by the client's secret": signed(b"secret", {"alg": "HS256"}, claims()),
        "by somebody else under the key's name": token(ec_key()),
        "by a key that it brings along": signed(ec_key(), {"alg": "ES256", "kid": "k1", "jwk": jwk(ec_key(), "k1")}, claims()),
        "by RSA as ES256": signed(rsa_key(), {"alg": "ES256", "kid": "rsa"}, claims()),
        "by an algorithm that is not allowed": signed(rsa_key(), {"alg": "PS256", "kid": "rsa"}, claims()),
        "with what must be understood": signed(OURS, {"alg": "ES256", "kid": "k1", "crit": ["exp2"]}, claims()),
    }  # fmt: skip
    for how, each in forged.items():
        with pytest.raises(Disbelieved):
            pytest.fail(f"signed {how}, and believed: {believed(each, keys, EXPECTED)}")


def test_a_changed_letter_is_noticed() -> None:
    head, body, signature = token().split(".")
    other = coded(json.dumps(claims(sub="u-2")).encode())
    for forged in (f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}."):
        with pytest.raises(Disbelieved):
            believed(forged, [jwk(OURS, "k1")], EXPECTED)


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        "a.b",
        "a.b.c",
        "..",
        "é.é.é",
        "e30.e30.e30",
        "[]",
        "eyJhbGciOiJFUzI1NiJ9.W10.AAAA",
        "x" * (LONGEST + 1),
    ],
)
def test_what_is_no_token_is_nothing(rubbish: str) -> None:
    with pytest.raises(Disbelieved):
        believed(rubbish, [jwk(OURS, "k1")], EXPECTED)


def test_a_key_is_the_one_that_is_named_and_for_signatures() -> None:
    with pytest.raises(UnknownKey):
        believed(token(kid="k2"), [jwk(OURS, "k1")], EXPECTED)
    for unfit in ({"use": "enc"}, {"alg": "ES384"}, {"kty": "oct"}, {"crv": "P-384"}):
        with pytest.raises(UnknownKey):
            believed(token(), [{**jwk(OURS, "k1"), **unfit}], EXPECTED)
    with pytest.raises(Disbelieved):
        believed(token(), [{**jwk(OURS, "k1"), "x": "AAAA"}], EXPECTED)


def test_one_that_names_no_key_is_read_where_only_one_fits() -> None:
    unnamed = signed(OURS, {"alg": "ES256"}, claims())
    assert believed(unnamed, [jwk(OURS, "k1"), jwk(rsa_key(), "k2")], EXPECTED)
    with pytest.raises(Disbelieved, match="which of"):
        believed(unnamed, [jwk(OURS, "k1"), jwk(ec_key(), "k2")], EXPECTED)


def test_a_key_that_is_too_small_is_no_key() -> None:
    small = rsa_key(1_024)
    with pytest.raises(Disbelieved):
        believed(token(small), [jwk(small, "k1")], EXPECTED)
