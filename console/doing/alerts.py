"""An alert of ours that is sent on purpose, through the real pipeline: it pages whom it would page."""

from dataclasses import dataclass

from console.context import Context
from console.decided import wait
from console.doing.entries import Who
from console.refusals import Nowhere
from ledger import log
from ledger.clock import now_ms
from ledger.views.life import became
from routing.entry import Lane, Signal
from routing.event import Event, Status
from routing.policy import Probe
from routing.schema.sources import OURSELVES, PROBES


@dataclass(frozen=True, slots=True)
class Tested:
    """`entry` is what was sent, `said` what became of it, `incident` "" where it concerns none."""

    entry: str
    said: tuple[str, ...]
    incident: str


def test(context: Context, who: Who, name: str, *, resolve: bool) -> Tested:
    """Send what the probe fires; with `resolve` say at once that it is over, too. Raises Nowhere, Undecided."""
    probe = next((each for each in context.policy.probes if each.name == name), None)
    if probe is None:
        names = ", ".join(each.name for each in context.policy.probes) or "none"
        raise Nowhere(f"no probe {name[:100]!r}; there are {names}. An event of a vendor: tocsin send")
    entry = log.append(context.client, context.keys, Lane.URGENT, signal(probe, Status.FIRING, who))
    verdict = wait(context, entry, who.wait_s).verdict
    said, incident = [became(verdict) if verdict else "decided"], verdict.incident if verdict else ""
    if resolve:
        over = log.append(context.client, context.keys, Lane.URGENT, signal(probe, Status.RESOLVED, who))
        wait(context, over, who.wait_s)
        said.append(f"{incident or 'it'} is over again")
    return Tested(entry, tuple(said), incident)


def signal(probe: Probe, status: Status, who: Who) -> Signal:
    """What the probe would send, said to be a test."""
    now, firing = now_ms(), status is Status.FIRING
    event = Event(
        source=PROBES, vendor=OURSELVES, kind=probe.kind, status=status, key=f"test:{probe.name}",
        title=f"TEST: {probe.title}", summary=f"A test that {who.name} has sent; nothing is known to be wrong.",
        vendor_severity=probe.severity, labels={"probe": probe.name, "test": "true", **probe.labels},
        starts_at=now if firing else 0, ends_at=0 if firing else now,
    )  # fmt: skip
    return Signal(at=now, by=who.name, client=who.client, event=event)
