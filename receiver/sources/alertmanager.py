"""Prometheus Alertmanager's webhooks, format version "4": one event for each alert of a group.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Alertmanager does not sign; it sends
the token it is given, as bearer or basic. What it repeats means "still firing": that is news, so nothing is
deduplicated here.
"""

from collections.abc import Sequence

from receiver import alert_group, tokens
from routing.event import Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED})
VERIFIED = "bearer token, or password of Basic authentication"
REPEAT = 'news: "still firing"'
TITLE = "Prometheus Alertmanager (webhook)"
SETUP = """\
Add to `alertmanager.yml`:

    receivers:
      - name: tocsin
        webhook_configs:
          - url: https://<tocsin>/hooks/alertmanager
            send_resolved: true
            http_config:
              authorization: {credentials: <ALERTMANAGER_TOKEN>}
"""


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """Raises BadSignature unless one of the secrets is the bearer token or the basic password."""
    tokens.verify(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "user-agent": "Alertmanager/0.28.0", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event for each alert. Raises Unreadable when the body is no webhook of Alertmanager at all."""
    return alert_group.parse(inbound, source, "alertmanager")
