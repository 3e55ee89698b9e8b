"""Text messages as carriers take and charge them: segments of 160 or 70 characters, and parts of a few segments.

Sources: 3GPP TS 23.038 (GSM 7-bit alphabet), TS 23.040 (concatenation).
"""

from collections.abc import Iterator
from typing import Final

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification
from workers.text import cut, whole

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Take the place of two."""
_SURROGATES: Final = "\U00010000"
"""From here on a character is two in UCS-2."""
_PLAIN: Final = str.maketrans({
    "\u2026": "...", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2022": "-", "\u2192": "->",
    "\u2018": "'", "\u2019": "'", "`": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"',
    "\u00bb": '"', "\u00a0": " ", "\u202f": " ", "\u2009": " ",
})  # fmt: skip
"""One of these makes a whole message cost twice as much, and says no more."""

REPLIES: Final = {
    Purpose.PAGE: "Reply ack, resolve or escalate.",
    Purpose.APPROVAL: "Reply approve or deny.",
}
PART_SEGMENTS: Final = 5
"""A message of more goes out in parts: not every carrier puts many together. As many as 640 characters take."""


def plain(text: str) -> str:
    """The same with what typesetters use written as on a typewriter."""
    return text.translate(_PLAIN)


def segments(text: str) -> int:
    """How many a carrier makes of it, and charges for."""
    gsm = all(char in _BASIC or char in _EXTENDED for char in text)
    doubled = _EXTENDED.__contains__ if gsm else _SURROGATES.__le__
    sizes = [2 if doubled(char) else 1 for char in text]
    alone, joined = (160, 153) if gsm else (70, 67)
    if sum(sizes) <= alone:
        return 1
    count, room = 1, joined
    for size in sizes:  # no character is parted
        if size > room:
            count, room = count + 1, joined
        room -= size
    return count


def parts(notification: Notification, max_chars: int) -> list[str]:
    """The message, how to answer, and the link, in one text or in several numbered ones.

    What must give way is the middle, never the way to answer. All together cost at most as many segments as
    `max_chars` plain characters would.
    """
    head = "(May be a repeat.) " if notification.repeat else ""
    message, tail = plain(whole(notification.message)), _tail(notification)
    most = segments("x" * max_chars)
    room = min(max_chars - len(head) - len(tail), len(message))
    while True:
        found = _split(head + plain(cut(message, room)), tail)
        cost = sum(segments(each) for each in found)
        if cost <= most or room <= 0:
            return found
        room -= max(1, (cost - most) * 30)


def _tail(notification: Notification) -> str:
    reply = REPLIES.get(notification.purpose, "")
    if notification.run and notification.purpose is Purpose.PAGE:
        reply = f"{reply} Or approve, deny."
    return "\n" + "\n".join(part for part in (reply, notification.ack_url) if part) if reply else ""


def _split(text: str, tail: str) -> list[str]:
    if segments(text + tail) <= PART_SEGMENTS:
        return [text + tail]
    for many in range(2, 10):
        found = list(_filled(text, tail, many))
        if len(found) <= many:
            return [f"{number}/{len(found)} {part}" for number, part in enumerate(found, 1)]
    return [text + tail]


def _filled(text: str, tail: str, many: int) -> Iterator[str]:
    """Words put together while they fit beside the part's number; the tail stays whole, with the last of them."""
    mark = f"{many}/{many} "
    part = ""
    for word in _words(text):
        if part.strip() and segments(mark + part + word) > PART_SEGMENTS:
            yield part.strip()
            part = ""
        part += word
    if segments(mark + part + tail) > PART_SEGMENTS and part.strip():
        yield part.strip()
        part = ""
    yield (part + tail).strip()


def _words(text: str) -> Iterator[str]:
    """Words with the space or line end before each; what has none for very long is parted all the same."""
    longest, word = 60, ""
    for char in text:
        if char in " \n" or len(word) >= longest:
            yield word
            word = ""
        word += char
    yield word


def partly(error: DeliveryError, taken: int, many: int) -> DeliveryError:
    """What a failure means when some parts were taken: to send them again is a repeat."""
    if not taken:
        return error
    outcome = error.outcome if error.outcome is Outcome.PERMANENT else Outcome.UNKNOWN
    return DeliveryError(
        f"{error} ({taken} of {many} parts were taken)",
        outcome=outcome,
        retry_after_ms=error.retry_after_ms,
        answer=error.answer,
        opted_out=error.opted_out,
    )
