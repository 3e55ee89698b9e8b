"""`tocsin check` shows what rules are judged by."""

import json
from pathlib import Path

from click.testing import CliRunner

from console.check import check

CONFIG = Path(__file__).parents[2] / "config"


def test_it_prints_the_impact_matrix_as_text_and_as_json() -> None:
    text = CliRunner().invoke(check, ["--config", str(CONFIG)])
    assert text.exit_code == 0, text.output
    row = next(line.split() for line in text.output.splitlines() if line.split()[:1] == ["partial"])
    assert row == ["partial", "SEV-1", "SEV-2", "SEV-2", "SEV-3", "SEV-4"]
    told = json.loads(CliRunner().invoke(check, ["--config", str(CONFIG), "--json"]).output)
    assert told["matrix"]["complete"]["everyone"] == "SEV-0"
