"""Incidents, their lives, runbooks and the outbox, over a console."""

from typing import Any

import click

from console.incidents import tell, tell_page
from console.outbox import tell as tell_unsent
from console.output import as_json, clock, heading, say, table
from console.remote.api import Api, part
from console.why import tell as tell_stage
from routing import duration
from routing.instant import iso, parse_iso


def list_(
    api: Api, status: tuple[str, ...], everything: bool, severity: str, service: str, team: str, text: str, limit: int,
    after: str, json: bool,
) -> None:  # fmt: skip
    """Pages of the API are filled up, as it may give fewer rows than were asked for."""
    rows: list[dict[str, Any]] = []
    while True:
        page = api.get(
            "/incidents", status=list(status), all="true" if everything else "", severity=severity, service=service,
            team=team, text=text, limit=min(limit - len(rows), 500), after=after,
        )  # fmt: skip
        rows, after = rows + page["incidents"], page["after"]
        if not after or len(rows) >= limit:
            break
    if json:
        as_json({"incidents": rows, "after": after})
    else:
        tell_page(rows, after, everything=everything)


def show(api: Api, id: str, json: bool) -> None:  # noqa: A002  # the command's own name for it
    found = api.get(f"/incidents/{part(id)}")
    if json:
        as_json(found)
    else:
        tell(found)


def why(api: Api, id: str, body: bool, raw: bool, json: bool) -> None:  # noqa: A002
    if body or raw:
        raise click.UsageError(
            "bodies are not shown over a console by this command; see its page of the event"
        )
    lives = api.get(f"/why/{part(id)}")["lives"]
    if json:
        as_json(lives)
        return
    for life in lives:
        heading(f"{life['kind']} {life['id']}" + (f", {life['incident']}" if life["incident"] else ""))
        for stage in life["life"]:
            tell_stage(stage)


def _say(incident: str, done: dict[str, Any]) -> None:
    for line in done["said"] if done["decided"] else [f"kept as {done['entry']}; it will be decided"]:
        say(f"{incident}: {line}")


def _act(verb: str) -> Any:
    def does(api: Api, id: str, **more: Any) -> None:  # noqa: A002
        _say(id, api.post(f"/incidents/{part(id)}/{verb}", more or None))

    return does


def snooze(api: Api, id: str, for_ms: int | None, until_at: int | None) -> None:  # noqa: A002
    if (for_ms is None) == (until_at is None):
        raise click.UsageError("give one of the two, like --for 2h or --until 2026-11-24T08:00")
    at = {"for": duration.text(for_ms or 0)} if until_at is None else {"until": iso(until_at)}
    _say(id, api.post(f"/incidents/{part(id)}/snooze", at))


def update(api: Api, id: str, text: str, severity: str, reason: str) -> None:  # noqa: A002
    _say(
        id,
        api.post(
            f"/incidents/{part(id)}/update", {"text": text, "severity": severity or None, "reason": reason}
        ),
    )


def open_(api: Api, title: str, severity: str, service: str, team: str, summary: str) -> None:
    sent = {"title": title, "severity": severity, "service": service, "team": team, "summary": summary}
    opened = api.post("/incidents", sent).get("incident", "")
    say(f"{opened or 'an incident'} opened as {severity}; see: tocsin incidents show {opened}".rstrip())


def runbooks(api: Api, json: bool) -> None:
    from console.runbooks import tell as tell_runbooks  # noqa: PLC0415  # it brings the whole schema with it

    rows = api.get("/runbooks")["runbooks"]
    if json:
        as_json(rows)
    else:
        tell_runbooks(rows)


def run(api: Api, runbook: str, incident: str, inputs: tuple[tuple[str, str], ...]) -> None:
    _say(incident, api.post(f"/runbooks/{part(runbook)}/run", {"incident": incident, "inputs": dict(inputs)}))


def _on_run(verb: str) -> Any:
    def does(api: Api, run: str) -> None:
        _say(run.rpartition("-r")[0], api.post(f"/runs/{part(run)}/{verb}"))

    return does


def undo(api: Api, run: str, give_up: str | None) -> None:
    if give_up is None:
        _say(run.rpartition("-r")[0], api.post(f"/runs/{part(run)}/undo"))
    else:
        _say(run.rpartition("-r")[0], api.post(f"/runs/{part(run)}/leave", {"reason": give_up}))


def _switch(path: str, name: str) -> Any:
    def does(api: Api, state: str, reason: str) -> None:
        if state == "status":
            found = api.get(path)
            why = f": {found['reason']}" if found["reason"] else ""
            say(f"on, by {found['by'] or 'somebody'}{why}" if found["on"] else "off")
            return
        api.put(path, {"on": state == "on", "reason": reason})
        say(f"{name} {state}")

    return does


def outbox(api: Api, limit: int, after: str, json: bool) -> None:
    page = api.get("/outbox", limit=min(limit, 500), after=after)
    if json:
        as_json(page)
        return
    table(
        ("AT", "DELIVERY", "WHO", "CHANNEL", "TO", "KIND", ""),
        [
            (clock(parse_iso(row["at"])), row["delivery"], row["contact"], row["channel"], row["to"], row["kind"],
             "SANDBOX")
            for row in page["outbox"]
        ],
        empty="Nothing was sent to the sandbox.",
    )  # fmt: skip
    if page["after"]:
        say(f"more: tocsin outbox --after {page['after']}", "dim")


def unsent(api: Api, delivery: str, json: bool) -> None:
    tell_unsent(api.get(f"/outbox/{part(delivery)}")["attempts"], json=json)


def answer(api: Api, delivery: str, text: str) -> None:
    _say(delivery.rpartition("-")[0], api.post(f"/outbox/{part(delivery)}/answer", {"text": text}))


COMMANDS = {
    "incidents list": list_,
    "incidents show": show,
    **{
        f"incidents {verb}": _act(verb)
        for verb in ("ack", "resolve", "escalate", "note", "status", "reassign", "role")
    },
    "incidents done": _act("done"),
    "incidents merge": _act("merge"),
    "incidents snooze": snooze,
    "incidents update": update,
    "incidents open": open_,
    "why": why,
    "runbook list": runbooks,
    "runbook run": run,
    "runbook approve": _on_run("approve"),
    "runbook deny": _on_run("deny"),
    "runbook undo": undo,
    "kill-switch": _switch("/kill-switch", "kill switch"),
    "freeze": _switch("/freeze", "change freeze"),
    "outbox": outbox,
    "outbox show": unsent,
    "outbox answer": answer,
}
