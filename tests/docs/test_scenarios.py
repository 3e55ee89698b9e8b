"""Every scenario of the documentation holds under the shipped configuration."""

import pages
import pytest
import shipped

from routing.schema.scenario import read_scenario
from routing.simulation.judge import rehearse

EXAMPLES = [block for block in pages.blocks("yaml") if "scenario" in block.info]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.place)
def test_a_documented_scenario_holds(block: pages.Block) -> None:
    policy = shipped.policy()
    assert rehearse(policy, read_scenario(block.place, block.text, policy)).failures == ()
