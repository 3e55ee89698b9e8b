"""Lighthouse CI's assertions: it has no webhook, so the pipeline posts `.lighthouseci/assertion-results.json`.

https://github.com/GoogleChrome/lighthouse-ci/blob/main/docs/configuration.md#assert. One event for each
assertion: one that fails at level *error* is a condition until it passes.
"""

from collections.abc import Sequence
from typing import Any

from receiver import many, shaping, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token: in the `Authorization` header, `X-Tocsin-Token`, or `?token=` of the address"
REPEAT = "news: it was measured again"
TITLE = "Lighthouse CI"
SETUP = """\
In the pipeline, after `lhci assert`, with `includePassedAssertions: true` in its configuration so that what
passes again ends what failed:

    curl -fsS -H "Authorization: Bearer $LIGHTHOUSE_TOKEN" -H "Content-Type: application/json" \\
      --data-binary @.lighthouseci/assertion-results.json https://<tocsin>/hooks/lighthouse
"""


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """An event of each assertion. Raises Unreadable."""
    return many.parse(inbound.body, lambda told: _event(told, source))


def _event(told: dict[str, Any], source: Source) -> Event:
    url, name = shaping.needed(told, "url"), shaping.needed(told, "name")
    audit, level = shaping.text(told, "auditId"), shaping.text(told, "level")
    passed = told.get("passed") is True
    operator, expected, actual = (shaping.text(told, each) for each in ("operator", "expected", "actual"))
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="lighthouse",
            kind=f"assertion.{level or 'error'}",
            status=Status.RESOLVED if passed else Status.FIRING if level == "error" else Status.INFO,
            key=f"{url}:{audit}:{name}",
            title=f"{audit or name} of {url} {'passes' if passed else 'fails'}",
            summary=shaping.text(told, "message") or f"expected {operator} {expected}, found {actual}",
            vendor_severity="warning" if level == "error" else "notice",
            labels=shaping.plain({"url": url, "audit": audit, "assertion": name}),
            details=shaping.plain({each: told.get(each) for each in ("expected", "actual", "operator")}),
        )
    )
