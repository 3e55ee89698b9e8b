"""Jobs that say that they ran: `curl https://<tocsin>/hooks/heartbeat?job=backup&key=...&state=success`.

A job that fails is a condition until it succeeds. That one does not run at all, an `absences` rule finds; it counts
what comes here. `tocsin heartbeat NAME` prints a job's addresses. Each has a key of its own, made of the source's
secret, so that an address opens nothing else.
"""

import hmac
import re
from collections.abc import Sequence
from typing import Any

from receiver import hmacs, shaping, strict_json, tokens
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a key in each job's address, made of its name and the secret; or a token"
REPEAT = "news: it ran again"
TITLE = "Heartbeats of jobs"
SETUP = """\
1. A long random secret into `HEARTBEAT_SECRET`.
2. `tocsin heartbeat nightly-backup` prints the addresses; in the crontab: `backup && curl -fsS -m 10 '<success>'`, or
   with `state=$?` at the end: 0 is success, anything else a failure. GET, HEAD and POST all count; what is posted
   is shown with the incident.
3. An `absences` rule in `severity.yaml` says how long may pass:
   `{name: backup-late, match: ['kind="heartbeat.success"', 'job="nightly-backup"'], within: 25h, ...}`.
"""
METHODS = frozenset({"GET", "HEAD"})

JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_STATES = {
    "start": ("heartbeat.start", Status.INFO, "started"),
    "success": ("heartbeat.success", Status.RESOLVED, "ran"),
    "fail": ("heartbeat.fail", Status.FIRING, "failed"),
}


def key_of(job: str, secret: str) -> str:
    """What opens this job's address: 32 hex digits."""
    return hmacs.hexdigest("sha256", f"heartbeat {job}".encode(), secret)[:32]


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    if "key" not in inbound.query:
        tokens.verify(inbound, secrets)
        return
    given = inbound.query["key"].encode("utf-8", "surrogateescape")
    job = inbound.query.get("job", "")
    right = [hmac.compare_digest(given, key_of(job, each).encode()) for each in secrets if each.strip()]
    if not any(right):
        raise BadSignature("the key is not this job's", "`tocsin heartbeat NAME` prints its addresses")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    if "job" in inbound.query:
        told: dict[str, Any] = dict(inbound.query)
        message = inbound.body[:2000].decode(errors="replace")
    else:
        told = strict_json.object_of(strict_json.loads(inbound.body))
        message = shaping.text(told, "message")
    job, state = shaping.text(told, "job"), shaping.text(told, "state") or "success"
    if not JOB.fullmatch(job):
        raise Unreadable("expected a job's name of letters, digits, dots, hyphens and underscores", "job")
    return Parsed((_event(job, state, message, inbound.received_at, source),))


def _event(job: str, state: str, message: str, now: int, source: Source) -> Event:
    code = state if state.isascii() and state.isdigit() else ""
    found = _STATES.get(("fail" if code.strip("0") else "success") if code else state)
    if found is None:
        raise Unreadable("expected start, success, fail or an exit status", "state")
    kind, status, said = found
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="heartbeat",
            kind=kind,
            status=status,
            key=f"heartbeat:{job}",
            title=f"Job {job} {said}{code.strip('0') and f' with status {code}'}",
            summary=message,
            labels={"job": job},
            starts_at=now,
        )
    )
