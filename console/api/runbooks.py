"""Runbooks and their runs: what would trigger, start one, answer one, take one back; and the two switches."""

from typing import Annotated

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Does, Operation
from console.api.incidents import RunShape
from console.api.serving import routes
from console.api.shapes import Done, Free, MaybeText, Name, Sent, Shape, Text, told
from console.doing import runbooks as doing
from console.doing.incidents import known
from console.refusals import Nowhere
from console.runbooks import shown
from console.trust.acts import Act
from console.trust.guard import check
from ledger.switches import killed
from ledger.views.incidents import run as shown_run
from routing.automation.stops import FREEZE
from routing.decision import Table
from routing.entry import SwitchSet, Verb
from routing.policy import Runbook


class RunbookShape(Shape):
    id: str
    title: str
    mode: str
    match: str
    does: str
    on_failure: str
    cooldown: str
    per_hour: int
    origin: str


class Runbooks(Shape):
    runbooks: list[RunbookShape]


class Start(Sent):
    incident: Name
    inputs: Annotated[
        dict[Annotated[str, StringConstraints(max_length=200)], MaybeText],
        Field(description="Word its inputs."),
    ] = {}


class Reason(Sent):
    reason: Text


class Switch(Sent):
    on: bool
    reason: MaybeText = ""


class SwitchShape(Shape):
    on: bool
    by: str
    reason: str


def listing(asked: Asked) -> Free:
    return {"runbooks": [shown(each) for each in asked.context.policy.runbooks]}


def show(asked: Asked) -> Free:
    return shown(_runbook(asked))


def _runbook(asked: Asked) -> Runbook:
    found = next((each for each in asked.context.policy.runbooks if each.id == asked.path["id"]), None)
    if found is None:
        raise Nowhere(f"no runbook {asked.path['id'][:100]!r}; see: tocsin runbook list")
    return found


def start(asked: Asked) -> Free:
    sent = asked.sent(Start)
    check(asked.actor, Act.RUN_RUNBOOK, known(asked.context, sent.incident).team)
    return told(doing.start(asked.context, asked.who, _runbook(asked).id, sent.incident, sent.inputs))


def run(asked: Asked) -> Free:
    name = asked.path["run"]
    incident = name.rpartition("-r")[0]
    whole = asked.context.store.glance(incident, 1_000) if incident else None
    found = next((each for each in whole.runs if each.id == name), None) if whole else None
    if found is None:
        raise Nowhere(f"no run {name[:100]!r}; they are like INC-12-r1")
    return shown_run(found)


def team_of(asked: Asked) -> str:
    run(asked)
    return known(asked.context, asked.path["run"].rpartition("-r")[0]).team


def _say(verb: Verb) -> Does:
    return lambda asked: told(doing.say(asked.context, asked.who, asked.path["run"], verb))


def leave(asked: Asked) -> Free:
    return told(doing.say(asked.context, asked.who, asked.path["run"], Verb.LEAVE, asked.sent(Reason).reason))


def kill_switch(asked: Asked) -> Free:
    """As workers read it; who moved it is in the state."""
    context = asked.context
    return _switch(asked, "kill") | {"on": killed(context.client, context.keys)}


def freeze(asked: Asked) -> Free:
    return _switch(asked, FREEZE)


def _switch(asked: Asked, name: str) -> Free:
    found = asked.context.store.records(Table.SWITCH, SwitchSet).get(name)
    return {"on": found is not None, "by": found.by if found else "", "reason": found.reason if found else ""}


def _set(name: str) -> Does:
    def does(asked: Asked) -> Free:
        sent = asked.sent(Switch)
        return told(doing.switch(asked.context, asked.who, name, on=sent.on, reason=sent.reason))

    return does


def _on_run(path: str, act: Act, summary: str, does: Does, body: type[Sent] | None = None) -> Operation:
    return Operation(
        "POST", f"/runs/{{run}}/{path}", act, summary, does, Done, body=body, waits=True, team=team_of, reads=run,
        refusals=(404, 412),
    )  # fmt: skip


OPERATIONS = (
    Operation(
        "GET", "/runbooks", Act.READ, "List every runbook with its trigger and limits.", listing, Runbooks
    ),
    Operation("GET", "/runbooks/{id}", Act.READ, "Show one runbook.", show, RunbookShape, refusals=(404,)),
    Operation(
        "POST",
        "/runbooks/{id}/run",
        Act.RUN_RUNBOOK,
        "Start it now; you cannot approve it yourself.",
        start,
        Done,
        body=Start,
        waits=True,
        refusals=(404,),
    ),
    Operation("GET", "/runs/{run}", Act.READ, "Show one run, step by step.", run, RunShape, refusals=(404,)),
    _on_run("approve", Act.APPROVE, "Let it change what it said it would.", _say(Verb.APPROVE)),
    _on_run("deny", Act.APPROVE, "End it: nothing is changed.", _say(Verb.DENY)),
    _on_run("undo", Act.UNDO_RUN, "Take back what it has changed, where its steps say how.", _say(Verb.UNDO)),
    _on_run("leave", Act.UNDO_RUN, "Leave what it has changed as it is.", leave, Reason),
    Operation(
        "GET", "/kill-switch", Act.READ, "Whether all automation is stopped.", kill_switch, SwitchShape
    ),
    Operation(
        "PUT",
        "/kill-switch",
        Act.KILL_SWITCH,
        "Stop all automation, or allow it again; paging goes on.",
        _set("kill"),
        Done,
        body=Switch,
        waits=True,
        reads=kill_switch,
        refusals=(412,),
    ),
    Operation(
        "GET", "/freeze", Act.READ, "Whether no runbook changes anything by itself.", freeze, SwitchShape
    ),
    Operation(
        "PUT",
        "/freeze",
        Act.FREEZE,
        "Let no runbook change anything by itself, or again.",
        _set(FREEZE),
        Done,
        body=Switch,
        waits=True,
        reads=freeze,
        refusals=(412,),
    ),
)
ROUTES = routes(OPERATIONS)
