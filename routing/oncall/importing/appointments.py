"""What is read of a calendar's event. Here it is an *appointment*: an event is what a source reports."""

from dataclasses import dataclass

from routing.errors import TocsinError


class CalendarError(TocsinError):
    """The text cannot be used. Says in which line, what was found and what to do."""


class NotInstalled(CalendarError):
    """The packages that read calendars are not there."""

    def __init__(self) -> None:
        super().__init__(
            "calendars cannot be read here; install what it takes with: pip install 'tocsin[ical]'"
        )


@dataclass(frozen=True, slots=True)
class Appointment:
    """One occurrence, from `from_at` until before `until_at` (ms). `line` counts from 1: where it is written."""

    uid: str
    line: int
    title: str
    from_at: int
    until_at: int
    invited: tuple[str, ...] = ()
    """Mail addresses in lower case of those who take part, or did not say that they do not."""
    declined: tuple[str, ...] = ()
    organizer: str = ""
