"""What people write of a probe in one line, "response-time > 2000ms", as the probe of `probes.yaml` it means."""

import re
from dataclasses import dataclass
from typing import Any

from routing import duration
from routing.schema.refusal import Refusal, shown

EVERY_MS = 30_000
_FORM = re.compile(r"\s*(?P<what>[a-z-]+)\s*(?P<op>>=|<=|>|<|!=|=)\s*(?P<value>\S+)\s*")
_EXAMPLES = (
    '"response-time > 2000ms", "connect-time > 500ms", "status != 200", "certificate-days < 14"'
    ' or "content != welcome"'
)


@dataclass(frozen=True, slots=True)
class Condition:
    """Of a probe: its action, its parameters but for where it looks, and when it is well."""

    action: str
    params: dict[str, Any]
    ok: str
    timeout_ms: int = 10_000


def parse(text: str) -> Condition:
    """When an alert is to fire. Raises Refusal."""
    form = _FORM.fullmatch(text)
    reading = _READINGS.get((form["what"], form["op"])) if form else None
    if form is None or reading is None:
        raise Refusal(f"{shown(text)} is no condition", f"write it like {_EXAMPLES}")
    return reading(form["value"])


def _slower(value: str) -> Condition:
    most = duration.parse(value)
    # One that does not answer at all is not slow: another probe's to tell.
    ok = "ok || last.status == `0`"
    return Condition("http.probe", {"count": 1, "max_ms": most, "timeout_ms": max(1000, 2 * most)}, ok,
                     timeout_ms=max(2000, 3 * most))  # fmt: skip


def _connecting(value: str) -> Condition:
    """One that takes no connection at all is too slow, too: no other probe tells of it."""
    most = duration.parse(value)
    return Condition("tcp.connect", {"max_ms": most}, "ok", timeout_ms=max(2000, 2 * most))


def _other_status(value: str) -> Condition:
    if not re.fullmatch(r"[1-5]\d\d", value):
        raise Refusal(f"{shown(value)} is no status", "write one like 200")
    return Condition("http.probe", {"count": 1, "expect_status": int(value), "timeout_ms": 5000}, "ok")


def _without(value: str) -> Condition:
    return Condition("http.probe", {"count": 1, "contains": value, "timeout_ms": 5000}, "ok")


def _expiring(value: str) -> Condition:
    if not value.isdecimal():
        raise Refusal(f"{shown(value)} is no number of days", "write one like 14")
    return Condition("tls.certificate", {"min_days": int(value)}, "ok")


_READINGS = {
    ("response-time", ">"): _slower,
    ("response-time", ">="): _slower,
    ("connect-time", ">"): _connecting,
    ("connect-time", ">="): _connecting,
    ("status", "!="): _other_status,
    ("content", "!="): _without,
    ("certificate-days", "<"): _expiring,
    ("certificate-days", "<="): _expiring,
}


def looks(condition: Condition, lasting_ms: int) -> tuple[int, int, int]:
    """(every ms, bad looks, of so many) for a condition that must last so long before it fires."""
    every = max(EVERY_MS, condition.timeout_ms)
    of = max(1, min(100, -(-lasting_ms // every)))
    # One good look in ten does not make it well.
    return every, max(1, of - of // 10), of
