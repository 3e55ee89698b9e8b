"""Events decided once more, over a console: chosen there, a hundred at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from console.output import as_json, clock, one_line, say, table, warn
from console.remote.api import Api
from console.remote.over import Does
from console.replay import MANY
from routing.instant import iso, parse_iso

AT_ONCE = 100
Row = dict[str, Any]


def replay(
    api: Api, *, event_ids: tuple[str, ...], sources: tuple[str, ...], since: int | None, until: int | None,
    texts: tuple[str, ...], where: str, again: bool, number: int | None, yes: bool, limit: int, after: str,
    dry_run: bool, json: bool,
) -> None:  # fmt: skip
    if number is not None:
        raise click.UsageError("--number does not work over a console; an idempotency key does that there")
    if bool(event_ids) == bool(sources or texts or where or since or until):
        raise click.UsageError("name events, or choose them by --source, --since, --until, --match, --where")
    times = {"since": since, "until": until}
    choose = {
        "sources": list(sources), "matchers": list(texts), "where": where,
        **{name: iso(at) for name, at in times.items() if at is not None},
    }  # fmt: skip
    ids: Sequence[str] = event_ids
    tried: list[Row] = []
    if not event_ids:
        tried, after = _tried(api, choose, limit, after, again=again)
        ids = [row["of"] for row in tried if not row["error"]]
    if dry_run:
        _preview(tried or _named(api, ids, again=again, dry_run=True), after, json=json)
        return
    if len(ids) > MANY and not yes:
        if json:
            raise click.UsageError(f"{len(ids)} events: add --yes, or --dry-run to see what would come of it")
        click.confirm(f"Replay {len(ids)} events?", abort=True, err=True)
    failed = [row for row in tried if row["error"]]
    _tell([*_named(api, ids, again=again, dry_run=False), *failed], after, json=json)


def _tried(api: Api, choose: Row, limit: int, after: str, *, again: bool) -> tuple[list[Row], str]:
    """What is chosen, with what would become of each page of it."""
    rows: list[Row] = []
    while True:
        page = api.post("/events/replay", {
            "choose": choose, "after": after, "limit": min(limit - len(rows), AT_ONCE), "read_again": again,
            "dry_run": True,
        })  # fmt: skip
        rows, after = rows + page["events"], page["after"]
        if not after or len(rows) >= limit:
            return rows, after


def _named(api: Api, ids: Sequence[str], *, again: bool, dry_run: bool) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(ids), AT_ONCE):
        sent = {"ids": list(ids[start : start + AT_ONCE]), "read_again": again, "dry_run": dry_run}
        rows += api.post("/events/replay", sent)["events"]
    return rows


def _preview(rows: Sequence[Row], after: str, *, json: bool) -> None:
    if json:
        as_json({"events": rows, "after": after})
        return
    table(
        ("EVENT", "AT", "SOURCE", "KIND", "STATUS", "WAS", "WOULD BE"),
        [
            (row["of"], clock(parse_iso(row["at"])), row["source"], row["kind"], row["status"], row["was"] or "-",
             row["error"] or row["became"])
            for row in rows
        ],
        empty="No event is chosen.",
    )  # fmt: skip
    _more(after)


def _tell(rows: Sequence[Row], after: str, *, json: bool) -> None:
    if json:
        as_json({"replayed": rows, "after": after})
    for row in rows:
        if row["error"]:
            warn(one_line(f"{row['of']} not replayed: {row['error']}"))
        elif not json:
            say(one_line(f"{row['id']}: {row['became'] or 'will be decided'}; see: tocsin why {row['id']}"))
    if not json:
        _more(after)
    if any(row["error"] for row in rows):
        raise SystemExit(1)


def _more(after: str) -> None:
    if after:
        say(f"more: the same with --after {after}", "dim")


COMMANDS: Mapping[str, Does] = {"replay": replay}
