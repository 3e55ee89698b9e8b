"""What waits for the pace of its provider: put back without an attempt, never a repeat, never for ever."""

from dataclasses import replace

from small_policy import POLICY, START, World, firing
from telling import deliveries, ladder, lines, pages, simulate, step

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Progress
from routing.effect import AnyEffect, Deliver
from routing.entry import AnyEntry, Deferred
from routing.instant import MINUTE, SECOND
from routing.policy import Policy
from routing.response.deliveries import MAX_DEFERRED_PAGE_MS
from routing.simulation import Simulation


class Crowded(World):
    """The channel `crowded` puts back what comes, so often, for five seconds each time."""

    def __init__(self, crowded: str, times: int) -> None:
        super().__init__()
        self.crowded = crowded
        self.left = times
        self.came: list[Deliver] = []

    def __call__(self, effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        if not isinstance(effect, Deliver) or effect.channel != self.crowded:
            return super().__call__(effect, now)
        self.came.append(effect)
        if not self.left:
            return super().__call__(effect, now)
        self.left -= 1
        back = Deferred(
            at=now, delivery=effect.id, attempt=effect.attempt, wait_ms=5 * SECOND, why="it takes 1 a second"
        )
        return [(1, back)]


def by_voice() -> Policy:
    voice, sms, _ = POLICY.contacts["anna"].methods
    anna = replace(POLICY.contacts["anna"], methods=(voice, sms), by_severity={})
    policy = ladder(step(("contact", "anna"), wait_ms=30 * MINUTE))
    return replace(
        policy, contacts={**POLICY.contacts, "anna": replace(anna, methods=(voice,), by_severity={})}
    )


def play(world: World, for_ms: int) -> Simulation:
    sim = simulate(by_voice(), world)
    sim.feed(firing("worse"))
    assert audit(sim.state, sim.now) == []
    sim.pass_time(START + for_ms)
    assert audit(sim.state, sim.now) == []
    return sim


def test_it_comes_back_at_the_time_it_was_told_as_the_same_attempt_and_no_repeat() -> None:
    world = Crowded("voice", 3)
    sim = play(world, MINUTE)
    assert [second for second, _, channel in pages(sim) if channel == "voice"] == [0, 5, 10, 15]
    assert [(each.attempt, each.repeat, each.waited) for each in world.came] == [
        (1, False, False), *[(1, False, True)] * 3,
    ]  # fmt: skip
    (page,) = deliveries(sim)
    assert (page.progress, page.attempt, page.repeat) == (Progress.SENT, 1, False)


def test_the_timeline_says_once_that_it_waits() -> None:
    sim = play(Crowded("voice", 5), MINUTE)
    assert sum("waits its turn: it takes 1 a second" in line for line in lines(sim)) == 1


def test_its_next_action_is_the_turn_it_waits_for() -> None:
    sim = play(Crowded("voice", 9), 2 * SECOND)
    timers = sim.state.tables[Table.TIMER]
    assert any("which waits its turn" in str(each) for each in timers.values())


def test_what_waits_too_long_spends_its_attempts_and_then_another_way_is_tried() -> None:
    world = Crowded("voice", 10_000)
    sim = play(world, 6 * MINUTE)
    first = deliveries(sim)[0]
    assert (first.channel, first.progress, first.repeat) == ("voice", Progress.FAILED, False)
    assert "did not come within 60 s" in first.error
    came = [each for each in world.came if each.id == first.id]
    assert {each.attempt for each in came} == {1, 2, 3}
    assert len(came) <= 3 * (MAX_DEFERRED_PAGE_MS // (5 * SECOND) + 1)


def test_an_entry_that_comes_late_or_twice_changes_nothing() -> None:
    sim = play(World(), MINUTE)
    before = deliveries(sim)[0]
    late = Deferred(at=sim.now, delivery=before.id, attempt=1, wait_ms=5_000, why="late")
    sim.feed(late)
    sim.feed(Deferred(at=sim.now, delivery="INC-9-d9", attempt=1, wait_ms=5_000, why="unknown"))
    assert deliveries(sim)[0] == before
