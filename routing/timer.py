"""Timer: something the fold wants to be woken for."""

from enum import StrEnum

from routing.record import Record


class Wake(StrEnum):
    """Why a timer was set. The subject is the id of what it is about."""

    ESCALATE = "escalate"
    HOLD = "hold"
    ACK_EXPIRES = "ack_expires"
    CLOCK = "clock"
    """The next milestone of its respond-by and resolve-by clocks."""
    RESOLVE_BY = "resolve_by"
    """Of releases before `clock`; still in their state."""
    PROMOTE = "promote"
    UNCLAIMED = "unclaimed"
    SILENT = "silent"
    RETRY = "retry"
    RUN_DEADLINE = "run_deadline"
    VERIFY = "verify"
    UNDO = "undo"
    """A change that was meant for a time is taken back."""
    APPROVAL = "approval"
    """Nobody has approved in time, which means denied."""
    QUIET = "quiet"
    FOLLOW_UP = "follow_up"
    RETIRE = "retire"
    LAST_RESORT = "last_resort"
    EXPIRE = "expire"
    NEXT_METHOD = "next_method"
    BUNDLE = "bundle"
    SNOOZE = "snooze"
    MERGE = "merge"
    ABSENCE = "absence"
    NEWS = "news"
    """Those who were paged are to hear which alerts joined or ended."""
    REPEAT = "repeat"
    """Those who are only informed are to hear that it is still open."""
    STEADY = "steady"
    """An alert that flapped has been steady for long enough."""
    PHASE = "phase"
    """The time of a phase of the incident process is over."""
    SCHEDULED = "scheduled"
    """Work that comes by the calendar."""
    DRILL = "drill"
    """A fire drill that comes by the calendar."""
    SHIFT = "shift"
    """Who is on call in a schedule may have changed, or is about to."""
    STATUS = "status"
    """A status update is owed."""
    THREAD = "thread"
    """A message that waits for its thread looks whether it is open."""
    WORD = "word"
    """A word in public is owed."""


BOOKKEEPING = frozenset(
    {
        Wake.UNCLAIMED,
        Wake.SILENT,
        Wake.RETIRE,
        Wake.UNDO,
        Wake.NEWS,
        Wake.REPEAT,
        Wake.PHASE,
        Wake.STATUS,
        Wake.THREAD,
        Wake.WORD,
    }
)
"""They see to it that work is carried out or people are kept informed; nobody is called because of them."""


PREFIX = {wake: f"{wake}:" for wake in Wake}
"""What the id of a timer begins with. Several are looked for with every message: writing them takes longer."""


class Timer(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is "<wake>:<subject>": setting it again moves it. `tries` counts how often it was set in a row."""

    id: str
    wake: Wake
    subject: str
    at: int
    what: str = ""
    incident: str = ""
    tries: int = 0
