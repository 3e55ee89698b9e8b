"""What people do with an incident."""

from datetime import UTC
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from console.api.declared import Asked, Does, Operation
from console.api.incidents import show
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Done as DoneShape
from console.api.shapes import Free, Length, Level, MaybeText, Name, Sent, Text, told
from console.doing import incidents as doing
from console.doing.entries import Done
from console.trust.acts import Act
from console.trust.guard import check
from routing import duration
from routing.entry import Verb
from routing.severity import Severity


class Note(Sent):
    text: Text


class Following(Sent):
    followup: Annotated[str, StringConstraints(max_length=200), Field(description='"" is all of them.')] = ""


class Snooze(Sent):
    """One of the two."""

    length: Annotated[Length | None, Field(alias="for")] = None
    until: AwareDatetime | None = None


class To(Sent):
    to: Annotated[
        Name, Field(description="A contact, a team or a schedule; team:NAME where a name is used twice.")
    ]


class Role(To):
    role: Name


class Into(Sent):
    into: Name


class Grade(Sent):
    """How bad it is, how it stands, or both."""

    severity: Level | None = None
    reason: MaybeText = ""
    text: MaybeText = ""


class Review(Sent):
    """What no record tells; "" leaves what was said before."""

    impact: MaybeText = ""
    root_cause: MaybeText = ""
    measures: MaybeText = ""


def team_of(asked: Asked) -> str:
    """Whose incident the path names."""
    return doing.known(asked.context, asked.path["id"]).team


def _say(verb: Verb) -> Does:
    return lambda asked: told(doing.command(asked.context, asked.who, asked.path["id"], verb))


def _note(verb: Verb) -> Does:
    return lambda asked: told(
        doing.command(asked.context, asked.who, asked.path["id"], verb, text=asked.sent(Note).text)
    )


def done(asked: Asked) -> Free:
    named = asked.sent(Following).followup
    return told(doing.command(asked.context, asked.who, asked.path["id"], Verb.DONE, text=named))


def snooze(asked: Asked) -> Free:
    sent = asked.sent(Snooze)
    if (sent.length is None) == (sent.until is None):
        raise Problem(422, "body: give one of `for` and `until`", 'like {"for": "2h"}')
    until = (
        sent.until.astimezone(UTC).timestamp() * 1000 if sent.until else asked.now + _ms(sent.length or "")
    )
    return told(doing.snooze(asked.context, asked.who, asked.path["id"], int(until)))


def _ms(length: str) -> int:
    try:
        return duration.parse(length)
    except ValueError as error:
        raise Problem(422, f"body.for: {error}") from error


def reassign(asked: Asked) -> Free:
    return told(doing.reassign(asked.context, asked.who, asked.path["id"], asked.sent(To).to))


def role(asked: Asked) -> Free:
    sent = asked.sent(Role)
    return told(doing.hand_over(asked.context, asked.who, asked.path["id"], sent.role, sent.to))


def merge(asked: Asked) -> Free:
    into = asked.sent(Into).into
    check(asked.actor, Act.MERGE, doing.known(asked.context, into).team)
    return told(doing.merge(asked.context, asked.who, asked.path["id"], into))


def grade(asked: Asked) -> Free:
    sent, incident = asked.sent(Grade), asked.path["id"]
    if sent.severity is None and not sent.text.strip():
        raise Problem(422, "body: give `severity`, or `text`, or both", 'like {"severity": "SEV-3"}')
    told: list[Done] = []
    if sent.severity is not None:
        told.append(
            doing.grade(asked.context, asked.who, incident, Severity.parse(sent.severity), sent.reason)
        )
    if sent.text.strip():
        told.append(doing.command(asked.context, asked.who, incident, Verb.STATUS, text=sent.text))
    return {"entry": told[-1].entry, "decided": True, "said": [line for each in told for line in each.said]}


def review(asked: Asked) -> Free:
    sent = asked.sent(Review)
    if not (sent.impact or sent.root_cause or sent.measures):
        raise Problem(422, "body: there is nothing to add", 'like {"root_cause": "..."}')
    return told(
        doing.review(asked.context, asked.who, asked.path["id"], sent.impact, sent.root_cause, sent.measures)
    )


def _acts(path: str, act: Act, summary: str, does: Does, body: type[Sent] | None = None) -> Operation:
    refusals = (404, 409, 412, 422) if body else (404, 409, 412)
    return Operation(
        "POST", f"/incidents/{{id}}/{path}", act, summary, does, DoneShape, body=body, waits=True, team=team_of,
        reads=show, refusals=refusals,
    )  # fmt: skip


OPERATIONS = (
    _acts("ack", Act.ACK, "Take it: paging stops, and everyone who was paged is told.", _say(Verb.ACK)),
    _acts("resolve", Act.RESOLVE, "Close it: everyone who was paged is told.", _say(Verb.RESOLVE)),
    _acts("escalate", Act.ESCALATE, "Page the next step of the policy now.", _say(Verb.ESCALATE)),
    _acts("note", Act.NOTE, "Write into its timeline.", _note(Verb.NOTE), Note),
    _acts("status", Act.STATUS, "Say how it stands, to all who were paged or have a role.", _note(Verb.STATUS), Note),
    _acts("done", Act.DONE, "Mark a follow-up, or all of them, as done.", done, Following),
    _acts("snooze", Act.SNOOZE, "Put it off: nobody is paged until then, and then again.", snooze, Snooze),
    _acts("reassign", Act.REASSIGN, "Hand it over: they are paged now, the others are told.", reassign, To),
    _acts("role", Act.ROLE, "Hand a role over, like that of the incident commander.", role, Role),
    _acts("merge", Act.MERGE, "Move its alerts to another incident, which answers for them.", merge, Into),
    _acts("update", Act.UPDATE, "Raise or lower its severity, say how it stands, or both.", grade, Grade),
    _acts("review", Act.REVIEW, "Add to its report what no record tells.", review, Review),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
