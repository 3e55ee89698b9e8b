"""Amazon CloudWatch's alarms, over SNS; other messages of the topic as information.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. A signature of Amazon's shows that it
is from SNS, not that it is from your topic: anybody has topics. So the topics are listed; and before anything is
looked up for a request, it must carry the token that is in the subscription's address.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from receiver import hmacs, instants, shaping, strict_json, tokens
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.instant import HOUR, SECOND
from routing.policy import Source
from routing.ports import Inbound, Parsed
from routing.schema.refusal import Refusal, shown

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token (Basic authentication in the address), the topic's name, and Amazon's RSA signature"
REPEAT = "the same `MessageId`, which is signed"
TITLE = "Amazon CloudWatch (SNS)"
SETUP = """\
1. Install Tocsin with its extra `signatures` (`pip install 'tocsin[signatures]'`; the lock files have it).
2. A long random token into `CLOUDWATCH_TOKEN`; the topic's ARN into `settings: {topics: [...]}` of the source.
3. SNS → the topic → *Create subscription*: HTTPS, `https://tocsin:<CLOUDWATCH_TOKEN>@<tocsin>/hooks/cloudwatch`, raw
   message delivery off. It is confirmed by itself, if its topic is listed.
4. In each alarm, send *In alarm* and *OK* to the topic.
"""
SETTINGS = {
    "topics": "ARNs of the topics that may send; none is taken without",
    "rehearsals": "true: what `tocsin send` sends counts too; Amazon alone can sign as Amazon",
}

_CERTIFICATE = re.compile(
    r"https://sns\.([a-z0-9-]{3,30})\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem"
)
_ARN = re.compile(r"arn:aws[a-z-]{0,10}:sns:([a-z0-9-]{3,30}):\d{12}:[A-Za-z0-9_.-]{1,256}")
_TOKEN = re.compile(r"[0-9a-zA-Z]{1,512}")
_NOTE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRM = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {"Notification": _NOTE, "SubscriptionConfirmation": _CONFIRM, "UnsubscribeConfirmation": _CONFIRM}
_REHEARSAL = "x-tocsin-rehearsal-signature"
_STATES = {"ALARM": Status.FIRING, "OK": Status.RESOLVED}


def faults(settings: Mapping[str, Any]) -> list[Refusal]:
    topics = settings.get("topics")
    if not isinstance(topics, list) or not topics:
        return [
            Refusal(
                "no topic is listed", "write topics: [arn:aws:sns:...]; none is taken without", ("topics",)
            )
        ]
    fix = "write it like arn:aws:sns:eu-central-1:123456789012:alarms"
    return [Refusal(f"{shown(one)} is no topic", fix, ("topics", number))
            for number, one in enumerate(topics) if not isinstance(one, str) or not _ARN.fullmatch(one)]  # fmt: skip


def document(inbound: Inbound, secrets: Sequence[str], source: Source) -> str:
    """The certificate that signs this message. Raises BadSignature for all that could not be verified with it."""
    tokens.verify(inbound, secrets)
    message = _envelope(inbound.body)
    region = _region(message, source)
    if _rehearsed(inbound, secrets, source):
        return ""
    found = _CERTIFICATE.fullmatch(str(message.get("SigningCertURL")))
    if found is None or found[1] != region:
        raise BadSignature("the certificate is not at Amazon's", "is this really SNS?")
    return found[0]


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Raises BadSignature. Without `inbound.document`, the certificate, nothing but a rehearsal is taken."""
    tokens.verify(inbound, secrets)
    message = _envelope(inbound.body)
    _region(message, source)
    for header, member in (("x-amz-sns-message-type", "Type"), ("x-amz-sns-topic-arn", "TopicArn")):
        if inbound.headers.get(header, message[member]) != message[member]:
            raise BadSignature(f"{header} and the body differ", "is this really SNS?")
    if _rehearsed(inbound, secrets, source):
        return
    _check_signature(message, inbound)
    _check_time(message, inbound.received_at, source)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    """A rehearsal: Amazon's key is not ours."""
    return {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        _REHEARSAL: hmacs.hexdigest("sha256", body, secret),
        **tokens.bearer(secret),
    }


