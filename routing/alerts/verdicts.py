"""Verdicts: what became of an event, kept for "why"."""

import msgspec

from routing.draft import Draft
from routing.incident import Verdict
from routing.reason import Reason
from routing.severity import Severity


def same(incident: str, because: Reason) -> Reason:
    """Why an event is taken for another's, in the words people look for: "same as INC-12 because ..."."""
    return Reason(text=f"same as {incident} because {because.text}", rule=because.rule, origin=because.origin)


def put(
    draft: Draft,
    did: str,
    mark: str = "",
    incident: str = "",
    *,
    severity: Severity | None = None,
    reasons: list[Reason] | None = None,
    reason: Reason | None = None,
) -> None:
    draft.verdict = Verdict(
        at=draft.now,
        did=did,
        incident=incident,
        fingerprint=mark,
        severity=severity,
        policy=draft.policy.version,
        reasons=[*(reasons or []), *([reason] if reason else [])],
    )


def add(draft: Draft, reason: Reason) -> None:
    """One more reason of the verdict there is."""
    if draft.verdict is not None:
        reasons = [*draft.verdict.reasons, reason]
        draft.verdict = msgspec.structs.replace(draft.verdict, reasons=reasons)
