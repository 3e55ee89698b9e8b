"""Rhythm: whether a source is silent when it usually speaks, judged by what was heard at the same time of other days.

Time is counted in slots of five minutes; of each it is known whether anything came, and whether we were there to hear
it. A silence is held against the same stretch of the last seven days, and of the same weekday in the weeks before: only
where something always came then is it one. So a source that speaks by day is not missed at night, nor one that rests at
weekends on a Saturday.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from routing.calendar import wall
from routing.instant import DAY, MINUTE

SLOT_MS = 5 * MINUTE
DAYS = 22
"""What is kept: three weeks, and the day that goes on."""
LEAST = 5
"""In so many slots of the stretch something must have come on other days, and so many must have passed in silence."""
LATE = 20
"""A twentieth of the silence is nothing: who rested all night may start a little later."""
_WEEKS = (7, 14, 21)
_DAYS_BEFORE = tuple(range(1, 8))
_USUAL_DAYS = 5
"""Of the last seven, so many must be known, and half of those that are must have been busy then."""
_WELL_HEARD = 0.8
"""A stretch of which we heard less says nothing."""


class Heard(NamedTuple):
    """Bit i of `bits` is the slot `first` + i since the epoch."""

    first: int
    bits: int

    def slots(self, begin: int, among: int) -> int:
        """How many of the slots `among` (bit 0 is `begin`) are set."""
        offset = begin - self.first
        bits = self.bits >> offset if offset >= 0 else self.bits << -offset
        return (bits & among).bit_count()


class Quiet(NamedTuple):
    """`since_at` (ms) it is silent; `usual`: in so many slots of it, at the least, something comes on other days."""

    since_at: int
    usual: int


def judged(heard: Heard, listened: Heard, last_at: int, now: int, timezone: str) -> Quiet | None:
    """Whether it is silent against its rhythm; None when it is not, or too little is known. `last_at`, `now` in ms."""
    begin, among = _silence(listened, last_at, now)
    if among.bit_count() < LEAST:
        return None
    weeks = [_usual(heard, listened, begin, among, shifts) for shifts in _shifts(_WEEKS, now, timezone)]
    days = [_usual(heard, listened, begin, among, shifts) for shifts in _shifts(_DAYS_BEFORE, now, timezone)]
    same_weekday = [usual for usual in weeks if usual is not None]
    days_before = [usual for usual in days if usual is not None]
    busy = sum(usual >= LEAST for usual in days_before)
    if not same_weekday or min(same_weekday) < LEAST:
        return None
    if len(days_before) < _USUAL_DAYS or 2 * busy < len(days_before):
        return None
    return Quiet(last_at, min(same_weekday))


def silent_ms(listened: Heard, last_at: int, now: int) -> int:
    """How long it was silent while we were there to hear it."""
    begin, end = last_at // SLOT_MS + 1, now // SLOT_MS
    return listened.slots(begin, _mask(end - begin)) * SLOT_MS


def _silence(listened: Heard, last_at: int, now: int) -> tuple[int, int]:
    """The first slot of the silence, and those of it in which we were there, but for the last ones."""
    begin, end = last_at // SLOT_MS + 1, now // SLOT_MS
    end -= max(0, end - begin) // LATE
    among = 0
    if end > begin:
        offset = begin - listened.first
        bits = listened.bits >> offset if offset >= 0 else listened.bits << -offset
        among = bits & _mask(end - begin)
    return begin, among


def _mask(slots: int) -> int:
    return (1 << slots) - 1 if slots > 0 else 0


def _shifts(days: tuple[int, ...], now: int, timezone: str) -> Iterator[tuple[int, ...]]:
    """In slots, how long ago the same time of another day was: by UTC, and by a clock that people live by."""
    here = wall.local(now, timezone)
    for back in days:
        then = wall.instant_of(here.replace(microsecond=0) - timedelta(days=back), timezone)
        yield tuple({back * DAY // SLOT_MS, round((now - then) / SLOT_MS)})


def _usual(heard: Heard, listened: Heard, begin: int, among: int, shifts: tuple[int, ...]) -> int | None:
    """In how many slots of the same stretch of that day something came; None where too little is known of it."""
    first = heard.first + ((heard.bits & -heard.bits).bit_length() - 1 if heard.bits else 0)
    found = []
    for shift in shifts:
        there = listened.slots(begin - shift, among)
        if not heard.bits or begin - shift < first or there < _WELL_HEARD * among.bit_count():
            return None
        found.append(heard.slots(begin - shift, among))
    return min(found)
