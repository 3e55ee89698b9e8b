"""Everything the receiver's routes share. One per process; tests build their own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import redis.asyncio
from starlette.types import Scope

from ledger.keys import Keys
from ledger.views.store import Store
from receiver.allowance import sender_of
from receiver.body import Room
from receiver.counts import Counts, Example
from receiver.documents import Documents
from receiver.durable import Durable
from receiver.gates import Gates
from receiver.keep import Keep
from receiver.redaction import redacted
from receiver.refuse import Refused
from receiver.settings import ReceiverSettings


@dataclass(slots=True)
class Site:
    """`now` gives ms since the epoch."""

    settings: ReceiverSettings
    client: redis.asyncio.Redis
    keys: Keys
    gates: Gates
    keep: Keep
    durable: Durable
    room: Room
    counts: Counts
    now: Callable[[], int]
    documents: Documents
    store: Store
    """What is known by now. Reading it blocks: do it in a thread."""
    mail_fault: str = ""
    """Why no mail is taken; "" where it is, or is not to be."""

    def sender(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """The address a request came from, as far as our own proxies can be believed; "" where it has none."""
        client = scope.get("client")
        forwarded = headers.get("x-forwarded-for", "")
        return sender_of(client[0] if client else "", forwarded, self.settings.proxies)

    def refused(self, source: str, refusal: Refused, headers: Mapping[str, str]) -> None:
        """Count it, and keep an example for the person who sets the source up, while there is room."""
        example = None
        if self.counts.wants_examples():
            length = headers.get("content-length", "")
            example = Example(source, self.now(), refusal.why, refusal.error, redacted(headers), length[:20])
        self.counts.refuse(source, refusal.why, example)

    @property
    def public_url(self) -> str:
        """As the world reaches us, without a slash at the end; "" when nobody said."""
        return (self.settings.public_url or self.gates.public_url).rstrip("/")
