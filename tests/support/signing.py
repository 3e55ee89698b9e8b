"""A private key for tests, and what is signed with it as SendGrid signs: ECDSA over P-256 with SHA-256."""

from base64 import b64encode
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NUMBER = 0x1F2E3D4C5B6A79880123456789ABCDEF


@cache
def private(number: int = NUMBER) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP256R1())


def public(number: int = NUMBER) -> str:
    """As SendGrid shows it: base64 of DER."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return b64encode(private(number).public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def sign(message: bytes, number: int = NUMBER) -> str:
    return b64encode(private(number).sign(message, ec.ECDSA(hashes.SHA256()))).decode()
