"""Grafana's alerting webhooks: groups of alerts as Alertmanager sends them, with Grafana's own facts beside.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
Signed where the contact point has an HMAC secret; else it sends the secret itself. One secret serves for both.
"""

from collections.abc import Sequence

from receiver import alert_group, hmacs, timely, tokens
from routing.errors import BadSignature
from routing.event import Status
from routing.instant import SECOND
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED})
VERIFIED = (
    "`X-Grafana-Alerting-Signature`, HMAC-SHA256 over the body or time and body; or bearer token, or Basic"
)
REPEAT = 'news: "still firing"'
TITLE = "Grafana alerting"
SETUP = """\
1. Alerting → Contact points → *Add*: integration *Webhook*, `https://<tocsin>/hooks/grafana`.
2. *Optional settings*, *HMAC signature*: secret as `GRAFANA_WEBHOOK_SECRET`; timestamp header
   `X-Grafana-Alerting-Timestamp`, and `settings: {timestamp_header: X-Grafana-Alerting-Timestamp}` here, so that an
   old request is refused. Grafana before 12 has no such setting: choose scheme `Bearer` and the same secret.
3. Leave the payload as it is: a template of one's own cannot be read.
"""
SETTINGS = {
    "timestamp_header": "the header that holds the signed time; without it a captured request can be repeated"
}
METHODS = frozenset({"PUT"})

_HEADER = "x-grafana-alerting-signature"


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """A signature that is there must be right, whatever token is there too; and the time where it is signed."""
    given = inbound.headers.get(_HEADER, "")
    if not given:
        tokens.verify(inbound, secrets)
        return
    message, name = inbound.body, source.settings.get("timestamp_header")
    at = inbound.headers.get(str(name).lower(), "") if name else ""
    if name:
        message = b"%b:%b" % (at.encode("utf-8", "surrogateescape"), inbound.body)
    if not hmacs.matches("sha256", message, given, secrets):
        raise BadSignature(
            "the signature does not match the body", "compare both secrets, and timestamp_header"
        )
    if name:
        timely.check(at, inbound.received_at, source)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "user-agent": "Grafana", **_signature(body, secret)}


def sign_for(source: Source, body: bytes, secret: str, at: int) -> dict[str, str]:
    """With the time, where the source names the header it is in."""
    name = source.settings.get("timestamp_header")
    if not isinstance(name, str):
        return sign(body, secret, at)
    seconds = str(at // SECOND)
    stamped = _signature(b"%b:%b" % (seconds.encode(), body), secret)
    return {**sign(body, secret, at), **stamped, name.lower(): seconds}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event for each alert. Raises Unreadable when the body is no group of alerts."""
    return alert_group.parse(inbound, source, "grafana")


def _signature(message: bytes, secret: str) -> dict[str, str]:
    return {_HEADER: hmacs.hexdigest("sha256", message, secret)}
