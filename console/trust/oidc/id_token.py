"""An ID token, believed only when everything about it is right (OpenID Connect Core 1.0, 3.1.3.7)."""

import hashlib
import hmac
import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from routing.errors import TocsinError

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""By public keys alone: with a shared secret, whoever can read it could sign."""
LEEWAY_S = 60
LONGEST = 65_536
_KINDS = {"RS256": ("RSA", ""), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
_HASHES = {"RS256": hashlib.sha256, "ES256": hashlib.sha256, "EdDSA": hashlib.sha512}
_signatures = jwt.PyJWS(ALGORITHMS, {"enforce_minimum_key_length": True})


class Disbelieved(TocsinError):
    """Says what is wrong, and nothing of what the token holds."""


class UnknownKey(Disbelieved):
    """It is signed with a key that the provider did not have when it was last asked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """`now_s` in seconds since the epoch; `access_token` "" where none came with it."""

    issuer: str
    client_id: str
    nonce: str
    now_s: float
    access_token: str = ""


def believed(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected) -> dict[str, Any]:
    """Its claims. `keys` as the provider publishes them. Raises Disbelieved, UnknownKey."""
    if len(token) > LONGEST:
        raise Disbelieved("the ID token is too large")
    algorithm, claims = _signed(token, keys)
    _check_parties(claims, expected)
    _check_times(claims, expected.now_s)
    if not hmac.compare_digest(_text(claims, "nonce").encode(), expected.nonce.encode()):
        raise Disbelieved("the ID token answers another question than ours: its nonce is not the one we sent")
    if "at_hash" in claims and _text(claims, "at_hash") != _half(algorithm, expected.access_token):
        raise Disbelieved("the ID token belongs to another access token: its at_hash does not fit")
    return claims


def _signed(token: str, keys: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    try:
        header = _signatures.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise Disbelieved(f"the ID token is signed by none of {', '.join(ALGORITHMS)}")
        key = _key(keys, str(algorithm), header.get("kid"))
        claims = json.loads(_signatures.decode(token, key, [str(algorithm)]))
    except (jwt.InvalidSignatureError, jwt.InvalidKeyError) as error:
        raise Disbelieved("the ID token is not signed by the provider's key") from error
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Disbelieved("the ID token cannot be read") from error
    if not isinstance(claims, dict):
        raise Disbelieved("the ID token cannot be read")
    return str(algorithm), claims


def _key(keys: Sequence[Mapping[str, Any]], algorithm: str, kid: Any) -> jwt.PyJWK:
    """The one that has the id; without an id the only one that fits. A key of another kind is never tried."""
    fitting = [each for each in keys if _fits(each, algorithm) and (kid is None or each.get("kid") == kid)]
    if not fitting:
        raise UnknownKey("the ID token is signed with a key that the provider does not publish")
    if len(fitting) > 1:
        raise Disbelieved("the ID token does not say which of the provider's keys signed it")
    return jwt.PyJWK.from_dict(dict(fitting[0]), algorithm)


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = _KINDS[algorithm]
    return (
        key.get("kty") == kind
        and (not curve or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise Disbelieved("the ID token is from another issuer")
    audience = claims.get("aud")
    heard = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if expected.client_id not in heard:
        raise Disbelieved("the ID token is for another client")
    if (len(heard) > 1 or "azp" in claims) and claims.get("azp") != expected.client_id:
        raise Disbelieved("the ID token was asked for by another client")
    if not _text(claims, "sub") or len(_text(claims, "sub")) > 255:  # noqa: PLR2004  # Core 1.0, 2
        raise Disbelieved("the ID token says of nobody who they are")


def _check_times(claims: Mapping[str, Any], now_s: float) -> None:
    """Raises Disbelieved. Clocks may differ by a minute."""
    if _number(claims, "exp") <= now_s - LEEWAY_S:
        raise Disbelieved("the ID token has expired")
    if _number(claims, "iat") > now_s + LEEWAY_S:
        raise Disbelieved("the ID token is from the future; one of the two clocks is wrong")
    if "nbf" in claims and _number(claims, "nbf") > now_s + LEEWAY_S:
        raise Disbelieved("the ID token does not count yet; one of the two clocks is wrong")


def _number(claims: Mapping[str, Any], name: str) -> float:
    """Raises Disbelieved. JSON as it is read here has NaN and infinity, which no comparison would refuse."""
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Disbelieved(f"the ID token has no {name}")
    if isinstance(found, float) and not math.isfinite(found):
        raise Disbelieved(f"the ID token has no {name}")
    return found


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""


def _half(algorithm: str, access_token: str) -> str:
    """The left half of its digest, by the hash that the algorithm uses (3.1.3.6)."""
    digest = _HASHES[algorithm](access_token.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
