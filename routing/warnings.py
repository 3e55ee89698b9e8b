"""What goes live all the same, but is hardly meant.

Each check is a function from the Subject to its warnings; a new one is added to CHECKS and needs nothing else.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from routing.errors import ConfigWarning
from routing.instant import iso
from routing.oncall import Standing, review
from routing.policy import Policy, Secret, Setting, reach, shadow
from routing.response import proofs
from routing.response.proofs import IsProven
from routing.response.stages import told
from routing.schema.coverage import FIX, unmeant_gap
from routing.schema.yaml_marks import Document, Path, dotted
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Subject:
    """A configuration without a fault. `documents` by name, like "routes.yaml" or "runbooks/rollback.yaml"."""

    policy: Policy
    documents: Mapping[str, Document]
    environ: Mapping[str, str]

    def warning(self, file: str, path: Path, found: str, fix: str) -> ConfigWarning:
        """Where the value stands, or what comes nearest to it when it was left out."""
        document = self.documents[file]
        mark = document.value_mark(path)
        return ConfigWarning(document.file, mark.line, mark.column, dotted(path), found, fix)


Check = Callable[[Subject], Iterator[ConfigWarning]]


def unreachable_receiver(subject: Subject) -> Iterator[ConfigWarning]:
    """Real messages that ask for an answer no one can give."""
    if subject.environ.get("TOCSIN_PUBLIC_URL") or not _is_this_machine(subject.policy.public_url):
        return
    real = [name for name, each in subject.policy.channels.items() if _is_set(each.settings, subject.environ)]
    if real:
        found = (
            f"{subject.policy.public_url} is this machine only, while {', '.join(real)} would reach people"
        )
        fix = (
            "write how the world reaches the receiver, like https://tocsin.example.com, or set TOCSIN_PUBLIC_URL: "
            "until then no pressed key, no reply and no click on a link arrives"
        )
        yield subject.warning("tocsin.yaml", ("public_url",), found, fix)


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _is_set(settings: Mapping[str, Setting], environ: Mapping[str, str]) -> bool:
    """Without one of its secrets a channel sends to the sandbox, and nobody outside is asked anything."""
    secrets = [value for value in settings.values() if isinstance(value, Secret)]
    return all(environ.get(secret.name) or secret.default is not None for secret in secrets)


def nobody_on_call(subject: Subject) -> Iterator[ConfigWarning]:
    """Where only lesser severities call, a gap is no fault: the policy's next step is taken, or the last resort."""
    for name, schedule in subject.policy.schedules.items():
        if found := unmeant_gap(schedule):
            yield subject.warning("oncall.yaml", ("schedules", name), found, FIX)


def double_booked(subject: Subject) -> Iterator[ConfigWarning]:
    """One person in two schedules at once: an escalation from one to the other reaches nobody new."""
    schedules = list(subject.policy.schedules.values())
    if not schedules:
        return
    begin = max(review.span(each)[0] for each in schedules)
    duties = [(each, Standing()) for each in schedules]
    told: set[tuple[str, tuple[str, str]]] = set()
    for clash in review.clashes(duties, begin, begin + review.LOOKED_THROUGH):
        if (clash.contact, clash.schedules) in told:
            continue
        told.add((clash.contact, clash.schedules))
        first, second = clash.schedules
        found = (
            f"{clash.contact} is on call here and in {first} at once, first from {iso(clash.from_at)[:16]}Z"
        )
        fix = "put somebody else in one of them: an escalation from one to the other reaches nobody new"
        yield subject.warning("oncall.yaml", ("schedules", second), found, fix)


def to_be_filled_in(subject: Subject) -> Iterator[ConfigWarning]:
    """Addresses that are nobody's, on channels that reach people."""
    policy = subject.policy
    real = {name for name, each in policy.channels.items() if _is_set(each.settings, subject.environ)}
    for name, contact in policy.contacts.items():
        open_ = [each for each in contact.methods if each.is_placeholder and each.channel in real]
        if open_:
            found = ", ".join(f"{each.channel} {each.address}" for each in open_)
            fix = "write how this contact is reached; tocsin contacts verify names all that are left"
            yield subject.warning("oncall.yaml", ("contacts", name), f"a placeholder: {found}", fix)


def no_address_there(subject: Subject) -> Iterator[ConfigWarning]:
    """Addresses that the channel's vendor could not reach anybody at."""
    for name, contact in subject.policy.contacts.items():
        for method in dict.fromkeys((each.channel, each.address) for each in contact.methods):
            channel, address = subject.policy.channels[method[0]], method[1]
            if channel.address and not re.fullmatch(channel.address, address):
                what = f"{address!r} is no address of {channel.vendor}"
                found = f"{what}, so {name} is not reached by {channel.name}"
                fix = f"write it as docs/channels.md says for {channel.vendor}"
                yield subject.warning("oncall.yaml", ("contacts", name), found, fix)


