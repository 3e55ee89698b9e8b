"""Our own front door, as our workers use it: what they found of a source is posted as its vendor would have."""

from collections.abc import Mapping
from typing import NamedTuple

from ledger import handing
from ledger.clock import now_ms
from ledger.handing import Handed
from ledger.log import instant_of
from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Missed
from workers import http
from workers.answer import Answer, Call, HttpError

_FIX = {
    401: f"receiver and upkeep need the same {handing.SECRET}",
    404: "the receiver does not know this source yet, or TOCSIN_FRONT_DOOR leads elsewhere",
}

_POLLED = Handed(handing.POLLING)


class Kept(NamedTuple):
    """`accepted`: ids of entries, those of an event that was there already included. Not `taken`: never will be."""

    taken: bool
    accepted: tuple[str, ...] = ()

    def new(self, since_at: int) -> int:
        """How many of them were not there before that instant of Redis's clock (ms)."""
        return sum(instant_of(each) >= since_at for each in self.accepted)


class Door:
    """`environ` holds the secret; `address` is the receiver's."""

    def __init__(self, address: str, environ: Mapping[str, str], timeout_s: float) -> None:
        self._address = address.rstrip("/")
        self._secret = environ.get(handing.SECRET, "").partition(",")[0].strip()
        self._timeout_s = timeout_s

    @property
    def unset(self) -> tuple[str, ...]:
        """What is missing to hand anything in."""
        return () if self._secret else (handing.SECRET,)

    def post(self, source: str, missed: Missed, handed: Handed = _POLLED) -> Kept:
        """Returns once it is on disk, or known to be what can never be. Raises ActionError for not now."""
        signed = handing.sign(self._secret, source, missed.body, handed, now_ms())
        call = Call(
            method="POST",
            url=f"{self._address}/hooks/{source}",
            mutates=True,
            timeout_s=self._timeout_s,
            content=missed.body,
            headers={"content-type": "application/json", **missed.headers, **signed},
        )
        try:
            answer = http.call(call)
            if answer.ok:
                return Kept(taken=True, accepted=tuple(answer.object().get("accepted", ())))
        except HttpError as error:  # posting it again is harmless, so nothing of this is unknown
            raise ActionError(f"our own receiver: {error}", outcome=Outcome.TEMPORARY) from error
        if answer.outcome is Outcome.PERMANENT and answer.status not in _FIX:
            return Kept(taken=False)
        raise _not_now(answer)


def _not_now(answer: Answer) -> ActionError:
    words = "; ".join(filter(None, (f"our own receiver: {answer}", _FIX.get(answer.status, ""))))
    return ActionError(words, outcome=Outcome.TEMPORARY, retry_after_ms=answer.retry_after_ms)
