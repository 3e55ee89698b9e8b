"""What people are owed, whatever became of the policy, the workers or the instant meanwhile."""

from dataclasses import replace
from itertools import pairwise

import pytest
from small_policy import POLICY, START, World, firing
from telling import deliveries, do, ladder, lines, pages, simulate, step

from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import Verb
from routing.instant import DAY, HOUR, MINUTE
from routing.policy import Policy
from routing.severity import Severity
from routing.simulation import Simulation

BOTH = ladder(step(("contact", "anna")), step(("contact", "bob")))


def without(name: str, policy: Policy = BOTH) -> Policy:
    contacts = {key: contact for key, contact in policy.contacts.items() if key != name}
    return replace(policy, contacts=contacts)


def updates(sim: Simulation) -> list[tuple[str, str, str]]:
    return [
        (effect.contact, effect.channel, effect.address)
        for _, effect in sim.effects
        if isinstance(effect, Deliver) and effect.purpose is Purpose.UPDATE
    ]


def test_who_was_paged_and_then_removed_from_the_policy_is_told_where_the_page_went() -> None:
    sim = simulate(BOTH)
    sim.feed(firing("worse"))
    sim.pass_time(START + MINUTE)
    address = deliveries(sim)[0].address
    sim.policy = without("anna")
    do(sim, Verb.ACK, by="bob")
    do(sim, Verb.RESOLVE, by="bob")
    assert updates(sim) == [("anna", "sms", address)] * 2


def called_only() -> Policy:
    voice = POLICY.contacts["anna"].methods[:1]
    anna = replace(POLICY.contacts["anna"], methods=voice, by_severity={}, quiet=())
    return replace(BOTH, contacts={**BOTH.contacts, "anna": anna})


def test_who_was_only_called_gets_it_in_writing_at_that_number() -> None:
    policy = called_only()
    sim = simulate(policy)
    sim.feed(firing("worse"))
    sim.policy = without("anna", policy)
    do(sim, Verb.RESOLVE, by="bob")
    assert updates(sim) == [("anna", "sms", policy.contacts["anna"].methods[0].address)]


def test_who_was_only_called_and_nothing_writes_to_numbers_is_named_and_never_rung() -> None:
    policy = called_only()
    sim = simulate(policy)
    sim.feed(firing("worse"))
    writers = {
        name: replace(contact, quiet=tuple(each for each in contact.quiet if each.channel == "mail"))
        for name, contact in without("anna", policy).contacts.items()
    }
    sim.policy = replace(policy, contacts=writers)
    do(sim, Verb.RESOLVE, by="bob")
    assert updates(sim) == []
    assert any(line.startswith("anna is no longer configured and was only called") for line in lines(sim))


def test_who_was_paged_for_what_was_merged_is_told_of_the_end_of_the_other_too() -> None:
    sim = simulate(BOTH)
    sim.feed(firing("worse", key="a"))
    do(sim, Verb.REASSIGN, "INC-1", to="contact:carol")
    sim.feed(firing("api-broken", key="b"))
    do(sim, Verb.MERGE, "INC-1", to="INC-2", by="bob")
    sim.policy = without("carol")
    before = len(updates(sim))
    do(sim, Verb.RESOLVE, "INC-2", by="bob")
    assert "carol" in [contact for contact, _, _ in updates(sim)[before:]]


@pytest.mark.parametrize("level", [Severity.SEV0, Severity.SEV1, Severity.SEV2])
@pytest.mark.parametrize("repeat", [0, 1])
def test_nobody_is_paged_twice_at_one_instant_however_many_clocks_run_out_at_it(
    level: Severity, repeat: int
) -> None:
    """Steps, the last resort, respond-by and resolve-by times are all multiples of five minutes."""
    rules = tuple(replace(each, severity=level) for each in POLICY.rules)
    steps = (step(("contact", "anna")), step(("contact", "bob"), wait_ms=10 * MINUTE))
    sim = simulate(ladder(*steps, repeat=repeat, rules=rules, last_resort_every_ms=5 * MINUTE))
    sim.feed(firing("worse"))
    sim.pass_time(START + 26 * HOUR)
    found = pages(sim)
    assert "cto" in {contact for _, contact, _ in found}
    assert [each for each in dict.fromkeys(found) if found.count(each) > 1] == []


def test_an_ack_and_the_time_to_resolve_that_run_out_together_page_once() -> None:
    levels = {**POLICY.levels, Severity.SEV1: replace(POLICY.levels[Severity.SEV1], ack_expires_ms=None)}
    sim = simulate(ladder(step(("contact", "anna"), wait_ms=DAY), levels=levels))
    sim.feed(firing("worse"))
    do(sim, Verb.ACK)
    sim.pass_time(START + 4 * HOUR)
    assert [(at, channel) for at, _, channel in pages(sim)] == [
        (0, "voice"), (0, "sms"), (4 * 3600, "voice"), (4 * 3600, "sms"),
    ]  # fmt: skip


def test_what_no_worker_takes_is_offered_ever_more_rarely_and_never_given_up() -> None:
    """A job an attempt: workers that were gone for a day must find few of them, and the page still owed."""
    world = World()
    world.asleep = {"voice", "sms", "mail"}
    sim = simulate(ladder(step(("contact", "anna"), wait_ms=DAY)), world)
    sim.feed(firing("api-broken"))
    sim.pass_time(START + DAY)
    offered = [
        at
        for at, effect in sim.effects
        if isinstance(effect, Deliver) and effect.id == "INC-1-d1" and effect.attempt == 1
    ]
    gaps = [later - earlier for earlier, later in pairwise(offered)]
    assert gaps[0] == 5_000
    assert gaps == sorted(gaps)
    assert max(gaps) == 15 * MINUTE
    assert len(offered) < 120


def test_what_a_worker_remarks_beside_its_answer_stands_in_the_timeline() -> None:
    world = World()
    world.remark = "its plain words were used, for a template failed: config/templates/page.yaml:2 body"
    sim = simulate(BOTH, world)
    sim.feed(firing("worse"))
    sim.pass_time(START + MINUTE)
    assert any("accepted as P-INC-1-d1-1; its plain words were used" in line for line in lines(sim))
