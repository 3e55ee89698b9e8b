"""An iCalendar text (RFC 5545) as shifts over a schedule: read, told whose each is, laid over it as one thing.

Nothing here knows where the text came from; the same text, people and time give the same shifts.
"""

from routing.oncall.importing.appointments import Appointment, CalendarError, NotInstalled
from routing.oncall.importing.feeds import BY, FeedHealth, failing, renewed, trouble, well
from routing.oncall.importing.laying import KEPT, import_id, overlay, same_shifts, taken_back, window
from routing.oncall.importing.people import Book, Matched, Unknown, match
from routing.oncall.importing.reading import MOST_OCTETS, read

__all__ = [
    "BY",
    "KEPT",
    "MOST_OCTETS",
    "Appointment",
    "Book",
    "CalendarError",
    "FeedHealth",
    "Matched",
    "NotInstalled",
    "Unknown",
    "failing",
    "import_id",
    "match",
    "overlay",
    "read",
    "renewed",
    "same_shifts",
    "taken_back",
    "trouble",
    "well",
    "window",
]
