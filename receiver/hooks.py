"""`POST /hooks/{source}`: where vendors send. The route that must be fast."""

from starlette.types import Send

from ledger.log import Kept
from receiver.answer import accepted, respond
from receiver.door import GatedDoor
from receiver.intake import Gate

PREFIX = "/hooks/"


class Hooks(GatedDoor):
    """Everything below `PREFIX`."""

    route = "hooks"
    only_post = False

    def gate(self, path: str, headers: dict[str, str]) -> Gate:  # noqa: ARG002  # the path says it
        return self._site.gates.gate(path[len(PREFIX) :])

    async def answer(self, send: Send, kept: Kept) -> int:
        await respond(send, 202, accepted(kept))
        return 202
