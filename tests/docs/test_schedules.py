"""Every schedule the documentation shows is one that goes live, beside the shipped configuration."""

import pages
import pytest
import shipped
import yaml

EXAMPLES = [block for block in pages.blocks("yaml") if block.text.startswith("schedules:")]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"{block.page.name}:{block.line}")
def test_a_documented_schedule_goes_live(block: pages.Block) -> None:
    files = shipped.files()
    file = yaml.safe_load(files["config/oncall.yaml"])
    given = yaml.safe_load(block.text)["schedules"]
    file["schedules"] |= given
    files["config/oncall.yaml"] = yaml.safe_dump(file)
    assert [str(fault) for fault in shipped.faults(files)] == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 3
