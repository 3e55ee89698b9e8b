"""A command line with somebody behind it who decides."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from desk import Ask, Desk, Run
from small_policy import POLICY

from console.main import tocsin


@pytest.fixture
def desk(redis_url: str, tmp_path: Path) -> Iterator[Desk]:
    """The shipped configuration is in force, and entries are decided as they come."""
    desk = Desk(redis_url, tmp_path, POLICY)
    desk.publish()
    with desk.folding():
        yield desk


@pytest.fixture
def run(redis_url: str, tmp_path: Path) -> Run:
    """Runs `tocsin ...` against the desk's server; the exit status is asserted, 0 unless told."""

    def runs(*arguments: str, code: int = 0, stdin: str | bytes | None = None) -> Result:
        environ = {"TOCSIN_REDIS_URL": redis_url, "TOCSIN_DATA": str(tmp_path), "USER": "anna"}
        result = CliRunner().invoke(tocsin, list(arguments), input=stdin, env=environ)
        assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
        return result

    return runs


@pytest.fixture
def ask(run: Run) -> Ask:
    """As `run`, with --json: what was printed, read."""

    def asks(*arguments: str, code: int = 0) -> Any:
        return json.loads(run(*arguments, "--json", code=code).stdout)

    return asks
