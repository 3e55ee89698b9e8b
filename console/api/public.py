"""What is said in public, and to customers; why somebody was paged or not; a probe's alert, tried."""

from typing import Annotated

from pydantic import Field, StringConstraints

from console import drafting
from console.api.declared import Asked, Operation, few
from console.api.policy import Judged
from console.api.responding import team_of
from console.api.serving import routes
from console.api.shapes import Done, Fault, Free, Instant, Length, Name, Sent, Shape, told
from console.doing import alerts
from console.doing import public as saying
from console.doing import runbooks as doing
from console.drafting import Worded
from console.explaining import Asked as Known
from console.explaining import explain
from console.notify import MOST, RUNBOOK
from console.overrides import standings
from console.refusals import Nowhere
from console.simulate import shown as shown_judged
from console.trust.acts import Act
from ledger import policies
from ledger.views.times import iso
from routing import duration
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


class Tested(Done):
    """`incident` "" where it concerns none."""

    incident: str


class Wording(Sent):
    """A probe in one line. "" takes what is usual."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    condition: Annotated[
        str, StringConstraints(min_length=1, max_length=200), Field(examples=["response-time > 2000ms"])
    ]
    lasting: Annotated[Length, Field(alias="for", description="How long it must last.")] = "2m"
    severity: Annotated[str, StringConstraints(max_length=60)] = "warning"
    url: Annotated[str, StringConstraints(max_length=1_000)] = "/"
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    kind: Annotated[str, StringConstraints(max_length=60)] = ""
    service: Annotated[str, StringConstraints(max_length=60)] = ""


class Drafted(Shape):
    """`text`: to be pasted at the end of `file`. `played`: what it would bring about if it fired now and nobody acted;
    null where the configuration in force is not good with it, for the `faults`.
    """

    file: str
    text: str
    when: str
    version: str
    faults: list[Fault]
    played: Judged | None


def show(asked: Asked) -> Free:
    return saying.said(asked.context, asked.now)


def html(asked: Asked) -> str:
    return saying.drawn(asked.context, asked.now)


def publish(asked: Asked) -> Free:
    sent, incident = asked.sent(Word), asked.path["id"]
    return told(
        saying.publish(
            asked.context, asked.who, incident, sent.status, sent.text, sent.components, sent.health
        )
    )


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
    done = alerts.test(asked.context, asked.who, asked.path["name"], resolve=asked.sent(Trying).resolve)
    return {"entry": done.entry, "decided": True, "said": done.said, "incident": done.incident}


def draft(asked: Asked) -> Free:
    """Nothing is written: the configuration's files are the operator's."""
    sent, policy = asked.sent(Wording), asked.context.policy
    lasting = duration.parse(sent.lasting)
    one = drafting.draft(
        Worded(
            sent.name, sent.condition, lasting, sent.severity, sent.url, sent.title, sent.kind, sent.service
        )
    )
    files = policies.files_of(asked.context.client, asked.context.keys, policy.version)
    tried = drafting.tried(files, one, asked.now)
    faults = [{"where": f"{each.file}:{each.line}", "what": str(each)} for each in tried.faults]
    played = shown_judged(tried.judged) if tried.judged else None
    return {
        "file": drafting.FILE, "text": one.text, "when": one.when, "version": policy.version, "faults": faults,
        "played": played,
    }  # fmt: skip


OPERATIONS = (
    Operation("GET", "/status-page", Act.READ, "Show what is said in public now.", show, Board, refusals=(404,)),
    Operation(
        "GET", "/status-page/html", Act.READ, "Show the page as customers see it.", html, media="text/html",
        refusals=(404,),
    ),
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
        try_, Tested, body=Trying, waits=True, refusals=(404,),
    ),
    Operation(
        "POST", "/probes/draft", Act.REHEARSE, "Word a probe: its text, and whom it would call if it fired now.",
        few(draft), Drafted, body=Wording,
    ),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
