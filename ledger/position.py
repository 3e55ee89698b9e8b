"""Positions: where an entry is in the log. The lane's initial, then the stream's own id."""

from collections.abc import Mapping

from routing.entry import Lane

Position = str
""""u1732406400123-0"."""

START = "0-0"
"""Before the first entry of any lane."""

INITIALS: Mapping[Lane, str] = {Lane.CONTROL: "c", Lane.URGENT: "u", Lane.BULK: "b"}
_LANES = {initial: lane for lane, initial in INITIALS.items()}


def position(lane: Lane, stream_id: str) -> Position:
    return INITIALS[lane] + stream_id


def stream_id(at: Position) -> str:
    """The stream's own id of a position; "" is the start."""
    return at.lstrip("cub") or START


def lane_of(at: Position) -> Lane | None:
    """None when it is no position."""
    return _LANES.get(at[:1]) if is_stream_id(at[1:]) else None


def is_stream_id(text: str) -> bool:
    first, _, second = text.partition("-")
    return first.isascii() and first.isdigit() and second.isascii() and second.isdigit()


def instant_of(at: Position) -> int:
    """When the server took it, ms."""
    return int(stream_id(at).partition("-")[0])
