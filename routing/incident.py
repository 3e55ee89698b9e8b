"""Incident: our record of one or more alerts that people respond to; Alert: one condition."""

from enum import StrEnum
from operator import attrgetter

from routing.course import Course
from routing.delivery import Thread
from routing.escalation import Escalation
from routing.reason import Reason
from routing.record import Record
from routing.severity import Severity


class Phase(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Alert(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One condition, by its fingerprint, inside the incident it belongs to."""

    fingerprint: str
    incident: str
    source: str
    kind: str
    title: str
    severity: Severity
    firing: bool
    count: int
    first_seen_at: int
    last_seen_at: int
    starts_at: int = 0
    resolved_at: int = 0
    resolved_by: str = ""
    """"source" when the sender said so; otherwise who closed it although the sender may still see it."""
    summary: str = ""
    labels: dict[str, str] = {}
    link: str = ""
    again_at: int = 0
    """When it last began to fire again; 0: it fires, or fired, since `first_seen_at`."""
    told: str = ""
    """"firing" or "resolved", as those who were paged were last told, where it has changed since; "" never."""
    changes: list[int] = []
    """Instants it began or ceased to fire, the latest ones: what shows that it flaps. Empty before the first end."""
    flapping: bool = False
    why: str = ""
    """Why it is in an incident whose group is not its own."""

    @property
    def began_at(self) -> int:
        return self.again_at or self.first_seen_at


class NextAction(Record, frozen=True, kw_only=True, omit_defaults=True):
    at: int
    what: str


class FollowUp(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Work left to people: "promote again", or a task that a runbook handed over. Reminded of until done."""

    id: str
    text: str
    opened_at: int
    remind_at: int
    done_at: int = 0
    to: list[tuple[str, str]] = []
    """(kind, name) of who has it, as targets of a step; [] for all who were paged."""
    run: str = ""
    """Whose steps found what is needed for it."""
    appointed: bool = False
    """It is for the very time at which it is first reminded of."""


class Deploy(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A production deployment that went live: the first suspect when something breaks soon after."""

    id: str
    project: str
    service: str = ""
    by: str = ""
    at: int
    link: str = ""
    change: str = ""
    """What was changed, in the words of who reported it, where it was no deployment that could be gone back on; then
    it is the `id` too."""


class Review(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a person adds to the report on an incident. `measures`: what prevents it from now on."""

    impact: str = ""
    root_cause: str = ""
    measures: str = ""
    by: str = ""
    at: int = 0


class Incident(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`number` is the n of id "INC-n". `group` is the key new alerts join by, "" once it takes no more."""

    id: str
    number: int
    title: str
    severity: Severity
    phase: Phase
    group: str
    opened_at: int
    changed_at: int
    summary: str = ""
    team: str = ""
    service: str = ""
    labels: dict[str, str] = {}
    route: str = ""
    policy_version: str = ""
    reviewed: str = ""
    """The policy under which it was last looked at as a whole: what has not changed since need not be once more."""
    respond_by: int = 0
    resolve_by: int = 0
    acknowledged_at: int = 0
    acknowledged_by: str = ""
    asked_again: list[str] = []
    """Contacts paged since the acknowledgement ran out. While only they are asked again, nobody else hears of it."""
    resolved_at: int = 0
    resolved_by: str = ""
    escalation: Escalation | None = None
    next_action: NextAction | None = None
    firing: int = 0
    """How many of its alerts fire now."""
    opened_by: str = ""
    """Who opened it by hand, and so says when it is over; "" when an alert did."""
    alerts: int = 0
    events: int = 0
    deliveries: int = 0
    runs: int = 0
    paged: list[str] = []
    """Contacts told so far, in order: each is owed the ack and the resolve."""
    threads: list[Thread] = []
    """Where later messages continue the first: each is told how it goes on."""
    informed: bool = False
    """Those whom the route informs have heard that it is open, and are owed its end."""
    suspect: Deploy | None = None
    suspects: list[Deploy] = []
    """Further ones, the likelier first."""
    followups: list[FollowUp] = []
    tried: str = ""
    """What automation tried and found, in one sentence, for the next message."""
    held_until: int = 0
    """A page waits for a runbook, or for the end of a silence, until this instant; 0: it does not wait."""
    silenced_by: str = ""
    """What alone holds the page back: the key of a `routing.noise.mute.Mute`, of a silence its id."""
    reopened: int = 0
    graded_at: int = 0
    """Since when it has its severity; 0: since it was opened."""
    graded_by: list[str] = []
    """Names of the rules that gave its severity, or raised it."""
    lowered_from: Severity | None = None
    """The worst severity a person has lowered it from."""
    overruled: list[str] = []
    """Rules that raise it no more, unless to something worse than `lowered_from`."""
    services: list[str] = []
    """Services of its alerts besides its own, where a rule asks how far it has spread."""
    snoozed_until: int = 0
    """A person put it off: nobody is paged before this instant; 0: nobody did."""
    merged_into: str = ""
    """The incident that has its alerts now, and answers for it."""
    also: list[str] = []
    """Further group keys that new alerts join by: of what is its effect, its cause, or merged into it."""
    cause: str = ""
    """The incident that this one is an effect of: while that is open, nobody is paged for this one."""
    flapping: int = 0
    """How many of its alerts flap. It stays open until they were steady for a while."""
    told_at: int = 0
    """When those who were paged last heard of its alerts."""
    changed: list[str] = []
    """Alerts that began or ceased to fire since then, the first of them."""
    drill: str = ""
    """The rule of the fire drill that it is: nothing is broken, and it counts in no statistics; "" for all others."""
    course: Course | None = None
    """How far it has come in the process by which incidents of consequence are run."""
    heard: list[str] = []
    """Audiences of the process that know of it, and hear of its end."""
    review: Review | None = None
    """What a person has added to its report."""

    @property
    def groups(self) -> list[str]:
        """All keys that new alerts join by; none once it takes no more."""
        return [self.group, *self.also] if self.group else []


WEIGHTY = attrgetter(
    "phase", "severity", "graded_at", "lowered_from", "overruled", "labels", "alerts", "service", "services", "paged",
    "acknowledged_by", "asked_again", "course", "heard", "reopened", "cause", "merged_into",
)  # fmt: skip
"""What something may follow from, when it changes: by rules, for the process, for who else is to hear of it. The rest
of an incident is counts, and how far it is with what follows.
"""


class Moment(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an incident's timeline."""

    at: int
    what: str
    by: str = ""
    reasons: list[Reason] = []
    entry: str = ""
    """Id of the log entry that caused it."""
    policy: str = ""
    client: str = ""
    """How and from where `by` did it, where the entry says so."""


class Window(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of many events, for one combination of the labels a rule counts by.

    `times` are the newest instants (ms), newest last, `marks` a name of each; without names it is [].
    """

    key: str
    times: list[int]
    rule: str = ""
    values: list[str] = []
    """Of the labels it counts by; [] where it takes no place among the most that are counted."""
    marks: list[str] = []
    width: int = 0
    """Of a part, in ms: `tally` and `others` are numbers of events by the number of their part."""
    tally: dict[int, int] = {}
    others: dict[int, int] = {}
    """The same of the other kind of a ratio."""
    since_at: int = 0
    """Its first event."""
    until_at: int = 0
    """Until then it says something."""
    came_at: int = 0
    """When what is expected came last, or began to be expected."""


class Verdict(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event: kept for "why", with constant size however long the incident lives."""

    at: int
    did: str
    """recorded, counted, expected, opened, joined, repeated, resolved, reopened, silenced, stale, ignored, paused"""
    incident: str = ""
    fingerprint: str = ""
    severity: Severity | None = None
    policy: str = ""
    reasons: list[Reason] = []
