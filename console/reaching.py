"""How people are reached, and how well that is known."""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from console.context import Context
from ledger.clock import now_ms
from routing.decision import Table
from routing.policy import Contact, Method
from routing.response.proofs import IsProven, is_fresh, proof_key, stop_key, unreachable_for
from routing.severity import Severity
from routing.state import Fact


@dataclass(frozen=True, slots=True)
class Reach:
    contact: Contact
    method: Method
    proof: str
    fresh: bool
    stopped: str = ""
    """Why nothing is sent there: they wrote STOP."""

    @property
    def counts(self) -> bool:
        return self.fresh and not self.stopped and not self.method.is_placeholder

    @property
    def state(self) -> str:
        if self.method.is_placeholder:
            return "to be filled in"
        if self.stopped:
            return f"stopped: {self.stopped}; they must write START"
        if self.proof and not self.fresh:
            return f"stale: verified {self.proof}"
        return f"verified {self.proof}" if self.proof else "not verified"

    @property
    def pages(self) -> str:
        levels = [str(level) for level in Severity if self.method in self.contact.by_severity.get(level, ())]
        return ", ".join(levels)


def reaches(context: Context) -> Iterator[Reach]:
    facts, now, policy = context.store.records(Table.FACT, Fact), now_ms(), context.policy
    for contact in policy.contacts.values():
        for method in contact.methods:
            place = (method.channel, method.address)
            found = [facts.get(key(*place)) for key in (proof_key, stop_key)]
            proof, stopped = (fact.value if fact else "" for fact in found)
            yield Reach(contact, method, proof, is_fresh(proof, now, policy.verified_ms), stopped)


def proven(context: Context) -> IsProven:
    """What is known now of how people are reached, and fresh enough to count."""
    facts, now, longest = context.store.records(Table.FACT, Fact), now_ms(), _longest(context)
    return lambda key: (
        key in facts and (not key.startswith("verified:") or is_fresh(facts[key].value, now, longest))
    )


def _longest(context: Context) -> int:
    """As the policy in force says; a database in which none was ever is looked at all the same."""
    try:
        return context.policy.verified_ms
    except click.ClickException:
        return 0


def unverified(context: Context, names: set[str]) -> dict[str, tuple[Severity, ...]]:
    """Of these contacts, those who have no verified method for some severities, and for which."""
    known_facts, contacts = proven(context), context.policy.contacts
    known = [contacts[name] for name in sorted(names) if name in contacts]
    found = {each.name: unreachable_for(each, known_facts) for each in known}
    return {name: levels for name, levels in found.items() if levels}
