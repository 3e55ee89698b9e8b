"""Long histories pass over claims that nobody could see: all that is told, sent and kept is as it is with them."""

from dataclasses import replace

import msgspec
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from small_policy import HERE, POLICY, START, firing, resolved

from routing.decision import Decision
from routing.delivery import Purpose
from routing.effect import AnyEffect, Deliver
from routing.entry import AnyEntry, Claimed, Command, Delivered, Outcome, Verb
from routing.instant import HOUR, MINUTE, SECOND
from routing.policy import Limit, Policy
from routing.simulation import Simulation
from routing.simulation.scenario import Answering, Behaviour
from routing.simulation.world import ANSWER_MS, CLAIM_MS, World

TIGHT = (Limit(1, 5 * SECOND), Limit(3, 15 * MINUTE))
MAIL = POLICY.contacts["bob"].methods[2]
LIMITED = replace(POLICY, limits={"call": TIGHT, "text": TIGHT, "message": TIGHT})
WAITS = st.sampled_from(
    [0, 1, CLAIM_MS, CLAIM_MS + 1, ANSWER_MS - 1, ANSWER_MS, ANSWER_MS + 1, MINUTE, 20 * MINUTE]
)
"""Between a message and its claim, between a claim and its answer, and long after."""
BEHAVIOURS = st.builds(
    lambda channel, answers, says, after: Behaviour(HERE, channel=channel, answers=answers, says=says, after_ms=after),
    st.sampled_from(["", "voice", "sms", "mail"]), st.sampled_from(list(Answering)),
    st.sampled_from(["", "4", "6", "ack"]), st.sampled_from([0, 1, 500, MINUTE]),
)  # fmt: skip
ENTRIES = st.one_of(
    st.builds(lambda kind, n: firing(kind, key=f"k{n}"), st.sampled_from(["site-down", "worse", "odd"]),
              st.integers(0, 2)),
    st.builds(lambda kind, n: resolved(kind, key=f"k{n}"), st.sampled_from(["site-down", "worse", "odd"]),
              st.integers(0, 2)),
    st.builds(lambda verb: Command(at=START, incident="INC-1", verb=verb, by="carol"),
              st.sampled_from([Verb.ACK, Verb.RESOLVE, Verb.ESCALATE])),
)  # fmt: skip


class Counted(Simulation):
    """How many claims were decided."""

    claims = 0

    def feed(self, entry: AnyEntry, entry_id: str = "") -> Decision:
        self.claims += isinstance(entry, Claimed)
        return super().feed(entry, entry_id)


def played(
    log: list[tuple[AnyEntry, int]],
    behaviours: tuple[Behaviour, ...],
    *,
    keep: bool,
    policy: Policy = LIMITED,
) -> Counted:
    sim = Counted(policy, START, World(START, behaviours), keep=keep)
    for entry, wait in log:
        sim.pass_time(sim.now + wait)
        sim.feed(msgspec.structs.replace(entry, at=sim.now))
    sim.pass_time(sim.now + HOUR)
    return sim


@given(st.lists(st.tuples(ENTRIES, WAITS), min_size=1, max_size=8), st.lists(BEHAVIOURS, max_size=3))
@examples(100)
def test_nothing_is_otherwise_without_them(
    log: list[tuple[AnyEntry, int]], behaviours: list[Behaviour]
) -> None:
    whole = played(log, tuple(behaviours), keep=True)
    short = played(log, tuple(behaviours), keep=False)
    assert short.moments == whole.moments
    assert short.effects == whole.effects
    assert short.state.tables == whole.state.tables
    assert short.now == whole.now
    assert short.claims <= whole.claims


def test_a_claim_is_passed_over_where_nothing_happens_until_its_message_arrives() -> None:
    log: list[tuple[AnyEntry, int]] = [(firing("worse"), 0)]
    whole, short = (played(log, (), keep=keep).claims for keep in (True, False))
    assert (whole > 3, short) == (True, 0)


def test_a_page_that_was_claimed_before_somebody_answered_another_is_not_called_back() -> None:
    """Anna resolves it after a second and a half; just before, Bob's letter was claimed, and the end continues it."""
    bob = replace(POLICY.contacts["bob"], by_severity={}, methods=(MAIL,), quiet=(MAIL,))
    by_mail = replace(
        POLICY, contacts={**POLICY.contacts, "bob": bob},
        channels={**POLICY.channels, "mail": replace(POLICY.channels["mail"], threads=True)},
    )  # fmt: skip
    escalate = Command(at=START, incident="INC-1", verb=Verb.ESCALATE, by="carol")
    anna = Behaviour(HERE, channel="sms", contact="anna", says="resolve", after_ms=500)
    log: list[tuple[AnyEntry, int]] = [(firing("worse"), 0), (escalate, 1_300)]
    whole, short = (played(log, (anna,), keep=keep, policy=by_mail) for keep in (True, False))
    assert [each.id for _, each in whole.effects if each.id == "INC-1-d3"] == ["INC-1-d3"], "Bob's letter"
    assert short.effects == whole.effects


def test_of_a_slow_provider_every_claim_counts() -> None:
    """Its message would be dispatched again after five seconds, if nobody had claimed it."""

    def slow(effect: AnyEffect, now: int) -> list[tuple[int, AnyEntry]]:
        claimed = Claimed(at=now, effect=effect.id, attempt=effect.attempt, timeout_ms=MINUTE)
        taken = Delivered(
            at=now, delivery=effect.id, attempt=effect.attempt, outcome=Outcome.OK, provider_id="P"
        )
        return [(CLAIM_MS, claimed), (20 * SECOND, taken)]

    short = Counted(LIMITED, START, slow, keep=False)
    short.feed(firing("worse"))
    short.pass_time(START + MINUTE)
    pages = [
        each.id for _, each in short.effects if isinstance(each, Deliver) and each.purpose is Purpose.PAGE
    ]
    assert len(pages) == len(set(pages)) > 0