def confirmation(inbound: Inbound, source: Source) -> str:
    """Asked for a subscription of a listed topic: at Amazon's own address, never at the one in the message."""
    message = _envelope(inbound.body)
    if message["Type"] != "SubscriptionConfirmation" or _REHEARSAL in inbound.headers:
        return ""
    region, token = _region(message, source), str(message.get("Token", ""))
    if not _TOKEN.fullmatch(token):
        return ""
    asked = {"Action": "ConfirmSubscription", "TopicArn": message["TopicArn"], "Token": token}
    china = ".cn" if region.startswith("cn-") else ""
    return f"https://sns.{region}.amazonaws.com{china}/?{urlencode(asked)}"


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    message = strict_json.object_of(strict_json.loads(inbound.body))
    text = strict_json.text_of(message, "Message")
    if message.get("Type") != "Notification":
        return Parsed((shaping.bounded(_subscription(message, text, source)),))
    try:
        told = strict_json.loads(text.encode())
    except Unreadable:
        told = None
    if isinstance(told, dict) and "AlarmName" in told:
        return Parsed((shaping.bounded(_alarm(told, message, source)),))
    return Parsed((shaping.bounded(_note(text, message, source)),))


def _alarm(told: dict[str, Any], message: Mapping[str, Any], source: Source) -> Event:
    name, state = shaping.needed(told, "AlarmName"), shaping.needed(told, "NewStateValue")
    region = str(message.get("TopicArn")).split(":")[3:4]
    labels = {
        "alarm": name,
        "state": state,
        "region": region[0] if region else "",
        "account": shaping.text(told, "AWSAccountId"),
        "namespace": shaping.text(told, "Trigger", "Namespace"),
        "metric": shaping.text(told, "Trigger", "MetricName"),
    }
    return Event(
        source=source.name,
        vendor="cloudwatch",
        kind="alarm",
        status=_STATES.get(state, Status.INFO),
        key=f"alarm:{labels['account']}:{labels['region']}:{name}",
        title=f"{name} is {state}",
        summary=shaping.text(told, "AlarmDescription") or shaping.text(told, "NewStateReason"),
        vendor_id=shaping.text(message, "MessageId"),
        labels=shaping.plain(labels | _dimensions(told)),
        details=shaping.plain({"reason": told.get("NewStateReason"), "before": told.get("OldStateValue")}),
        starts_at=_state_changed(told),
    )


def _dimensions(told: dict[str, Any]) -> dict[str, str]:
    found = shaping.at(told, "Trigger", "Dimensions")
    pairs = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return {f"dimension_{shaping.text(one, 'name')}": shaping.text(one, "value") for one in pairs[:20]}


