"""What reports are made of: an incident with all it owns, out of a simulation instead of a store."""

from typing import Any

from small_policy import POLICY, START, World, deploy, firing, resolved

from ledger.views.reports.incident import facts
from ledger.views.store import Whole
from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import Answer, Command, Outcome, Reviewed, Signal, Verb
from routing.event import Event, Status
from routing.incident import Alert, Review
from routing.instant import MINUTE, SECOND
from routing.run import Run
from routing.simulation import Simulation


def whole(sim: Simulation, number: int = 1) -> Whole:
    """The incident INC-<number>, as the store gives it."""
    key = f"INC-{number}"
    incident = next(each for each in sim.incidents() if each.id == key)

    def mine(table: Table, kind: type[Any]) -> list[Any]:
        return [
            each
            for each in sim.state.tables[table].values()
            if isinstance(each, kind) and each.incident == key
        ]

    return Whole(
        incident,
        tuple(sorted(mine(Table.ALERT, Alert), key=lambda each: each.first_seen_at)),
        tuple(sorted(mine(Table.DELIVERY, Delivery), key=lambda each: (each.created_at, each.id))),
        tuple(sorted(mine(Table.RUN, Run), key=lambda each: each.started_at)),
        tuple(moment for owner, moment in sim.moments if owner == key),
        archived=False,
    )


def shown(sim: Simulation, number: int = 1) -> dict[str, Any]:
    """Its facts, as a report has them."""
    found = whole(sim, number)
    return facts(found, found.incident.review or Review(), sim.now)


def bad_deployment(title: str = "The site is down", summary: str = "3 of 3 probes fail") -> Simulation:
    """A deployment breaks the site; the rollback fails; the first phone fails for good; bob takes it and ends it."""
    world = World()
    world.refuses = {"voice": Outcome.PERMANENT, "vercel.rollback": Outcome.PERMANENT}
    sim = Simulation(POLICY, START, world)
    sim.feed(deploy())
    sim.pass_time(START + 12 * MINUTE)
    at = sim.now
    sim.feed(Signal(at=at, event=Event(
        source="am", vendor="alertmanager", kind="site-down", status=Status.FIRING, key="probe", title=title, summary=summary,
    )))  # fmt: skip
    sim.pass_time(at + 2 * MINUTE + 20 * SECOND)
    sim.feed(firing("api-broken", at=sim.now, key="api"))
    sim.pass_time(at + 7 * MINUTE)
    page = next(each for each in whole(sim).deliveries if each.contact == "bob" and each.channel == "sms")
    sim.feed(Answer(at=sim.now, channel="sms", text="ack", delivery=page.id))
    sim.pass_time(at + 31 * MINUTE)
    sim.feed(resolved("site-down", at=sim.now, key="probe"))
    sim.feed(Command(at=sim.now, by="bob", incident="INC-1", verb=Verb.RESOLVE))
    sim.pass_time(at + 90 * MINUTE)
    return sim


def reviewed(sim: Simulation) -> Simulation:
    """A person has written what no record tells."""
    sim.feed(Reviewed(
        at=sim.now, by="bob", incident="INC-1",
        impact="Nobody could book between 16:12 and 17:00. 41 visitors left the checkout.",
        root_cause="The new release asks for a column that the database did not have yet.\n\nNothing in the build noticed it.",
        measures="Migrations run before a release is promoted. A smoke test books an appointment on each preview.",
    ))  # fmt: skip
    return sim
