"""What is said in public, and to customers; why somebody was paged or not; a probe's alert, tried."""

from typing import Annotated

from pydantic import Field, StringConstraints

from console.alerts import signal
from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.responding import team_of
from console.api.serving import routes
from console.api.shapes import Done, Free, Instant, Name, Sent, Shape, told
from console.decided import wait
from console.doing import runbooks as doing
from console.doing.entries import do
from console.explaining import Asked as Known
from console.explaining import explain
from console.notify import MOST, RUNBOOK
from console.output import plain
from console.overrides import standings
from console.refusals import Clash, Nowhere
from console.trust.acts import Act
from ledger import log
from ledger.views.life import became
from ledger.views.status_page import board, facts, records
from ledger.views.times import iso
from routing.entry import Lane, Published
from routing.event import Status
from routing.policy import StatusPage
from routing.public import Health, Said


class Component(Shape):
    name: str
    status: str


class Board(Shape):
    """In the shape that others' status pages have."""

    page: Free
    status: Free
    components: list[Component]
    incidents: list[Free]
    history: list[Free]


class Word(Sent):
    """`text` "" takes the template's words; `components` [] those it is about already."""

    status: Said
    text: Annotated[str, StringConstraints(max_length=2_000)] = ""
    components: Annotated[list[Name], Field(max_length=100)] = []
    health: Health | None = None


class Mail(Sent):
    """Empty takes the runbook's words."""

    subject: Annotated[str, StringConstraints(max_length=MOST["subject"])] = ""
    message: Annotated[str, StringConstraints(max_length=MOST["message"])] = ""


class Reason(Shape):
    at: Instant
    what: str
    origin: str


class Explanation(Shape):
    """`verdict` in one sentence, and all that led to it."""

    contact: str
    verdict: str
    because: list[Reason]


class Trying(Sent):
    resolve: Annotated[bool, Field(description="Say at once that it is over, too.")] = False


def show(asked: Asked) -> Free:
    return facts(board(_page(asked), records(asked.context.client, asked.context.keys), asked.now))


def _page(asked: Asked) -> StatusPage:
    process = asked.context.policy.process
    if process is None or process.status_page is None:
        raise Nowhere("there is no status page; write `status_page` into config/process.yaml")
    return process.status_page


def publish(asked: Asked) -> Free:
    sent, incident, page = asked.sent(Word), asked.path["id"], _page(asked)
    for service in sent.components:
        if service not in page.components:
            raise Problem(
                422, "body.components: there is no such one", f"there are {', '.join(page.components)}"
            )
    if not asked.context.store.is_live(incident):
        raise Clash(f"{incident} is in the archive; nothing more is said of it")
    entry = Published(
        at=asked.now, by=asked.who.name, client=asked.who.client, incident=incident, said=sent.status,
        text=plain(sent.text).strip(), components=list(sent.components), health=sent.health,
    )  # fmt: skip
    return told(do(asked.context, asked.who, entry, incident))


def customers(asked: Asked) -> Free:
    """Nothing leaves without the yes of somebody else."""
    sent = asked.sent(Mail)
    inputs = {name: text for name in MOST if (text := getattr(sent, name).strip())}
    return told(doing.start(asked.context, asked.who, RUNBOOK, asked.path["id"], inputs))


def why(asked: Asked) -> Free:
    context, contact = asked.context, asked.path["contact"]
    whole = context.store.glance(asked.path["id"], 1_000)
    if whole is None or contact not in context.policy.contacts:
        raise Nowhere(
            "no such incident, or no such contact; see: tocsin incidents list, tocsin contacts list"
        )
    found = explain(Known(whole, context.policy, standings(context), asked.now), contact)
    because = [{"at": iso(each.at), "what": each.what, "origin": each.origin} for each in found.because]
    return {"contact": contact, "verdict": found.verdict, "because": because}


def try_(asked: Asked) -> Free:
    """Through the real pipeline: it pages whom it would page."""
    context, name = asked.context, asked.path["name"]
    probe = next((each for each in context.policy.probes if each.name == name), None)
    if probe is None:
        raise Nowhere(f"no probe {name[:100]!r}; see: tocsin probes list")
    states = (Status.FIRING, Status.RESOLVED) if asked.sent(Trying).resolve else (Status.FIRING,)
    said, entry = [], ""
    for state in states:
        made = signal(probe, state, asked.who.name, asked.who.client)
        entry = log.append(context.client, context.keys, Lane.URGENT, made)
        verdict = wait(context, entry, asked.who.wait_s).verdict
        said.append(became(verdict) if verdict else "decided")
    return {"entry": entry, "decided": True, "said": said}


OPERATIONS = (
    Operation("GET", "/status-page", Act.READ, "Show what is said in public now.", show, Board, refusals=(404,)),
    Operation(
        "POST", "/incidents/{id}/publish", Act.PUBLISH, "Say in public how it stands.", publish, Done, body=Word,
        waits=True, team=team_of, refusals=(404,),
    ),
    Operation(
        "POST", "/incidents/{id}/customers", Act.RUN_RUNBOOK, "Ask for a yes to write to all customers about it.",
        customers, Done, body=Mail, waits=True, team=team_of, refusals=(404,),
    ),
    Operation(
        "GET", "/incidents/{id}/why/{contact}", Act.READ, "Tell why somebody was paged for it, or was not.", why,
        Explanation, refusals=(404,),
    ),
    Operation(
        "POST", "/probes/{name}/test", Act.ALERT, "Send the alert that a probe fires: it pages whom it would page.",
        try_, Done, body=Trying, waits=True, refusals=(404,),
    ),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
