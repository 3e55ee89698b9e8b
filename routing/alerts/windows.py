"""Windows: what is remembered of many events, bounded, and the same whatever order and however often they come.

An event that comes again counts once, at the latest instant it came: so forgetting what is old changes nothing.
Marks are the newest events one by one; tallies are numbers of events in tenths of a window.
"""

from bisect import insort
from collections.abc import Mapping
from hashlib import blake2b

import msgspec

from routing.incident import Window

PARTS = 10
"""A window's tally is kept in so many parts."""
RECALLED = 100
"""A tally knows an event again while so few others with an id came after it."""

Tally = dict[int, int]


def mark_of(text: str) -> str:
    """A short name of an event's id or a label's value; "" of nothing."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest() if text else ""


def marked(window: Window, mark: str, at: int, *, keep: int, span: int) -> Window:
    """The newest `keep` marks that lie within `span` (ms) before the newest of them; without a name each is new."""
    marks = list(zip(window.times, _padded(window), strict=True))
    if mark:
        known = [each for each in marks if each[1] == mark]
        if known and known[0][0] >= at:
            return window
        marks = [each for each in marks if each[1] != mark]
    insort(marks, (at, mark))
    oldest = marks[-1][0] - span
    kept = [each for each in marks[-keep:] if each[0] > oldest]
    names = [name for _, name in kept] if any(name for _, name in kept) else []
    return msgspec.structs.replace(
        window, times=[time for time, _ in kept], marks=names, until_at=max(window.until_at, at + span)
    )


def tallied(window: Window, mark: str, at: int, *, other: bool, width: int, parts: int) -> Window:
    """One more event in its part of `width` ms; the newest `parts` parts are kept."""
    own: Tally = {}
    others: Tally = {}
    times: list[int] = []
    marks: list[str] = []
    # Of another width the numbers of its parts mean other times: it begins anew.
    if window.width == width:
        own, others = dict(window.tally), dict(window.others)
        times, marks = window.times, window.marks
    else:
        window = msgspec.structs.replace(window, since_at=0)
    if mark:
        known = dict(zip(marks, times, strict=True))
        before = known.get(mark)
        if before is not None and before >= at:
            return msgspec.structs.replace(window, since_at=min(window.since_at, at))
        if before is not None:
            _less(others if other else own, before // width)
        latest = sorted({**known, mark: at}.items(), key=lambda each: (each[1], each[0]))[-RECALLED:]
        marks, times = [name for name, _ in latest], [time for _, time in latest]
    side = others if other else own
    side[at // width] = side.get(at // width, 0) + 1
    newest = max((*own, *others))
    oldest = newest - parts
    return msgspec.structs.replace(
        window,
        times=times,
        marks=marks,
        width=width,
        tally={part: count for part, count in sorted(own.items()) if part > oldest},
        others={part: count for part, count in sorted(others.items()) if part > oldest},
        since_at=min(window.since_at or at, at),
        until_at=max(window.until_at, at + parts * width),
    )


def newest_part(window: Window) -> int:
    return max((*window.tally, *window.others), default=0)


def total(tally: Mapping[int, int], newest: int, parts: int = PARTS) -> int:
    """Events of the parts up to the newest."""
    return sum(count for part, count in tally.items() if newest - parts < part <= newest)


def _less(tally: Tally, part: int) -> None:
    if part in tally:
        tally[part] -= 1
        if not tally[part]:
            del tally[part]


def _padded(window: Window) -> list[str]:
    """A name for each instant; a window of an earlier release has none."""
    return window.marks or [""] * len(window.times)
