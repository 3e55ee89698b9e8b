"""A scenario file: `config/tests/*.yaml`, or any file given to `tocsin simulate`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, model_validator

from routing.entry import AnyEntry, Command, OverrideSet, Signal, SilenceSet, SwitchSet, Verb
from routing.errors import ConfigError
from routing.event import Event, Status
from routing.instant import DAY, SECOND
from routing.policy import Policy
from routing.schema.faults import add_faults
from routing.schema.fields import (
    ChannelName,
    ContactName,
    Duration,
    LocalTime,
    Many,
    Matchers,
    PositiveDuration,
    RunbookName,
    ScheduleName,
    SeverityField,
    Some,
    SourceName,
    Text,
    Zone,
)
from routing.schema.part import Known, Part, Spot
from routing.schema.refusal import Refusal
from routing.schema.yaml_marks import read
from routing.simulation.scenario import Answering, Behaviour, Expectation, Happening, Reply, Scenario, Subject

LONGEST_MS = 31 * DAY


class EventPart(Part):
    source: SourceName = Field(description="name of a source, like alertmanager")
    kind: Text = Field(description="the vendor's own event type or alert name, like SiteDown")
    status: Literal["firing", "resolved", "info"] = Field(
        default="firing", description="firing, resolved or info"
    )
    key: str = Field(default="", description="tells its alert apart; made of kind and labels where left out")
    title: str = Field(default="", description="what people are told; the kind where left out")
    summary: str = Field(default="", description="more of it")
    vendor_severity: str = Field(default="", description="the vendor's own word for how bad it is")
    labels: dict[str, str] = Field(
        default={}, description="labels of the event; {n} is the number of the repetition"
    )


class ReplyPart(Part):
    by: ContactName = Field(description="who answers the latest page they got")
    says: Text = Field(default="ack", description="a key or a word, like 4 or ack")


class CommandPart(Part):
    incident: Text = Field(description="like INC-1")
    verb: Verb = Field(description="ack, resolve, escalate, ...", strict=False)
    by: Text = Field(default="operator", description="who acts")
    text: str = Field(default="", description="a note, a status or a reason")


class SilencePart(Part):
    match: Matchers = Field(description='matchers, like [service="site"]')
    length: PositiveDuration = Field(alias="for", description="like 2h")
    reason: str = Field(default="", description="why")
    by: Text = Field(default="operator", description="who mutes")


class OverridePart(Part):
    schedule: ScheduleName = Field(description="name of a schedule")
    contact: ContactName = Field(description="who takes it")
    length: PositiveDuration = Field(alias="for", description="like 8h")


class SwitchPart(Part):
    name: Text = Field(description="kill, or pause:<source>")
    on: bool = Field(default=True, description="false: off again")


_ONE_OF = ("event", "reply", "command", "silence", "override", "switch")


class HappeningPart(Part):
    at: Duration = Field(description="how long after the start, like 5m")
    event: EventPart | None = Field(default=None, description="an event of a source")
    reply: ReplyPart | None = Field(default=None, description="an answer to a page")
    command: CommandPart | None = Field(default=None, description="what an operator does")
    silence: SilencePart | None = Field(default=None, description="a person mutes")
    override: OverridePart | None = Field(default=None, description="somebody takes a schedule")
    switch: SwitchPart | None = Field(default=None, description="a switch is thrown")
    count: int = Field(default=1, ge=1, le=100_000, description="how often, each every later")
    every: Duration = Field(default=SECOND, description="how far apart, like 3s")

    @model_validator(mode="after")
    def _one(self) -> "HappeningPart":
        given = [name for name in _ONE_OF if getattr(self, name) is not None]
        if len(given) != 1:
            raise Refusal(
                " and ".join(given) if given else "nothing that happens", f"write one of {', '.join(_ONE_OF)}"
            )
        return self


class BehaviourPart(Part):
    channel: ChannelName | None = Field(default=None, description="only on this channel")
    contact: ContactName | None = Field(default=None, description="only for this contact")
    action: str = Field(default="", description="only for this action, like vercel.rollback")
    step: str = Field(default="", description="only for the runbook step of this id")
    after: Duration = Field(default=0, description="from when on, counted from the start")
    until: Duration | None = Field(default=None, description="until when, counted from the start")
    answers: Answering = Field(
        default=Answering.OK, strict=False, description="how it takes it, like temporary"
    )
    gives: Any = Field(default=None, description="the output of the runbook step")
    says: str = Field(default="", description="what the contact answers, a key or a word")
    takes: Duration = Field(default=SECOND, description="how long after, like 40s")


class ExpectationPart(Part):
    paged: ContactName | None = Field(default=None, description="a contact gets a page")
    told: ContactName | None = Field(default=None, description="a contact gets a quiet message")
    ran: RunbookName | None = Field(default=None, description="a runbook runs")
    paged_in_order: Some[ContactName] | None = Field(
        default=None, description="exactly these, in the order of their first page"
    )
    incidents: int | None = Field(default=None, ge=0, description="how many incidents there are")
    incident: str | None = Field(default=None, description="any, or an id like INC-1")
    by: ChannelName | None = Field(default=None, description="over which channel")
    never: bool = Field(default=False, description="true: it must not be so")
    after: Duration = Field(default=0, description="from when on, counted from the start")
    within: Duration | None = Field(default=None, description="until when, counted from the start")
    status: Literal["", "triggered", "acknowledged", "resolved"] = Field(
        default="", description="of the incident"
    )
    severity: SeverityField | None = Field(default=None, description="of the incident, like SEV-1")
    service: str = Field(default="", description="of the incident")
    title: str = Field(default="", description="the incident's title")
    ends: Literal["", "succeeded", "stopped", "refused", "failed", "handed_over"] = Field(
        default="", description="how the runbook ends"
    )

    @model_validator(mode="after")
    def _one(self) -> "ExpectationPart":
        given = [subject.value for subject in Subject if getattr(self, subject.value) is not None]
        if len(given) != 1:
            fix = f"write one of {', '.join(subject.value for subject in Subject)}"
            raise Refusal(" and ".join(given) if given else "nothing that is expected", fix)
        return self


class ScenarioFile(Part):
    """A rehearsal: what happens, how the world answers, and what is expected of it."""

    title: Text = Field(description="what is rehearsed, like Sunday 02:30, nobody answers")
    start: LocalTime = Field(description="local time it begins, like 2026-11-29T02:30")
    timezone: Zone = Field(default="UTC", description="IANA name, like Europe/Warsaw")
    reference: str = Field(default="", description="which sections of the procedures it rehearses")
    longest: PositiveDuration = Field(default=7 * DAY, description="it ends there though something is open")
    exactly: PositiveDuration | None = Field(default=None, description="it lasts exactly this long")
    happens: Some[HappeningPart] = Field(description="what happens on the time line")
    world: Many[BehaviourPart] = Field(
        default=(), description="how the world answers: the first line that fits"
    )
    expect: Many[ExpectationPart] = Field(default=(), description="what must be so")


def read_scenario(file: str, text: str, policy: Policy) -> Scenario:
    """Read one scenario; names in it are those of the policy. Raises ConfigError with all its faults."""
    document = read(file, text)
    part: ScenarioFile | None = None
    if not document.is_unsound(()):
        try:
            part = ScenarioFile.model_validate(document.data, context=known_to(policy))
        except ValidationError as error:
            add_faults(document, ScenarioFile, error)
    if part is None or document.faults:
        raise ConfigError(document.faults)
    return _build(part, Spot(document), policy)


def known_to(policy: Policy) -> Known:
    """What names in a scenario may refer to."""
    names = {
        "contact": (policy.contacts, "config/oncall.yaml"),
        "schedule": (policy.schedules, "config/oncall.yaml"),
        "channel": (policy.channels, "config/channels.yaml"),
        "source": (policy.sources, "config/sources.yaml"),
        "runbook": ([book.id for book in policy.runbooks], "config/runbooks/"),
    }
    return Known(
        names={kind: frozenset(found) for kind, (found, _) in names.items()},
        homes={kind: home for kind, (_, home) in names.items()},
        voices=frozenset(), catalogue=None, env=None,
    )  # fmt: skip


def _build(part: ScenarioFile, spot: Spot, policy: Policy) -> Scenario:
    wall = datetime.fromisoformat(part.start).replace(tzinfo=ZoneInfo(part.timezone))
    start_at = round(wall.timestamp() * 1000)
    return Scenario(
        name=spot.document.file,
        title=part.title,
        timezone=part.timezone,
        reference=part.reference,
        start_at=start_at,
        longest_ms=min(part.exactly or part.longest, LONGEST_MS),
        exactly=part.exactly is not None,
        happenings=tuple(
            happening
            for number, each in enumerate(part.happens)
            for happening in happenings(each, spot.at("happens", number), policy, start_at)
        ),
        world=tuple(_behaviour(each, spot.at("world", number)) for number, each in enumerate(part.world)),
        expectations=tuple(
            _expectation(each, spot.at("expect", number)) for number, each in enumerate(part.expect)
        ),
    )


def happenings(part: HappeningPart, spot: Spot, policy: Policy, start_at: int) -> Iterator[Happening]:
    """All repetitions of one line of `happens`."""
    for number in range(part.count):
        after = part.at + number * part.every
        yield Happening(after, _what(part, policy, start_at + after, number), spot.origin)


def _what(part: HappeningPart, policy: Policy, at: int, number: int) -> AnyEntry | Reply:
    if part.event:
        return Signal(at=at, event=_event(part.event, policy, at, number))
    if part.reply:
        return Reply(part.reply.by, part.reply.says)
    if part.command:
        act = part.command
        return Command(at=at, by=act.by, incident=act.incident, verb=act.verb, text=act.text)
    if part.silence:
        hush, matchers = part.silence, [str(each) for each in part.silence.match]
        return SilenceSet(
            at=at, by=hush.by, id=f"s-{at}", matchers=matchers, from_at=at, until_at=at + hush.length,
            reason=hush.reason,
        )  # fmt: skip
    if part.override:
        turn = part.override
        return OverrideSet(
            at=at, id=f"o-{at}", schedule=turn.schedule, contact=turn.contact, from_at=at,
            until_at=at + turn.length,
        )  # fmt: skip
    switch = part.switch or SwitchPart(name="")
    return SwitchSet(at=at, by="operator", name=switch.name, on=switch.on)


def _event(part: EventPart, policy: Policy, at: int, number: int) -> Event:
    status = Status(part.status)
    key = part.key or ":".join([part.kind, *(f"{name}={part.labels[name]}" for name in sorted(part.labels))])
    return Event(
        source=part.source,
        vendor=policy.sources[part.source].vendor,
        kind=part.kind,
        status=status,
        key=key.replace("{n}", str(number + 1)),
        title=(part.title or part.kind).replace("{n}", str(number + 1)),
        summary=part.summary,
        vendor_severity=part.vendor_severity,
        labels={name: value.replace("{n}", str(number + 1)) for name, value in part.labels.items()},
        starts_at=at if status is Status.FIRING else 0,
        ends_at=at if status is Status.RESOLVED else 0,
    )


def _behaviour(part: BehaviourPart, spot: Spot) -> Behaviour:
    return Behaviour(
        origin=spot.origin, channel=part.channel or "", contact=part.contact or "", action=part.action,
        step=part.step, from_ms=part.after, until_ms=1 << 62 if part.until is None else part.until,
        answers=part.answers, gives=part.gives, says=part.says, after_ms=part.takes,
    )  # fmt: skip


def _expectation(part: ExpectationPart, spot: Spot) -> Expectation:
    subject = next(each for each in Subject if getattr(part, each.value) is not None)
    name = part.paged or part.told or part.ran or part.incident or ""
    return Expectation(
        subject=subject, origin=spot.origin, name="" if name == "any" else name,
        names=part.paged_in_order or (), channel=part.by or "", never=part.never, from_ms=part.after,
        until_ms=part.within, status=part.status, severity=part.severity, service=part.service,
        title=part.title, ends=part.ends, count=part.incidents,
    )  # fmt: skip
