"""An iCalendar text (RFC 5545) as shifts over a schedule: read, told whose each is, laid over it as one thing.

Nothing here knows where the text came from; the same text, people and time give the same shifts.
"""

from routing.oncall.importing.appointments import Appointment, CalendarError, NotInstalled
from routing.oncall.importing.laying import import_id, overlay, same_shifts
from routing.oncall.importing.people import Book, Matched, Unknown, match
from routing.oncall.importing.reading import MOST_OCTETS, read

__all__ = [
    "MOST_OCTETS",
    "Appointment",
    "Book",
    "CalendarError",
    "Matched",
    "NotInstalled",
    "Unknown",
    "import_id",
    "match",
    "overlay",
    "read",
    "same_shifts",
]
