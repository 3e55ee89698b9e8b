"""Every piece of configuration the documentation shows fits the schema editors check it by."""

import json
from pathlib import Path

import pages
import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from console.main import tocsin
from routing.json_schema import SHAPES, json_schema
from routing.schema.yaml_marks import read

OTHERS = {"scrape_configs", "rule_files", "receivers", "alerting", "authorization"}
"""What Prometheus, Alertmanager and amtool are configured with."""

BLOCKS = [(block, read(block.place, block.text).data) for block in pages.blocks("yaml")]
OURS = [(block, data) for block, data in BLOCKS if not data.keys() & OTHERS]


@pytest.mark.parametrize(("block", "data"), OURS, ids=[block.place for block, _ in OURS])
def test_a_documented_piece_fits_the_file_it_belongs_to(block: pages.Block, data: dict[str, object]) -> None:
    """It need not be all of the file, and may name an action there is not."""
    schemas = [json_schema(file) | {"required": []} for file in SHAPES]
    fitting = [each for each in schemas if data.keys() <= each["properties"].keys()]
    assert len(fitting) == 1
    assert [error.message for error in Draft202012Validator(fitting[0]).iter_errors(data)] == []


def test_the_settings_shown_for_an_editor_name_every_schema() -> None:
    """VS Code's: which schema a file has, both as `tocsin schema --write` and the configuration name them."""
    (block,) = [block for block in pages.blocks("json") if "yaml.schemas" in block.text]
    told = json.loads(block.text)["yaml.schemas"]
    rows = CliRunner().invoke(tocsin, ["schema", "--json"]).stdout
    assert {file.removeprefix("config/") for file in told.values()} == {
        row["file"] for row in json.loads(rows)
    }
    for path, file in told.items():
        assert Path(path).name == f"{file.split('/')[1].removesuffix('.yaml')}.schema.json"


def test_there_are_pieces() -> None:
    assert len(OURS) >= 10
