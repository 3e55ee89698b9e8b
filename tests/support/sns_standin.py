"""Amazon's SNS as a sender: messages signed with a key whose certificate is made here."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
CERTIFICATE = (
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
)
_ORDER = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(from_: int, days: int = 365) -> bytes:
    """PEM, valid from that instant (ms) on."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    began = datetime.fromtimestamp(from_ / 1000, UTC)
    made = x509.CertificateBuilder(name, name, key().public_key(), 7, began, began + timedelta(days=days))
    return made.sign(key(), SHA256()).public_bytes(Encoding.PEM)


def message(at: str, kind: str = "Notification", *, version: str = "2", **more: Any) -> dict[str, Any]:
    """A message as SNS sends it at that instant (ISO 8601), signed; `more` is signed too."""
    told = {
        "Type": kind,
        "MessageId": "2fa1f1c0-77a1-4d13-b9b7-6b7a6bbd0001",
        "TopicArn": TOPIC,
        "Message": json.dumps(
            {"AlarmName": "orders-5xx", "NewStateValue": "ALARM", "AWSAccountId": "123456789012"}
        ),
        "Timestamp": at,
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **more,
    }
    signed = "".join(f"{name}\n{told[name]}\n" for name in _ORDER if name in told).encode()
    algorithm = SHA1() if version == "1" else SHA256()  # noqa: S303  # version 1 of SNS is SHA-1
    return {**told, "Signature": b64encode(key().sign(signed, padding.PKCS1v15(), algorithm)).decode()}
