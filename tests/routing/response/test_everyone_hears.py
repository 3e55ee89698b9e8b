"""Promise 6: whoever was paged hears of the acknowledgement and of the end, whatever keeps messages back.

Silences, maintenance, inhibition, causes, flapping, snoozes, groups, digests, limits: all of them at once.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from noisy import CONDITIONS, FLAPPING, SILENCES, report
from small_policy import START, World
from telling import deliveries

from routing.audit import audit
from routing.decision import Decision, Put, Table
from routing.delivery import Delivery, Progress, Purpose
from routing.effect import Deliver
from routing.entry import Answer, AnyEntry, Command, Verb
from routing.incident import Alert, Incident, Phase
from routing.instant import DAY, HOUR, MINUTE, SECOND
from routing.policy import Digest, Limit
from routing.severity import Severity
from routing.simulation import Simulation

TIGHT = (Limit(1, MINUTE), Limit(1, 10 * MINUTE))
LIMITED = replace(
    FLAPPING,
    retire_ms=365 * DAY,
    limits={"call": TIGHT, "text": TIGHT, "message": TIGHT},
    contacts={
        **FLAPPING.contacts,
        "bob": replace(
            FLAPPING.contacts["bob"], digest=Digest(frozenset({Severity.SEV2}), 9 * 60, "Europe/Warsaw")
        ),
    },
)
INCIDENTS = st.integers(1, 3).map("INC-{}".format)
PEOPLE = st.one_of(
    st.builds(
        lambda name, verb: Command(at=START, incident=name, verb=verb, by="carol"),
        INCIDENTS,
        st.sampled_from([Verb.ACK, Verb.ACK, Verb.RESOLVE, Verb.ESCALATE]),
    ),
    st.builds(
        lambda name, minutes: Command(
            at=START, incident=name, verb=Verb.SNOOZE, until_at=START + minutes * MINUTE, by="carol"
        ),
        INCIDENTS,
        st.integers(1, 300),
    ),
    st.builds(
        lambda name, to: Command(at=START, incident=name, verb=Verb.REASSIGN, to=to, by="carol"),
        INCIDENTS,
        st.sampled_from(["contact:bob", "contact:cto", "schedule:primary"]),
    ),
    st.builds(
        lambda name, into: Command(at=START, incident=name, verb=Verb.MERGE, to=into, by="carol"),
        INCIDENTS,
        INCIDENTS,
    ),
    st.builds(
        lambda name, number, text: Answer(at=START, channel="sms", text=text, delivery=f"{name}-d{number}"),
        INCIDENTS,
        st.integers(1, 9),
        st.sampled_from(["4", "6"]),
    ),
)
WAITS = st.one_of(st.just(0), st.integers(0, 15 * 60))
STEPS = st.lists(
    st.tuples(
        st.one_of(CONDITIONS, CONDITIONS, SILENCES, PEOPLE, PEOPLE),
        st.sampled_from([True, True, True, False]),
        WAITS,
        st.integers(0, 4),
    ),
    min_size=10,
    max_size=25,
)
SAID = {Phase.ACKNOWLEDGED: "acknowledged", Phase.RESOLVED: "Resolved"}


def puts(decision: Decision, table: Table) -> Iterator[Put]:
    return (each for each in decision.changes if isinstance(each, Put) and each.table is table)


class Witness:
    """Reads decisions one by one and keeps who was paged for what, by what left, not by what we wrote down."""

    def __init__(self) -> None:
        self.paged: defaultdict[str, set[str]] = defaultdict(set)
        self.owed: list[str] = []
        """Updates that have to arrive."""
        self._known: dict[str, Incident] = {}
        self._named: dict[str, list[str]] = {}

    def read(self, decision: Decision) -> None:
        said = [each.record for each in puts(decision, Table.DELIVERY) if isinstance(each.record, Delivery)]
        changed = {each.key: each.record for each in puts(decision, Table.INCIDENT)}
        for incident in changed.values():
            assert isinstance(incident, Incident)
            before = self._known.get(incident.id)
            if incident.merged_into and not (before and before.merged_into):
                self.paged[incident.merged_into] |= self.paged[incident.id]
            if incident.phase in SAID and before is not None and incident.phase is not before.phase:
                self._hear(incident, said)
            self._known[incident.id] = incident
        self._named |= {each.id: each.listed for each in said}
        for effect in decision.effects:
            if isinstance(effect, Deliver) and effect.purpose is Purpose.PAGE:
                for name in (effect.incident, *self._named.get(effect.id, ())):
                    self.paged[name].add(effect.contact)

    def _hear(self, incident: Incident, said: list[Delivery]) -> None:
        if incident.merged_into:
            return  # They were told what it goes on as, and are owed the end of that.
        heard = {
            each.contact: each.id
            for each in said
            if each.purpose is Purpose.UPDATE
            and each.incident == incident.id
            and SAID[incident.phase] in each.message.title
        }
        assert self.paged[incident.id] <= set(heard), (incident.id, incident.phase)
        self.owed += heard.values()


@given(STEPS)
@examples(50)
def test_an_acknowledgement_and_an_end_reach_everyone_who_was_paged(
    log: list[tuple[AnyEntry | tuple[str, str], bool, int, int]],
) -> None:
    """What happens may come between two timers of one instant."""
    sim = Simulation(LIMITED, START, World())
    for what, fires, wait, timers in log:
        if isinstance(what, tuple):
            report(sim, what, fires=fires)
        else:
            sim.feed(what)
        sim.pass_time(sim.now + wait * SECOND)
        assert audit(sim.state, sim.now) == []
        for _ in range(timers):
            sim.step(sim.now + DAY)
    for alert in list(sim.state.tables[Table.ALERT].values()):
        if isinstance(alert, Alert) and alert.firing:
            report(sim, (alert.kind, alert.labels["service"]), fires=False)
    sim.pass_time(sim.now + DAY)
    witness = Witness()
    for _, decision in sim.decisions:
        witness.read(decision)
    found = {each.id: each for each in deliveries(sim)}
    for name in witness.owed:
        assert found[name].progress in {Progress.SENT, Progress.ANSWERED}, found[name]
        if carrier := found.get(found[name].carrier):
            assert found[name].incident in f"{carrier.message.title}\n{carrier.message.body}"


def held_updates(*kinds: str) -> Simulation:
    """Incidents that anna was paged for and hears of no more for ten minutes, all of them then taken and ended."""
    sim = Simulation(replace(LIMITED, limits={"text": (Limit(1, 10 * MINUTE),)}), START, World())
    for kind in kinds:
        report(sim, (kind, "mail"), fires=True)
    sim.pass_time(START + MINUTE)
    for number in range(len(kinds)):
        sim.feed(Command(at=sim.now, incident=f"INC-{number + 1}", verb=Verb.ACK, by="carol"))
    return sim


def texts(sim: Simulation, after: int) -> list[str]:
    return [
        each.message.body
        for at, each in sim.effects
        if at > after and isinstance(each, Deliver) and (each.contact, each.channel) == ("anna", "sms")
    ]


def test_updates_held_back_of_one_incident_are_all_said_and_the_last_is_its_title() -> None:
    sim = held_updates("major")
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.SNOOZE, until_at=sim.now + HOUR, by="carol"))
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.RESOLVE, by="bob"))
    sim.pass_time(sim.now + HOUR)
    said = [
        "carol snoozed major until 2025-11-24T17:01:00.000Z",
        "Resolved: major (resolved by bob via the command line)",
    ]
    assert texts(sim, START + MINUTE) == ["\n".join(said)]
    last = next(each for each in deliveries(sim) if each.message.body == "\n".join(said))
    assert last.message.title == f"[INC-1] {said[-1]}"


def test_updates_held_back_of_several_incidents_say_of_each_how_it_stands() -> None:
    sim = held_updates("outage", "major", "minor")
    sim.feed(Command(at=sim.now, incident="INC-1", verb=Verb.RESOLVE, by="bob"))
    sim.pass_time(sim.now + HOUR)
    lines = [
        line for text in texts(sim, START + MINUTE) for line in text.split("\n") if line.startswith("INC-")
    ]
    assert lines == [
        "INC-1 resolved: outage",
        "INC-2 SEV-1 major, carol has it: carol acknowledged major",
    ]


def test_who_is_named_in_a_digest_hears_of_an_end_that_comes_in_the_same_instant() -> None:
    sim = Simulation(LIMITED, START, World())
    for service in ("database", "mail"):
        report(sim, ("minor", service), fires=True)
    while not any(each.listed for each in deliveries(sim)):
        assert sim.step(START + DAY)
    (digest,) = [each for each in deliveries(sim) if each.listed]
    assert (digest.contact, digest.listed) == ("bob", ["INC-1", "INC-2"])
    sim.feed(Command(at=sim.now, incident="INC-2", verb=Verb.RESOLVE, by="carol"))
    sim.pass_time(sim.now + HOUR)
    assert "[INC-2] Resolved: minor (resolved by carol via the command line)" in [
        each.message.title for _, each in sim.effects if isinstance(each, Deliver) and each.contact == "bob"
    ]
