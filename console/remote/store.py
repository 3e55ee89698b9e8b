"""Dead letters, silences, sources and how Tocsin does, over a console."""

import base64
import json as jsons
from pathlib import Path
from typing import Any

import click

from console import mending
from console.output import ago, as_json, clock, facts, heading, one_line, say, table, warn
from console.remote.api import Api, part
from console.sources import tell as tell_sources
from console.sources import tell_one
from console.status import tell as tell_status
from ledger.clock import now_ms
from routing import duration
from routing.instant import parse_iso


def status(api: Api, json: bool) -> None:
    found = api.get("/status")
    if json:
        as_json(found)
    else:
        tell_status(found)
    if not found["ok"]:
        raise SystemExit(1)


def sources(api: Api, json: bool) -> None:
    rows = api.get("/sources")["sources"]
    if json:
        as_json(rows)
    else:
        tell_sources(rows, now_ms())


def source(api: Api, source: str, json: bool) -> None:
    found = api.get(f"/sources/{part(source)}")
    if json:
        as_json(found)
    else:
        tell_one(found, now_ms())


def _switch(verb: str, said: str) -> Any:
    def does(api: Api, source: str) -> None:
        api.post(f"/sources/{part(source)}/{verb}")
        say(f"{source} {said}")

    return does


def dead_list(
    api: Api, kind: str | None, source: str, status: str, limit: int, after: str, json: bool
) -> None:
    rows: list[dict[str, Any]] = []
    while True:
        wanted = {"kind": kind, "source": source, "status": status, "after": after}
        page = api.get("/dead", limit=min(limit - len(rows), 500), **wanted)
        rows, after = rows + page["letters"], page["after"]
        if not after or len(rows) >= limit:
            break
    if json:
        as_json({"letters": rows, "after": after})
        return
    now = now_ms()
    table(
        ("ID", "KIND", "SOURCE", "AGE", "TIMES", "INCIDENT", "WHY"),
        [
            (row["id"], row["kind"], row["source"], ago(parse_iso(row["at"]), now), row["tries"], row["incident"],
             row["why"])
            for row in rows
        ],
        empty="No dead letter.",
    )  # fmt: skip
    if after:
        say(f"more: tocsin dead list --after {after}", "dim")


def dead_show(api: Api, id: str, raw: bool, json: bool) -> None:  # noqa: A002  # the command's own name for it
    found = api.get(f"/dead/{part(id)}", raw="true" if raw else "")
    if json:
        as_json(found)
        return
    heading(f"{found['id']}  {found['kind']}  {found['status']}")
    facts([
        ("why", found["why"]), ("at", found["at"]), ("source", found["source"]), ("times", found["tries"]),
        ("incident", found["incident"]), ("subject", found["subject"]), ("headers", found["headers"] or ""),
        ("edited", f"{found['edited_at']} by {found['edited_by']}" if found["edited_at"] else ""),
    ])  # fmt: skip
    heading("Body, as base64" if raw else "Body")
    say(found["base64"] if raw else found["text"])
    if found["traceback"]:
        heading("Traceback")
        say(found["traceback"], "dim")


def dead_edit(api: Api, id: str, body: str | None, pairs: tuple[tuple[str, str], ...]) -> None:  # noqa: A002
    if bool(pairs) == (body is not None):
        raise click.UsageError("over a console give one of --body and --set; there is no editor")
    if body is not None:
        sent: dict[str, Any] = {"base64": base64.b64encode(mending.read(body)).decode()}
    else:
        sent = {"set": {path: mending.value_of(text) for path, text in pairs}}
    found = api.put(f"/dead/{part(id)}/body", sent)
    if found["problem"]:
        raise click.ClickException(f"kept as edited, but it still cannot be read: {found['problem']}")
    say(f"{id} edited; it reads as {found['reads_as']}. Bring it through: tocsin dead retry {id}")


def _bulk(verb: str, said: str) -> Any:
    def does(
        api: Api, ids: tuple[str, ...], everything: bool, kind: str | None, source: str, dry_run: bool
    ) -> None:
        failed = 0
        after = ""
        while True:
            which = (
                {"ids": list(ids)}
                if ids
                else {"all": everything, "kind": kind, "source": source, "after": after}
            )
            page = api.post(f"/dead/{verb}", {**which, "dry_run": dry_run})
            for each in page["letters"]:
                failed += bool(each["error"]) and not dry_run
                _tell_one(each, verb, said, dry_run=dry_run)
            after = page["after"]
            if not after:
                break
        if failed:
            raise SystemExit(1)

    return does


def _tell_one(each: dict[str, Any], verb: str, said: str, *, dry_run: bool) -> None:
    if dry_run:
        say(one_line(f"would {verb} {each['id']}: {each['kind']} {each['why']}"))
    elif each["error"]:
        warn(one_line(f"{each['id']} kept: {each['error']}"))
    else:
        say(f"{each['id']} {said}" + (f": {', '.join(each['entered'])}" if each["entered"] else ""))


def silences(api: Api, ended: bool, json: bool) -> None:
    rows = api.get("/silences", ended="true" if ended else "")["silences"]
    if json:
        as_json(rows)
        return
    table(
        ("ID", "MATCHERS", "UNTIL", "BY", "REASON"),
        [
            (row["id"], " ".join(row["matchers"]), clock(parse_iso(row["until"])), row["by"], row["reason"])
            for row in rows
        ],
        empty="Nothing is silenced.",
    )


def silence_add(api: Api, matchers: tuple[str, ...], length: int, reason: str) -> None:
    sent = {"matchers": list(matchers), "for": duration.text(length), "reason": reason}
    found = api.post("/silences", sent)
    say(f"silenced until {clock(parse_iso(found['until']))} as {found['silence']}")


def silence_expire(api: Api, id: str) -> None:  # noqa: A002
    api.delete(f"/silences/{part(id)}")
    say(f"silence {id} ended")


def _listing(path: str, rows: str, *names: str) -> Any:
    """A plain table of what the API lists."""

    def does(api: Api, json: bool) -> None:
        found = api.get(path)[rows]
        if json:
            as_json(found)
            return
        table([name.upper() for name in names], [[_cell(row[name]) for name in names] for row in found])

    return does


def _cell(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def probes(api: Api, json: bool) -> None:
    from console.probes import tell  # noqa: PLC0415  # it brings the store with it

    found = api.get("/probes")
    tell(found["probes"], found["looked"], now_ms(), json=json)


def backup(api: Api, file: Path, force: bool, json: bool) -> None:
    """What came is held against its own sums before it has its name."""
    from console import backup as backups  # noqa: PLC0415  # it brings the database's client with it
    from ledger.backup.file import reading  # noqa: PLC0415

    backups.check(file, force=force)
    unfinished = file.with_name(f"{file.name}.part")
    try:
        said = api.save("/backup", unfinished)["tocsin-backup"]
        with reading(unfinished):
            unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    backups.tell(file, jsons.loads(said), json=json)


COMMANDS = {
    "backup": backup,
    "status": status,
    "sources list": sources,
    "sources show": source,
    "sources pause": _switch("pause", "paused"),
    "sources resume": _switch("resume", "resumed"),
    "dead list": dead_list,
    "dead show": dead_show,
    "dead edit": dead_edit,
    "dead retry": _bulk("retry", "retried"),
    "dead drop": _bulk("drop", "dropped"),
    "silence list": silences,
    "silence add": silence_add,
    "silence expire": silence_expire,
    "probes list": probes,
    "scheduled": _listing("/scheduled", "scheduled", "name", "every", "next_at", "kind", "title"),
}
