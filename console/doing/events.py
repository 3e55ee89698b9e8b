"""What people do with events: have one decided once more."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from console import replaying
from console.context import Context
from console.decided import wait
from console.doing.entries import Who
from console.refusals import Clash, Nowhere, Undecided
from console.replaying import Replayed, Trial
from ledger import log
from ledger.views import entries
from ledger.views.life import became
from ledger.views.signals import Sent
from routing.entry import Signal
from routing.incident import Verdict
from routing.instant import iso


@dataclass(frozen=True, slots=True)
class Once:
    """One event decided once more. `id` "" where it was not; `became` "" where nobody has decided it yet.

    `at` is when it came in (ISO 8601), `was` what became of it then.
    """

    of: str
    at: str
    source: str
    kind: str
    status: str
    was: str
    id: str = ""
    became: str = ""
    incident: str = ""
    error: str = ""


def again(context: Context, who: Who, event_id: str) -> tuple[str, str]:
    """The replay's id, and what became of it. Raises Nowhere, Clash, Undecided."""
    [ready] = replaying.prepared(context, [sent(context, event_id)], again=False)
    if ready.fault:
        raise Clash(ready.fault)
    done = replaying.replay(context, ready, who.name, None, who.client)
    verdict = wait(context, done.position, who.wait_s).verdict
    return done.id, became(verdict) if verdict else "decided"


def many(context: Context, who: Who, chosen: Sequence[Sent], *, read_again: bool) -> list[Once]:
    """Each once more; the answer waits for all of them together."""
    ready = replaying.prepared(context, chosen, again=read_again)
    done = [
        None if each.fault else replaying.replay(context, each, who.name, None, who.client) for each in ready
    ]
    until = time.monotonic() + who.wait_s
    return [_once(context, trial, each, until) for trial, each in zip(ready, done, strict=True)]


def tried(context: Context, who: Who, chosen: Sequence[Sent], *, read_again: bool) -> list[Once]:
    """What would become of each, decided on a copy of what is."""
    ready = replaying.prepared(context, chosen, again=read_again)
    return [_told(each, "", each.verdict, each.fault) for each in replaying.tried(context, ready, who.name)]


def sent(context: Context, event_id: str) -> Sent:
    """Raises Nowhere."""
    seen = entries.find(context.store, event_id)
    if seen is None or not isinstance(seen.entry, Signal):
        raise Nowhere(f"no event {event_id[:100]!r}; `tocsin why` finds it by the vendor's id too")
    return Sent(seen.id, seen.position, seen.lane, seen.entry, seen.raw_id, seen.verdict)


def _once(context: Context, trial: Trial, done: Replayed | None, until: float) -> Once:
    if done is None:
        return _of(trial, "", error=trial.fault)
    try:
        verdict = wait(context, done.position, max(0.05, until - time.monotonic())).verdict
    except (Undecided, Clash) as error:
        return _of(trial, done.id, error="" if isinstance(error, Undecided) else error.message)
    return _told(trial, done.id, verdict)


def _told(trial: Trial, replay: str, verdict: Verdict | None, error: str = "") -> Once:
    said = became(verdict) if verdict else "" if error else "decided"
    return _of(trial, replay, said, verdict.incident if verdict else "", error)


def _of(trial: Trial, replay: str, said: str = "", incident: str = "", error: str = "") -> Once:
    sent, event = trial.sent, trial.event
    was = became(sent.verdict) if sent.verdict else ""
    at = iso(log.instant_of(sent.position))
    return Once(
        sent.id, at, event.source, event.kind, event.status.value, was, replay, said, incident, error
    )  # fmt: skip
