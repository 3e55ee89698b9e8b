"""Reminding: what is left undone is said again ever more rarely, so that nobody stops listening."""

from routing.instant import DAY

_SHARE = 4


def spaced(every_ms: int, lasted_ms: int, longest_ms: int = DAY) -> int:
    """How long until the next reminder (ms), of what has been left for so long already: `every_ms` at first, later a
    quarter of that time; not more than `longest_ms` unless `every_ms` is.
    """
    return max(every_ms, min(lasted_ms // _SHARE, longest_ms))
