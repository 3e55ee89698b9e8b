"""Append what a person does, and wait, for a bounded time, for what becomes of it."""

from dataclasses import dataclass

from console.context import Context
from console.decided import WAIT_S, moments, wait
from console.output import one_line
from ledger import log
from routing.entry import AnyEntry, Lane
from routing.incident import Verdict

API = "the API"


@dataclass(frozen=True, slots=True)
class Who:
    """`client`: how and from where, for the audit. `via`: the way in words, "" the command line. `wait_s`: so long they
    wait to hear what came of it. `contact`: who they are in contacts.yaml, "" where that is their name.
    """

    name: str
    client: str = ""
    via: str = ""
    wait_s: float = WAIT_S
    contact: str = ""

    @property
    def person(self) -> str:
        """As the policy knows them."""
        return self.contact or self.name


@dataclass(frozen=True, slots=True)
class Done:
    """`said`: in the words of the incident's timeline, where one is concerned."""

    entry: str
    said: tuple[str, ...] = ()
    verdict: Verdict | None = None


def do(context: Context, who: Who, entry: AnyEntry, incident: str = "") -> Done:
    """Raises Undecided when nobody decides it in time; it is kept all the same."""
    decided = wait(context, log.append(context.client, context.keys, Lane.CONTROL, entry), who.wait_s)
    told = moments(context, incident, decided.id) if incident else []
    return Done(decided.id, tuple(one_line(moment.what) for moment in told), decided.verdict)
