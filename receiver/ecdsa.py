"""ECDSA over P-256 with SHA-256 (FIPS 186-5), by the library `cryptography`: the extra `signatures`."""

import binascii
from base64 import b64decode
from functools import lru_cache
from typing import Any

from routing.errors import BadSignature


def verify(public_key: str, signature: str, message: bytes) -> bool:
    """Both in base64, of DER. Raises ValueError for a key that is none of P-256, BadSignature without the library."""
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # an extra
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    except ImportError as error:
        raise BadSignature("nothing here can check it", "install the extra: tocsin[signatures]") from error
    key = _key(public_key)
    try:
        key.verify(b64decode(signature, validate=True), message, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@lru_cache(maxsize=8)
def _key(public_key: str) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_der_public_key  # noqa: PLC0415

    try:
        key = load_der_public_key(b64decode("".join(public_key.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("the public key is none, as the vendor shows it") from error
    curve = key.curve.name if isinstance(key, EllipticCurvePublicKey) else ""
    if curve != SECP256R1.name:
        raise ValueError("the public key is not one of P-256, as the vendor shows it")
    return key
