"""`tocsin dead`: work given up, kept for a person to look at, mend and bring through."""

from collections.abc import Callable, Iterator
from typing import Any

import click

from console import mending, reviving
from console.acting import acting
from console.context import Context, connected
from console.options import Pair, dry_run_option, json_option, paging
from console.output import ago, as_json, clock, facts, heading, iso, one_line, progress, say, table, warn
from ledger import dead as letters
from ledger import wire
from ledger.clock import now_ms
from ledger.dead import DeadLetter, Fate, Kind
from routing import redaction
from routing.errors import TocsinError

KINDS = click.Choice([kind.value for kind in Kind])

_SELECTION = (
    click.argument("IDS", nargs=-1),
    click.option(
        "--all", "everything", is_flag=True, help="All that wait (with --kind, --source: of those)."
    ),
    click.option("--kind", type=KINDS, default=None),
    click.option("--source", default=""),
    dry_run_option,
    acting,
)


def _selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which dead letters, who acts, and whether only to say so."""
    for option in reversed(_SELECTION):
        command = option(command)
    return command


@click.group()
def dead() -> None:
    """List dead letters, look at one, edit, retry or drop it."""


@dead.command("list")
@click.option("--kind", type=KINDS, default=None)
@click.option("--source", default="")
@click.option("--status", type=click.Choice([fate.value for fate in Fate]), default=Fate.WAITING.value)
@paging()
@json_option
def list_(kind: str | None, source: str, status: str, limit: int, after: str, json: bool) -> None:
    """List dead letters, newest first; those that wait unless asked otherwise."""
    context = connected()
    found = letters.listing(
        context.client,
        context.keys,
        cursor=_place(context, after),
        limit=limit,
        kind=kind or "",
        source=source,
        status=status,
    )
    if json:
        last = found.letters[-1].id if found.next else ""
        as_json({"letters": [shown(each) for each in found.letters], "after": last})
        return
    now = now_ms()
    table(
        ("ID", "KIND", "SOURCE", "AGE", "TIMES", "INCIDENT", "WHY"),
        [
            (each.id, each.kind, each.source, ago(each.at, now), each.tries, each.incident, each.why)
            for each in found.letters
        ],
        empty="No dead letter.",
    )
    if found.next:
        say(f"more: tocsin dead list --after {found.letters[-1].id}", "dim")


def _place(context: Context, after: str) -> str:
    """How many letters come before the page that follows this one."""
    if not after:
        return ""
    rank = wire.call(context.client, "ZREVRANK", context.keys.dead_index, after)
    if rank is None:
        raise click.UsageError(f"--after: no dead letter {after!r}")
    return str(int(rank) + 1)


@dead.command()
@click.argument("ID")
@click.option("--raw", is_flag=True, help="The body as it was received, secrets and people included.")
@json_option
def show(id: str, raw: bool, json: bool) -> None:  # noqa: A002  # the name shown in the usage
    """Show all of one dead letter: why, headers, traceback, and its body without secrets and people."""
    letter = _letter(connected(), id)
    body = letter.raw.decode(errors="backslashreplace") if raw else redaction.body(letter.raw)
    if json:
        as_json(shown(letter) | {"raw": body, "traceback": letter.traceback})
        return
    heading(f"{letter.id}  {letter.kind}  {letter.status}")
    facts([
        ("why", letter.why), ("at", clock(letter.at)), ("source", letter.source), ("times", letter.tries),
        ("incident", letter.incident), ("subject", letter.subject), ("headers", letter.headers or ""),
        ("edited", f"{clock(letter.edited_at)} by {letter.edited_by}" if letter.edited_at else ""),
    ])  # fmt: skip
    heading("Body")
    say(body)
    if letter.traceback:
        heading("Traceback")
        say(letter.traceback, "dim")


@dead.command()
@click.argument("ID")
@click.option("--body", default=None, metavar="FILE", help="The new body from a file; - for stdin.")
@click.option("--set", "pairs", type=Pair(), multiple=True, help="One value of a JSON body: data.object.id=x")
@acting
def edit(id: str, body: str | None, pairs: tuple[tuple[str, str], ...], by: str) -> None:  # noqa: A002
    """Change its body: in $EDITOR, with --body or with --set. Says whether it can be read now."""
    if body is not None and pairs:
        raise click.UsageError("give either --body or --set")
    context = connected()
    letter = _letter(context, id)
    if letter.kind not in reviving.MENDABLE:
        raise click.UsageError(
            f"nothing is read from an {letter.kind} letter; retry it, or act on {letter.subject}"
        )
    if pairs:
        raw = mending.with_values(letter.raw, pairs)
    else:
        raw = mending.edited(letter.raw) if body is None else mending.read(body)
    letter = letters.edit(context.client, context.keys, id, raw, by, now_ms())
    try:
        found = reviving.check(context, letter)
    except TocsinError as error:
        raise click.ClickException(f"kept as edited, but it still cannot be read: {error}") from error
    say(f"{id} edited by {by}; it reads as {found}. Bring it through: tocsin dead retry {id}")


@dead.command()
@_selecting
def retry(
    ids: tuple[str, ...], everything: bool, kind: str | None, source: str, dry_run: bool, by: str
) -> None:
    """Bring dead letters through. What fails again says why, and is kept."""
    context = connected()
    chosen = _chosen(context, ids, everything, kind or "", source)
    failed = 0
    with progress("retrying", len(chosen)) as step:
        for letter in chosen:
            if dry_run:
                say(one_line(f"would retry {letter.id}: {letter.kind} {letter.why}"))
                continue
            try:
                entered = reviving.revive(context, letter, by)
            except TocsinError as error:
                failed += 1
                mend = (
                    f"; mend it with: tocsin dead edit {letter.id}"
                    if letter.kind in reviving.MENDABLE
                    else ""
                )
                warn(one_line(f"{letter.id} kept: {error}{mend}"))
            else:
                say(f"{letter.id} retried by {by}: {', '.join(entered)}")
            step(1)
    if failed:
        raise SystemExit(1)


@dead.command()
@_selecting
def drop(
    ids: tuple[str, ...], everything: bool, kind: str | None, source: str, dry_run: bool, by: str
) -> None:
    """Give dead letters up for good; they stay readable under --status dropped."""
    context = connected()
    chosen = _chosen(context, ids, everything, kind or "", source)
    with progress("dropping", len(chosen)) as step:
        for letter in chosen:
            if dry_run:
                say(one_line(f"would drop {letter.id}: {letter.kind} {letter.why}"))
            else:
                letters.drop(context.client, context.keys, letter.id, by, now_ms())
                say(f"{letter.id} dropped by {by}")
            step(1)


def _chosen(
    context: Context, ids: tuple[str, ...], everything: bool, kind: str, source: str
) -> list[DeadLetter]:
    if ids:
        return [_letter(context, each) for each in ids]
    if not everything:
        raise click.UsageError("name dead letters, or --all (with --kind, --source); --dry-run shows which")
    return list(_waiting(context, kind, source))


def _waiting(context: Context, kind: str, source: str) -> Iterator[DeadLetter]:
    cursor = ""
    while True:
        page = letters.listing(context.client, context.keys, cursor=cursor, kind=kind, source=source)
        yield from page.letters
        cursor = page.next
        if not cursor:
            return


def _letter(context: Context, letter_id: str) -> DeadLetter:
    found = letters.get(context.client, context.keys, letter_id) or context.store.settled(letter_id)
    if found is None:
        raise click.ClickException(f"no dead letter {letter_id!r}; see: tocsin dead list")
    return found


def shown(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.id, "kind": letter.kind.value, "status": letter.status.value, "at": iso(letter.at),
        "why": letter.why, "source": letter.source, "tries": letter.tries, "incident": letter.incident,
        "subject": letter.subject, "headers": letter.headers, "bytes": len(letter.raw),
        "edited_by": letter.edited_by, "edited_at": iso(letter.edited_at),
        "by": letter.by, "changed_at": iso(letter.changed_at),
    }  # fmt: skip
