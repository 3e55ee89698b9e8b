"""A storm does not ring a phone fifty times, and never at the price of a miss."""

from dataclasses import replace

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import START, World, firing
from telling import deliveries, ladder, pages, simulate, step

from routing.audit import audit
from routing.delivery import Progress, Purpose
from routing.entry import Outcome
from routing.instant import HOUR, MINUTE, SECOND
from routing.policy import Limit
from routing.response.carried import CHECK_MS
from routing.simulation import Simulation

CALLS = (Limit(1, MINUTE), Limit(3, 15 * MINUTE), Limit(7, HOUR))
LIMITS = {"call": CALLS, "text": CALLS, "message": CALLS}
KINDS = st.sampled_from(["site-down", "worse", "api-broken", "deployment.error"])
STORMS = st.lists(st.tuples(KINDS, st.integers(0, 240)), min_size=1, max_size=10)
"""What begins to fire, and how many seconds later the next does; each is an incident of its own."""


def storm(log: list[tuple[str, int]], world: World) -> Simulation:
    policy = ladder(step(("contact", "anna")), step(("contact", "bob")), repeat=1, limits=LIMITS)
    policy = replace(policy, route=replace(policy.route, group_by=("shard",)))
    sim = simulate(policy, world)
    for number, (kind, wait) in enumerate(log):
        sim.feed(firing(kind, at=sim.now, key=f"k{number}", labels={"shard": f"s{number}"}))
        assert audit(sim.state, sim.now) == []
        sim.pass_time(sim.now + wait * SECOND)
        assert audit(sim.state, sim.now) == []
    return sim


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World()
    channels = st.sampled_from(["voice", "sms"])
    world.refuses = draw(
        st.dictionaries(channels, st.sampled_from([Outcome.TEMPORARY, Outcome.PERMANENT]), max_size=1)
    )
    world.dead = draw(st.sets(channels, max_size=1))
    return world


@given(STORMS, worlds())
@examples(12)
def test_every_page_held_back_is_told_by_one_that_went_out_and_names_its_incident(
    log: list[tuple[str, int]], world: World
) -> None:
    """Or it failed with what was to tell of it, and then its incident is paged another way."""
    sim = storm(log, world)
    sim.pass_time(sim.now + HOUR)
    known = {each.id: each for each in deliveries(sim)}
    for page in known.values():
        if not page.carrier or page.progress is Progress.FAILED:
            continue
        carrier = known[page.carrier]
        if carrier.changed_at > sim.now - CHECK_MS:
            continue  # what became of it is looked at within this time
        assert carrier.contact == page.contact
        assert carrier.progress not in {Progress.FAILED, Progress.CANCELLED}
        assert page.incident in {carrier.incident, *carrier.listed} or len(carrier.listed) == 10
    told = {each.incident for each in known.values() if each.progress is Progress.SENT}
    for incident in sim.incidents():
        assert incident.next_action is not None
        assert incident.id in told or {"voice", "sms"} <= {*world.refuses, *world.dead}


@given(STORMS)
@examples(12)
def test_nobody_is_called_more_often_than_the_limits_but_for_a_new_complete_outage(
    log: list[tuple[str, int]],
) -> None:
    sim = storm([(kind if kind != "site-down" else "worse", wait) for kind, wait in log], World())
    sim.pass_time(sim.now + HOUR)
    for contact in ("anna", "bob", "cto"):
        calls = [at for at, who, channel in pages(sim) if (who, channel) == (contact, "voice")]
        for limit in CALLS:
            for at in calls:
                recent = [each for each in calls if at - limit.window_ms // SECOND < each <= at]
                assert len(recent) <= limit.count, (contact, limit, recent)


def test_fifty_incidents_in_a_minute_are_two_calls_and_all_are_told_of() -> None:
    sim = storm([("worse", 1)] * 50, World())
    sim.pass_time(START + 4 * MINUTE)
    calls = [at for at, who, channel in pages(sim) if (who, channel) == ("anna", "voice")]
    assert len(calls) == 2
    told = [each for each in deliveries(sim) if each.contact == "anna" and each.purpose is Purpose.PAGE]
    assert {each.incident for each in told if each.progress is Progress.SENT} == {
        incident.id for incident in sim.incidents()
    }
