"""Whoever answers a page was reached there; the sandbox proves nothing."""

import pytest
from small_policy import POLICY, START, firing
from telling import ladder, simulate, step

from routing.decision import Table
from routing.delivery import Delivery
from routing.entry import Answer, Delivered, Outcome, Verified
from routing.response.proofs import proof_key, unreachable_for
from routing.severity import Severity
from routing.state import Fact

ANNA = POLICY.contacts["anna"]


@pytest.mark.parametrize("sandbox", [False, True])
def test_an_answer_verifies_the_method_it_came_over_unless_it_is_the_sandboxs(*, sandbox: bool) -> None:
    sim = simulate(ladder(step(("contact", "anna"))))
    sim.feed(firing("worse"))
    page = next(each for each in sim.state.tables[Table.DELIVERY].values() if isinstance(each, Delivery))
    sent = Delivered(
        at=START, delivery=page.id, attempt=1, outcome=Outcome.OK, provider_id="CA2", sandbox=sandbox
    )
    sim.feed(sent)
    sim.feed(Answer(at=START, channel=page.channel, text="4", delivery=page.id))
    found = sim.state.get(Table.FACT, proof_key(page.channel, page.address))
    assert isinstance(found, Fact) is not sandbox
    if isinstance(found, Fact):
        assert found.value.startswith(f"answered {page.id} at 2025-")


def test_a_persons_word_verifies_and_takes_back() -> None:
    sim = simulate(ladder(step(("contact", "anna"))))
    method = ANNA.methods[0]
    said = Verified(at=START, by="ben", channel=method.channel, address=method.address)
    sim.feed(said)
    assert proof_key(method.channel, method.address) in sim.state.tables[Table.FACT]
    sim.feed(Verified(at=START, by="ben", channel=method.channel, address=method.address, over=True))
    assert proof_key(method.channel, method.address) not in sim.state.tables[Table.FACT]


def test_one_verified_method_is_enough_for_the_severities_it_is_used_for() -> None:
    mail = proof_key("mail", "anna@example.com")
    assert unreachable_for(ANNA, {mail}.__contains__) == (Severity.SEV0, Severity.SEV1, Severity.SEV2)
    assert unreachable_for(ANNA, lambda key: key.startswith("verified:")) == ()
