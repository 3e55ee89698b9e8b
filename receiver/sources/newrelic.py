"""New Relic's issues, by a webhook destination. The body is a template of yours: ours is below.

https://docs.newrelic.com/docs/alerts/get-notified/notification-integrations/. It is not signed.
"""

from collections.abc import Sequence

from receiver import shaping, strict_json, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "news: an issue that is updated, which its key tells"
TITLE = "New Relic"
SETUP = """\
1. Alerts → Destinations → *Webhook*: `https://<tocsin>/hooks/newrelic`, authorization *Bearer token*,
   `<NEWRELIC_TOKEN>`.
2. Alerts → Workflows → *Notify*: the destination, with this payload:

       {"issue": {{ json issueId }}, "state": {{ json state }}, "trigger": {{ json triggerEvent }},
        "priority": {{ json priority }}, "title": {{ json annotations.title.[0] }},
        "policy": {{ json accumulations.policyName.[0] }}, "condition": {{ json accumulations.conditionName.[0] }},
        "created": {{ createdAt }}, "link": {{ json issuePageUrl }}}
"""

_STATES = {
    "created": Status.FIRING,
    "activated": Status.FIRING,
    "closed": Status.RESOLVED,
    "deactivated": Status.RESOLVED,
}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = strict_json.object_of(strict_json.loads(inbound.body))
    issue, state = shaping.needed(told, "issue"), shaping.needed(told, "state").casefold()
    created = told.get("created")
    event = Event(
        source=source.name,
        vendor="newrelic",
        kind="issue",
        status=_STATES.get(state, Status.INFO),
        key=f"issue:{issue}",
        title=shaping.text(told, "title") or f"Issue {issue}",
        vendor_severity=shaping.text(told, "priority"),
        labels=shaping.plain({name: told.get(name) for name in ("policy", "condition", "trigger")}),
        starts_at=created if type(created) is int and created > 0 else 0,
        link=shaping.text(told, "link"),
    )
    return Parsed((shaping.bounded(event),))
