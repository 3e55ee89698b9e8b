"""`POST /hooks/{source}`: where vendors send. The route that must be fast."""

from typing import Final

from ledger.log import Kept
from receiver.answer import JSON, accepted
from receiver.door import GatedDoor
from receiver.intake import Gate
from routing.ports import Answer

PREFIX: Final = "/hooks/"


class Hooks(GatedDoor):
    """Everything below `PREFIX`."""

    route = "hooks"
    only_post = False

    def gate(self, path: str, headers: dict[str, str]) -> Gate:  # noqa: ARG002  # the path says it
        return self._site.gates.gate(path[len(PREFIX) :])

    def answer(self, kept: Kept) -> Answer:
        return Answer(202, JSON, accepted(kept))
