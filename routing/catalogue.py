"""What vendors' modules offer, as data: whoever loads a policy passes it in (`ledger.catalogue` finds it)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from routing.schema.refusal import Refusal

if TYPE_CHECKING:
    from pydantic import BaseModel  # large, and most of what reads a policy's facts has no use for it


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """`settings` is the model they must fit; None where only the facts are known. `bounces` is that of the mailbox in
    which the vendor's reports of failure arrive; None where there are none. `threads`: a later message can continue
    an earlier one. `letters`: what it brought stays as it was, and is read when somebody looks. `page`: what it is
    told everybody reads. `machine`: a program reads it, which hears of each incident by itself, however many there
    are. `best_effort`: it tells too little of what became of a message for a page to rely on it. `recalls`: it can
    end a call that it made. `address`: the pattern of addresses there, "" where any text is one.
    """

    voice: bool
    settings: "type[BaseModel] | None" = None
    bounces: "type[BaseModel] | None" = None
    threads: bool = False
    page: bool = False
    machine: bool = False
    best_effort: bool = False
    recalls: bool = False
    address: str = ""
    letters: bool = False


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """`params` is the model they must fit; None where only the facts are known."""

    mutates: bool
    params: "type[BaseModel] | None" = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """`settings`: names of those it takes. `faults` says what is wrong with those that are given. `poll`: the model of
    what it takes to ask it for what we missed; None where it cannot be asked.
    """

    settings: Collection[str]
    faults: Callable[[Mapping[str, Any]], Sequence[Refusal]] = lambda _: ()
    poll: "type[BaseModel] | None" = None


def _unknown(_: str) -> SourceFacts | None:
    return None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`actions` by full name ("vercel.rollback"), `families` the settings each family ("vercel") takes, `shapes`
    the models they must fit, of families whose settings are more than texts. `source` knows a vendor of events,
    asked only where settings are given; None where only its name is known.
    """

    sources: Collection[str]
    channels: Mapping[str, ChannelFacts]
    actions: Mapping[str, ActionFacts]
    families: Mapping[str, Collection[str]]
    shapes: "Mapping[str, type[BaseModel]]" = field(default_factory=dict)
    source: Callable[[str], SourceFacts | None] = _unknown

    def facts(self) -> dict[str, Any]:
        """The part that compiling needs again, as JSON; kept with a policy, so that reading it back imports
        no vendor's module.
        """
        return {
            "sources": sorted(self.sources),
            "channels": {name: channel.voice for name, channel in sorted(self.channels.items())},
            "threads": sorted(name for name, channel in self.channels.items() if channel.threads),
            "letters": sorted(name for name, channel in self.channels.items() if channel.letters),
            "pages": sorted(name for name, channel in self.channels.items() if channel.page),
            "machines": sorted(name for name, channel in self.channels.items() if channel.machine),
            "addresses": {name: channel.address for name, channel in sorted(self.channels.items())},
            "best_effort": sorted(name for name, channel in self.channels.items() if channel.best_effort),
            "recalls": sorted(name for name, channel in self.channels.items() if channel.recalls),
            "actions": {name: action.mutates for name, action in sorted(self.actions.items())},
            "families": {name: sorted(settings) for name, settings in sorted(self.families.items())},
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Catalogue":
        return cls(
            sources=frozenset(facts["sources"]),
            channels={
                # Policies kept by an earlier release may not name them.
                name: ChannelFacts(
                    voice,
                    threads=name in facts.get("threads", ()),
                    letters=name in facts.get("letters", ()),
                    page=name in facts.get("pages", ()),
                    machine=name in facts.get("machines", ()),
                    best_effort=name in facts.get("best_effort", ()),
                    address=facts.get("addresses", {}).get(name, ""),
                    recalls=name in facts.get("recalls", ()),
                )
                for name, voice in facts["channels"].items()
            },
            actions={name: ActionFacts(mutates) for name, mutates in facts["actions"].items()},
            families={name: frozenset(settings) for name, settings in facts["families"].items()},
        )