def paged_by_best_effort(subject: Subject) -> Iterator[ConfigWarning]:
    """Pages that only such channels carry, of which nobody learns whether they arrived."""
    channels = subject.policy.channels
    for name, contact in subject.policy.contacts.items():
        ways = [contact.by_severity.get(level) or contact.methods for level in (Severity.SEV0, Severity.SEV1)]
        weak = next(
            (way for way in ways if way and all(channels[each.channel].best_effort for each in way)), ()
        )
        if weak:
            found = f"{name} is paged over {', '.join(each.channel for each in weak)} alone"
            fix = "give them another way beside it: of this one nobody learns whether it reached anybody"
            yield subject.warning("oncall.yaml", ("contacts", name), found, fix)


def unreachable_policies(subject: Subject) -> Iterator[ConfigWarning]:
    """Steps nobody would ever be called by."""
    for policy in reach.idle_policies(subject.policy):
        found, fix = "no route leads to it", "name it in escalation of a route, or remove it"
        yield subject.warning("escalation.yaml", ("policies", policy.name), found, fix)


def unreachable_steps(subject: Subject) -> Iterator[ConfigWarning]:
    """Steps whose conditions, with those of the branches around them, contradict each other."""
    for step in reach.idle_steps(subject.policy):
        asked = " and ".join(f"({told(when)})" for when in step.when)
        fix = "change the condition, or remove the step: no incident fulfils all of it"
        place = step.origin
        yield ConfigWarning(place.file, place.line, 1, "policies", f"a step that is for {asked}", fix)


def unused_contacts(subject: Subject) -> Iterator[ConfigWarning]:
    """Contacts who would never be told anything."""
    for name in reach.idle_contacts(subject.policy):
        found = "no step, schedule, team, route, role, service or runbook leads to this contact"
        yield subject.warning(
            "oncall.yaml", ("contacts", name), found, "name it in one of these, or remove it"
        )


def shadowed_rules(subject: Subject) -> Iterator[ConfigWarning]:
    """Rules for which no event is left."""
    for place, why in shadow.shadowed_rules(subject.policy.rules):
        yield subject.warning("severity.yaml", ("rules", place), why, _OUT_OF_SHADOW)


def unreached_routes(subject: Subject) -> Iterator[ConfigWarning]:
    """Routes for which no alert is left."""
    for path, why in shadow.unreached_routes(subject.policy.route):
        yield subject.warning("routes.yaml", path, why, _OUT_OF_SHADOW)


_OUT_OF_SHADOW = "move it up, change its matchers, or remove it"

CHECKS: tuple[Check, ...] = (
    unreachable_receiver,
    nobody_on_call,
    double_booked,
    to_be_filled_in,
    no_address_there,
    paged_by_best_effort,
    unreachable_policies,
    unreachable_steps,
    unused_contacts,
    shadowed_rules,
    unreached_routes,
)


def find(subject: Subject) -> tuple[ConfigWarning, ...]:
    """Every warning, in the order of the files."""
    return in_order(warning for check in CHECKS for warning in check(subject))


def in_order(found: Iterable[ConfigWarning]) -> tuple[ConfigWarning, ...]:
    """By their places in the files."""
    return tuple(sorted(found, key=lambda each: (each.file, each.line, each.column, each.path)))


def stopped(policy: Policy, known: IsProven) -> Iterator[ConfigWarning]:
    """Methods that are closed because whoever they reach wants nothing from us. Known where Tocsin runs, too."""
    for name, contact in policy.contacts.items():
        for method in contact.methods:
            if known(proofs.stop_key(method.channel, method.address)):
                found = f"{name} gets nothing by {method.channel}: they wrote STOP, or are refused for it"
                fix = "ask them to write START to our number; until then their other methods are used"
                place = contact.origin
                yield ConfigWarning(place.file, place.line, 1, f"contacts.{name}", found, fix)


def unverified(policy: Policy, proven: IsProven) -> Iterator[ConfigWarning]:
    """Contacts who were never shown to be reached, where somebody's address is filled in.

    No check of the files: what is proven is known where Tocsin runs.
    """
    for name, contact in policy.contacts.items():
        filled = {
            level: proofs.filled_in(contact, level) for level in proofs.unreachable_for(contact, proven)
        }
        levels = [level for level in filled if filled[level]]
        channels = dict.fromkeys(filled[level][0].channel for level in levels)
        if levels:
            found = f"{name} has no verified method for {', '.join(str(level) for level in levels)}"
            ways = " and ".join(f"tocsin contacts verify {name} --channel {channel}" for channel in channels)
            place = contact.origin
            fix = f"reach them, then: {ways}"
            yield ConfigWarning(place.file, place.line, 1, f"contacts.{name}", found, fix)
