"""Escalation: the steps an incident began with, and how far it has come in them.

They are kept with the incident, so no change of the configuration moves an escalation under way. What they name,
people, schedules, teams and hours, is looked up anew each time.
"""

from routing.record import Record


class Target(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Whom a step calls. `kind` says what `name` names:

    contact, team; schedule (whoever is on call in it), next (who takes over from them) or previous (who had it
    before); channel ("mail:room@example.com", a place that is nobody's).
    """

    kind: str
    name: str


class When(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A condition on an incident: all that is given must hold, of each list one. `negate` turns it round.

    `severities` are numbers; `during` and `outside` name hours of the calendar; `match` are matchers of labels.
    """

    severities: list[int] = []
    services: list[str] = []
    teams: list[str] = []
    during: str = ""
    outside: str = ""
    match: list[str] = []
    negate: bool = False


class Delay(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Incidents of these severities wait for these hours of the calendar before the step is carried out."""

    hours: str
    severities: list[int]


class Stage(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One step. `until` is "ack" or "all": one acknowledgement is enough, or everyone's is wanted."""

    targets: list[Target]
    wait_ms: int
    origin: str = ""
    until: str = "ack"
    when: list[When] = []
    """All must hold, or the step is passed over."""
    delay: Delay | None = None
    by: str = ""
    """Who put this step before the policy's own: the incident was reassigned."""


class Escalation(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where the escalation of an incident stands.

    `stage` is the step last carried out, -1 before the first; `round` counts repeats from 0; `exhausted`
    once the last resort is what is being called.
    """

    policy: str
    stages: list[Stage]
    repeat: int = 0
    stage: int = -1
    round: int = 0
    exhausted: bool = False
    origin: str = ""
    starts: int = 0
    """How often it began at its first step: a page again is another page than the first."""
    awaited: list[str] = []
    """Whose acknowledgement the step still wants, where it wants everyone's."""
    acked: list[str] = []
    """Who acknowledged a step that wants everyone's."""
