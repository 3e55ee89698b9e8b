"""What people do with events: have one decided once more."""

from console import replaying
from console.context import Context
from console.decided import wait
from console.doing.entries import Who
from console.refusals import Clash, Nowhere
from ledger.views import entries
from ledger.views.life import became
from ledger.views.signals import Sent
from routing.entry import Signal


def again(context: Context, who: Who, event_id: str) -> tuple[str, str]:
    """The replay's id, and what became of it. Raises Nowhere, Clash, Undecided."""
    seen = entries.find(context.store, event_id)
    if seen is None or not isinstance(seen.entry, Signal):
        raise Nowhere(f"no event {event_id[:100]!r}; `tocsin why` finds it by the vendor's id too")
    sent = Sent(seen.id, seen.position, seen.lane, seen.entry, seen.raw_id, seen.verdict)
    [ready] = replaying.prepared(context, [sent], again=False)
    if ready.fault:
        raise Clash(ready.fault)
    done = replaying.replay(context, ready, who.name, None, who.client)
    verdict = wait(context, done.position, who.wait_s).verdict
    return done.id, became(verdict) if verdict else "decided"
