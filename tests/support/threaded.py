"""A policy whose people and rooms are also in a chat, where what is said of one incident is one thread."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from noisy import FLAPPING
from small_policy import HERE, POLICY, World
from telling import deliveries

from routing.delivery import Purpose
from routing.effect import AnyEffect, Deliver
from routing.entry import AnyEntry, Claimed, Delivered, Outcome
from routing.policy import Channel, Contact, Method, Policy
from routing.simulation import Simulation

ROOM = Method("chat", "#incident-{date}")


def _in_chat(contact: Contact) -> Contact:
    """Paged and told in the chat first."""
    chat = ROOM if contact.name == "room" else Method("chat", f"U{contact.name.upper()}")
    by_severity = {level: (chat, *methods) for level, methods in contact.by_severity.items()}
    return replace(
        contact, methods=(chat, *contact.methods), by_severity=by_severity, quiet=(chat, *contact.quiet)
    )


def chatting(policy: Policy = POLICY) -> Policy:
    return replace(
        policy,
        channels={**policy.channels, "chat": Channel("chat", "slack", {}, HERE, threads=True, attempts=3)},
        contacts={name: _in_chat(contact) for name, contact in policy.contacts.items()},
    )


CHATTING = chatting(replace(POLICY, runbooks=()))
NOISY = chatting(FLAPPING)


class Chat(World):
    """Answers the messages of the chat as `says` goes on, one after another; all others are taken."""

    def __init__(self, says: list[tuple[Outcome | None, int]] | None = None) -> None:
        super().__init__()
        self._says = list(says or [])

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        if not self._says or not isinstance(effect, Deliver) or effect.channel != "chat":
            return super().__call__(effect, now)
        outcome, after = self._says.pop(0)
        claimed = Claimed(at=now, effect=effect.id, attempt=effect.attempt, timeout_ms=15_000)
        if outcome is None:
            return [(1, claimed)]
        taken = outcome is Outcome.OK
        answer = Delivered(
            at=now, delivery=effect.id, attempt=effect.attempt, outcome=outcome,
            provider_id=f"P-{effect.id}-{effect.attempt}" if taken else "", error="" if taken else "no",
        )  # fmt: skip
        return [(1, claimed), (1 + after, answer)]


def in_chat(sim: Simulation, address: str = "#incident-{date}") -> list[tuple[str, str, str]]:
    """What left for a place in the chat: delivery, the thread it continues, its first line."""
    return [
        (each.id, each.thread, each.message.body.split("\n")[0])
        for each in chats(sim)
        if each.address == address
    ]


def chats(sim: Simulation) -> Iterator[Deliver]:
    return (each for _, each in sim.effects if isinstance(each, Deliver) and each.channel == "chat")


def openers(sim: Simulation) -> dict[tuple[str, str], list[str]]:
    """By incident and place, the deliveries that left to open a thread, each once, in order."""
    found: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    listing = {each.id for each in deliveries(sim) if each.listed}
    for each in chats(sim):
        if not each.thread and each.id not in listing and each.purpose is not Purpose.NOTICE:
            found[each.incident, each.address][each.id] = None
    return {place: list(ids) for place, ids in found.items()}
