"""A sample of a vendor, sent as it would send it: by a receiver, which has the secret that the console has not."""

import secrets
import time

from console.context import Context
from console.doing.entries import Who
from console.refusals import Nowhere
from ledger import accounts, catalogue, rehearsals
from ledger.clock import now_ms
from ledger.rehearsals import WAITS_MS, Answered, Wanted
from routing.instant import SECOND
from routing.policy import Source

_LOOK_S = 0.05
_ANSWERS_MS = 5 * SECOND
"""So long a receiver may take that has begun."""


def sent(context: Context, who: Who, source: Source, sample: str) -> Answered | None:
    """What came of it; None where nobody took it. Raises Nowhere."""
    return rehearsals.answer_of(context.client, context.keys, send(context, who, source, sample))


def send(context: Context, who: Who, source: Source, sample: str) -> str:
    """Ask, and wait until it is sent or nobody took it. Returns the name of the answer. Raises Nowhere."""
    there = catalogue.samples(source.vendor) if source.secrets else ()
    if sample not in there:
        raise Nowhere(f"no sample {sample[:100]!r} of {source.name}; there are: {', '.join(there) or 'none'}")
    now = now_ms()
    wanted = Wanted(id=secrets.token_urlsafe(9), source=source.name, sample=sample, until_at=now + WAITS_MS)
    line = accounts.Audited(
        at=now, by=who.name, what=f"sent the sample {sample} of {source.name}", client=who.client
    )
    accounts.audit(context.client, context.keys, line)
    rehearsals.ask(context.client, context.keys, wanted)
    if not _answered(context, wanted.id, WAITS_MS) and not rehearsals.withdraw(
        context.client, context.keys, wanted
    ):
        _answered(context, wanted.id, _ANSWERS_MS)
    return wanted.id


def _answered(context: Context, wanted: str, within_ms: int) -> bool:
    until = now_ms() + within_ms
    while now_ms() < until:
        if rehearsals.answer_of(context.client, context.keys, wanted):
            return True
        time.sleep(_LOOK_S)
    return False