def _state_changed(told: dict[str, Any]) -> int:
    """It writes +0000 where RFC 3339 wants +00:00."""
    written = shaping.text(told, "StateChangeTime")
    return instants.rfc3339({"at": re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", written)}, "at", "StateChangeTime")


def _subscription(message: dict[str, Any], text: str, source: Source) -> Event:
    ended, topic = message.get("Type") == "UnsubscribeConfirmation", shaping.needed(message, "TopicArn")
    return Event(
        source=source.name,
        vendor="cloudwatch",
        kind=shaping.needed(message, "Type"),
        status=Status.FIRING if ended else Status.RESOLVED,
        key=f"subscription:{topic}",
        title=f"SNS sends {'no more' if ended else 'from now on'}: {topic}",
        summary=text,
        vendor_id=shaping.text(message, "MessageId"),
        labels={"topic": topic},
        starts_at=instants.rfc3339(message, "Timestamp"),
    )


def _note(text: str, message: dict[str, Any], source: Source) -> Event:
    topic = shaping.needed(message, "TopicArn")
    return Event(
        source=source.name,
        vendor="cloudwatch",
        kind="Notification",
        status=Status.INFO,
        key=f"topic:{topic}",
        title=shaping.text(message, "Subject") or f"Message of {topic.rpartition(':')[2]}",
        summary=text,
        vendor_id=shaping.text(message, "MessageId"),
        labels={"topic": topic},
        starts_at=instants.rfc3339(message, "Timestamp"),
    )


def _envelope(body: bytes) -> dict[str, Any]:
    """A message that has what every kind of them has. Raises BadSignature: what it is, the signature is in."""
    try:
        message = strict_json.object_of(strict_json.loads(body))
        for name in ("Type", "TopicArn", "MessageId", "Timestamp"):
            strict_json.text_of(message, name)
    except Unreadable as error:
        raise BadSignature("the body is no message of SNS", "raw message delivery must be off") from error
    if message["Type"] not in _SIGNED:
        raise BadSignature("the body is of no type that SNS signs", "is this really SNS?")
    return message


def _region(message: Mapping[str, Any], source: Source) -> str:
    """Of the topic, if it is listed. Raises BadSignature."""
    topics = source.settings.get("topics")
    found = _ARN.fullmatch(str(message["TopicArn"]))
    if found is None or not isinstance(topics, list) or message["TopicArn"] not in topics:
        raise BadSignature(
            "the topic is none of those listed", "list its ARN in settings.topics of this source"
        )
    return found[1]


def _rehearsed(inbound: Inbound, secrets: Sequence[str], source: Source) -> bool:
    given = inbound.headers.get(_REHEARSAL, "")
    allowed = source.settings.get("rehearsals") is True
    return bool(allowed and given and hmacs.matches("sha256", inbound.body, given, secrets))


def _check_signature(message: Mapping[str, Any], inbound: Inbound) -> None:
    try:
        from cryptography import x509  # noqa: PLC0415  # an extra, for this source alone
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA1, SHA256  # noqa: PLC0415
    except ImportError as error:
        raise BadSignature(
            "nothing here can check Amazon's signature", "install the extra: tocsin[signatures]"
        ) from error
    algorithm = {"1": SHA1, "2": SHA256}.get(str(message.get("SignatureVersion")))
    if algorithm is None or not inbound.document:
        raise BadSignature("it is not signed in a way that is known here", "SignatureVersion is 1 or 2")
    try:
        signature = b64decode(str(message.get("Signature", "")), validate=True)
        certificate = x509.load_pem_x509_certificate(inbound.document)
        key = certificate.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise BadSignature("the certificate is of another kind", "it is RSA")
        key.verify(signature, _signed(message), padding.PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadSignature("Amazon's signature does not match the message", "is this really SNS?") from error
    began, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not began.timestamp() * SECOND <= inbound.received_at <= ends.timestamp() * SECOND:
        raise BadSignature("the certificate is not valid now", "check this machine's clock")


def _signed(message: Mapping[str, Any]) -> bytes:
    names = (name for name in _SIGNED[message["Type"]] if message.get(name) is not None)
    return "".join(f"{name}\n{message[name]}\n" for name in names).encode()


def _check_time(message: dict[str, Any], now: int, source: Source) -> None:
    """SNS tries again for up to an hour, with the first one's time."""
    try:
        behind_ms = now - instants.rfc3339(message, "Timestamp")
    except Unreadable as error:
        raise BadSignature("the Timestamp is none", "is this really SNS?") from error
    if not -source.tolerance_ms <= behind_ms <= max(HOUR, source.tolerance_ms):
        side = "old" if behind_ms > 0 else "in the future"
        raise BadSignature(
            f"the message is {abs(behind_ms) // SECOND} s {side}", "check this machine's clock"
        )
