"""Events decided once more: read again if asked, tried on a copy of the state, appended as replays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import click
import msgspec

from console.context import Context
from console.reviving import free_id
from ledger import catalogue, log
from ledger.clock import now_ms
from ledger.state import load_state
from ledger.views import bodies
from ledger.views.signals import Sent, Wanted
from routing.decide import decide
from routing.entry import Lane, Signal
from routing.errors import TocsinError, Unreadable
from routing.event import Event
from routing.incident import Verdict
from routing.instant import DAY
from routing.language import expressions, matchers
from routing.policy import Policy, Source
from routing.ports import Inbound


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of it. `fault` says why it cannot be replayed; "" when it can."""

    sent: Sent
    event: Event
    verdict: Verdict | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """`position` is its place in the log."""

    trial: Trial
    id: str
    position: str


def wanted(
    context: Context, sources: Sequence[str], since: int | None, until: int | None, texts: Sequence[str],
    where: str,
) -> Wanted:  # fmt: skip
    """Of a day until now where no time is given; of all that vendors send. Raises click.UsageError."""
    now, known = now_ms(), context.policy.sources
    for each in sources:
        if each not in known:
            raise click.UsageError(f"no source {each!r}; there are {', '.join(sorted(known))}")
    own = sources or tuple(name for name, one in known.items() if one.secrets)
    try:
        if where:
            expressions.compiled(where)
        found = [matchers.parse(text) for text in texts]
    except (ValueError, TocsinError) as error:
        raise click.UsageError(str(error)) from error
    begin = now - DAY if since is None else since
    return Wanted(begin, now if until is None else until, frozenset(own), found, where)


def prepared(context: Context, chosen: Sequence[Sent], *, again: bool) -> list[Trial]:
    """Each as it would be appended. `again`: their bodies are read once more, by the configuration of now.

    Raises redis.RedisError.
    """
    made: list[Trial] = []
    for sent in chosen:
        try:
            made.append(Trial(sent, read_again(context, sent) if again else sent.entry.event))
        except TocsinError as error:
            made.append(Trial(sent, sent.entry.event, fault=str(error)))
    return made


def tried(context: Context, prepared: Sequence[Trial], by: str) -> list[Trial]:
    """With what would become of each, decided after those before it; nothing is kept, nobody is told.

    Raises redis.RedisError.
    """
    policy, state, now = context.policy, load_state(context.client, context.keys), now_ms()
    made: list[Trial] = []
    for number, trial in enumerate(prepared):
        if trial.fault:
            made.append(trial)
            continue
        position = f"{log.INITIALS[lane_for(policy, trial)]}{now}-{number}"
        try:
            decision = decide(policy, state, _entry(trial, by), position, now)
        except Exception as error:  # noqa: BLE001  # whatever it is, the fold would set it aside as undecidable
            fault = f"it cannot be decided: {type(error).__name__}: {error}"
            made.append(replace(trial, fault=fault))
            continue
        state.apply(decision)
        made.append(replace(trial, verdict=decision.verdict))
    return made


def replay(context: Context, trial: Trial, by: str, number: int | None, client: str = "") -> Replayed:
    """Appended as `<id>.r<number>`, the next free one if None; the same number twice is one.

    Raises redis.RedisError.
    """
    sent = trial.sent
    replay_id = f"{sent.id}.r{number}" if number else free_id(context, sent.id)
    lane, entry = lane_for(context.policy, trial), _entry(trial, by, client)
    position = log.append_replay(context.client, context.keys, lane, entry, replay_id, raw_id=sent.raw_id)
    return Replayed(trial, replay_id, position)


def lane_for(policy: Policy, trial: Trial) -> Lane:
    """As the receiver would choose it now; where its source is configured no more, the one it came in."""
    source = policy.sources.get(trial.event.source)
    if source is None or not source.secrets:
        return trial.sent.lane
    urgent = any(each.matches(trial.event.attributes()) for each in source.urgent_kinds)
    return Lane.URGENT if urgent else Lane.BULK


def read_again(context: Context, sent: Sent) -> Event:
    """The event as its body reads by the configuration of now. Raises TocsinError."""
    source, raw = _source(context, sent), bodies.find(context.store, sent.raw_id)
    if raw is None:
        raise TocsinError("the body it came in is not kept any more")
    path = raw.headers.get(":path", "")
    inbound = Inbound(raw.body, raw.headers, {}, log.instant_of(sent.position), path=path)
    found = catalogue.source(source.vendor).parse(inbound, source).events
    same = list(_same(found, sent.entry.event))
    if not same:
        raise Unreadable(f"{len(found)} events are in its body, and none is the one it was")
    return same[0]


def _same(found: Sequence[Event], event: Event) -> Iterator[Event]:
    """What is likely to be the same one among a body's events, the likeliest first."""
    if len(found) == 1:
        yield found[0]
        return
    yield from (each for each in found if each.vendor_id and each.vendor_id == event.vendor_id)
    yield from (each for each in found if (each.key, each.status) == (event.key, event.status))


def _source(context: Context, sent: Sent) -> Source:
    name = sent.entry.event.source
    source = context.policy.sources.get(name)
    if source is None or not source.secrets:
        raise TocsinError(f"source {name!r} is no longer configured; add it to sources.yaml")
    return source


def _entry(trial: Trial, by: str, client: str = "") -> Signal:
    """What else it says, like how it was found, stays."""
    return msgspec.structs.replace(
        trial.sent.entry, at=now_ms(), by=by, client=client, event=trial.event, replay_of=trial.sent.id
    )
