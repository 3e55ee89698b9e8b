"""Trial: a test on its way to one address, whose code somebody is to return."""

from routing.record import Record


class Trial(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is its delivery's. `guesses`: how many wrong codes came back so far."""

    id: str
    contact: str
    channel: str
    address: str
    code: str
    until_at: int
    guesses: int = 0
