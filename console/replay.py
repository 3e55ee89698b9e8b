"""`tocsin replay`: events once more, past deduplication and the age of their signatures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import click

from console import replaying
from console.acting import acting
from console.context import Context, connected
from console.decided import wait
from console.options import Instant, dry_run_option, json_option, paging
from console.output import as_json, clock, iso, one_line, progress, say, table, warn
from console.replaying import Replayed, Trial
from ledger import log
from ledger.position import lane_of
from ledger.views import entries, signals
from ledger.views.life import became
from ledger.views.signals import Sent, Wanted
from routing.entry import Signal
from routing.incident import Verdict
from routing.language import expressions

MANY = 10
"""Of more than so many a person is asked first."""


@dataclass(frozen=True, slots=True)
class _Page:
    chosen: Sequence[Sent]
    after: str = ""
    """What to go on after; "" where these were the last."""


@click.command()
@click.argument("EVENT_IDS", nargs=-1)
@click.option("--source", "sources", multiple=True, help="All of this source.")
@click.option("--since", type=Instant(), default=None, help="Received from then on. Default: a day ago.")
@click.option("--until", type=Instant(), default=None, help="Received before then. Default: now.")
@click.option("--match", "texts", multiple=True, metavar="MATCHER", help="Like 'kind=~\"deployment.*\"'.")
@click.option(
    "--where", default="", metavar="JMESPATH", help="Over id, at, event, did, incident, headers, body."
)
@click.option("--read-again", "again", is_flag=True, help="Read their bodies by the configuration of now.")
@click.option(
    "--number", type=click.IntRange(1), default=None,
    help="Which replay of each it is; the same number twice is one. Default: the next one.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask, however many they are.")
@paging(limit=1000)
@dry_run_option
@json_option
@acting
def replay(
    *, event_ids: tuple[str, ...], sources: tuple[str, ...], since: int | None, until: int | None,
    texts: tuple[str, ...], where: str, again: bool, number: int | None, yes: bool, limit: int, after: str,
    dry_run: bool, json: bool, by: str,
) -> None:  # fmt: skip
    """Decide events once more, as EVENT_ID.r<n>; the events themselves stay as they were.

    Those that are named, or all of a source, a time, or what matches. With --dry-run it only says what would come
    of it, decided on a copy of what is.
    """
    context, selecting = connected(), bool(sources or texts or where or since or until)
    if bool(event_ids) == selecting:
        raise click.UsageError("name events, or choose them by --source, --since, --until, --match, --where")
    if event_ids:
        page = _Page([_named(context, each) for each in event_ids])
    else:
        page = _chosen(context, replaying.wanted(context, sources, since, until, texts, where), limit, after)
    ready = replaying.prepared(context, page.chosen, again=again)
    if dry_run:
        _preview(replaying.tried(context, ready, by), page.after, json=json)
        return
    if len(ready) > MANY and not yes:
        _ask(context, ready, by, json=json)
    done = _replay(context, ready, by, number)
    _tell(context, done, [each for each in ready if each.fault], page.after, json=json)


def _named(context: Context, event_id: str) -> Sent:
    seen = entries.find(context.store, event_id)
    if seen is None or not isinstance(seen.entry, Signal):
        raise click.ClickException(f"no event {event_id!r}; `tocsin why` finds it by the vendor's id too")
    return Sent(seen.id, seen.position, seen.lane, seen.entry, seen.raw_id, seen.verdict)


def _chosen(context: Context, wanted: Wanted, limit: int, after: str) -> _Page:
    if after and lane_of(after) is None:
        raise click.UsageError(f"--after: {after!r} is no event's id; they look like u1732406400123-0")
    try:
        found = list(islice(signals.sent(context.store, wanted, after), limit + 1))
    except expressions.BadExpression as error:
        raise click.ClickException(str(error)) from error
    return _Page(found[:limit], found[limit - 1].position if len(found) > limit else "")


def _preview(tried: Sequence[Trial], after: str, *, json: bool) -> None:
    if json:
        as_json({"events": [_shown(each) for each in tried], "after": after})
        return
    table(
        ("EVENT", "AT", "SOURCE", "KIND", "STATUS", "WAS", "WOULD BE"),
        [
            (each.sent.id, clock(log.instant_of(each.sent.position)), each.event.source, each.event.kind,
             each.event.status.value, _did(each.sent.verdict), each.fault or _did(each.verdict))
            for each in tried
        ],
        empty="No event is chosen.",
    )  # fmt: skip
    _sum_up(tried)
    _more(after)


def _ask(context: Context, ready: Sequence[Trial], by: str, *, json: bool) -> None:
    if json:
        raise click.UsageError(f"{len(ready)} events: add --yes, or --dry-run to see what would come of it")
    _sum_up(replaying.tried(context, ready, by))
    click.confirm(f"Replay {len(ready)} events?", abort=True, err=True)


def _sum_up(tried: Sequence[Trial]) -> None:
    counted = Counter("cannot be replayed" if each.fault else _did(each.verdict, "") for each in tried)
    for what, times in counted.most_common():
        say(f"{times:6}  {what}", "dim")


def _replay(context: Context, ready: Sequence[Trial], by: str, number: int | None) -> list[Replayed]:
    done = []
    with progress("replaying", len(ready)) as step:
        for each in ready:
            if not each.fault:
                done.append(replaying.replay(context, each, by, number))
            step(1)
    return done


def _tell(
    context: Context, done: Sequence[Replayed], failed: Sequence[Trial], after: str, *, json: bool
) -> None:
    verdicts = _verdicts(context, done)
    rows: list[dict[str, Any]] = []
    for each, verdict in zip(done, verdicts, strict=True):
        rows.append({"id": each.id, "of": each.trial.sent.id, **_verdict(verdict)})
        if not json:
            what = became(verdict) if verdict else "decided"
            say(one_line(f"{each.id}: {what}; see: tocsin why {each.id}"))
    for trial in failed:
        rows.append({"id": None, "of": trial.sent.id, "error": trial.fault})
        warn(one_line(f"{trial.sent.id} not replayed: {trial.fault}"))
    if json:
        as_json({"replayed": rows, "after": after})
    else:
        _more(after)
    if failed:
        raise SystemExit(1)


def _verdicts(context: Context, done: Sequence[Replayed]) -> list[Verdict | None]:
    """What became of each. Raises click.ClickException when they are not decided in time."""
    return [wait(context, each.position).verdict for each in done]


def _more(after: str) -> None:
    if after:
        say(f"more: the same with --after {after}", "dim")


def _did(verdict: Verdict | None, incident: str | None = None) -> str:
    if verdict is None:
        return "-"
    about = verdict.incident if incident is None else incident
    return f"{verdict.did} {about}".rstrip()


def _shown(each: Trial) -> dict[str, Any]:
    event = each.event
    return {
        "id": each.sent.id, "at": iso(log.instant_of(each.sent.position)), "source": event.source,
        "kind": event.kind, "status": event.status.value, "title": event.title,
        "was": _verdict(each.sent.verdict), "would_be": _verdict(each.verdict), "error": each.fault or None,
    }  # fmt: skip


def _verdict(found: Verdict | None) -> dict[str, Any]:
    if found is None:
        return {"did": None, "incident": None}
    severity = None if found.severity is None else str(found.severity)
    return {"did": found.did, "incident": found.incident or None, "severity": severity}
