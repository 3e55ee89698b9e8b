"""Every window rule the documentation shows is one that goes live, beside the shipped configuration."""

import pages
import pytest
import shipped
import yaml

KINDS = ("thresholds", "absences")
EXAMPLES = [
    block for block in pages.blocks("yaml") if block.text.startswith(tuple(f"{kind}:" for kind in KINDS))
]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"{block.page.name}:{block.line}")
def test_a_documented_window_rule_goes_live(block: pages.Block) -> None:
    files = shipped.files()
    file = yaml.safe_load(files["config/severity.yaml"])
    for kind, rules in yaml.safe_load(block.text).items():
        file[kind] = [*file.get(kind, []), *rules]
    files["config/severity.yaml"] = yaml.safe_dump(file)
    assert [str(fault) for fault in shipped.faults(files)] == []


def test_each_kind_has_an_example() -> None:
    assert {kind for kind in KINDS for block in EXAMPLES if block.text.startswith(kind)} == set(KINDS)
