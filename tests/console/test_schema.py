"""`tocsin schema`: which files there are, the schema of one, and all of them written for editors."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from desk import CONFIG
from jsonschema import Draft202012Validator

from console.main import tocsin
from routing.schema.yaml_marks import read


def run(*arguments: str, code: int = 0) -> Result:
    environ = {"TOCSIN_REDIS_URL": "redis://127.0.0.1:1"}  # nothing runs there, and nothing is asked
    result = CliRunner().invoke(tocsin, ["schema", *arguments], env=environ)
    assert result.exit_code == code, result.output
    return result


def test_it_lists_every_file_with_what_it_is_for() -> None:
    lines = run().stdout.splitlines()
    row = next(line for line in lines if line.startswith("routes.yaml "))
    assert row.endswith("The route tree. A route inherits from its parent what it does not say itself.")
    told = {each["file"] for each in json.loads(run("--json").stdout)}
    shipped = {str(path.relative_to(CONFIG)) for path in CONFIG.glob("*.yaml")}
    assert told == shipped | {"runbooks/*.yaml", "templates/*.yaml", "tests/*.yaml"}


@pytest.mark.parametrize("name", ["routes", "routes.yaml", str(CONFIG / "routes.yaml")])
def test_it_prints_the_schema_of_a_file(name: str) -> None:
    schema = json.loads(run(name).stdout)
    assert schema["title"] == "routes.yaml"
    data = read("routes.yaml", (CONFIG / "routes.yaml").read_text()).data
    Draft202012Validator(schema).validate(data)


def test_a_file_there_is_none_of_is_misuse_with_the_nearest_name() -> None:
    said = run("rotues.yaml", code=2).stderr
    assert "no file of the configuration: 'rotues.yaml'" in said
    assert 'did you mean "routes.yaml"?' in said


def test_all_are_written_where_an_editor_finds_them(tmp_path: Path) -> None:
    folder = tmp_path / "deep/schemas"
    rows = json.loads(run("--write", str(folder), "--json").stdout)
    assert {row["schema"] for row in rows} == {str(path) for path in folder.iterdir()}
    assert {path.name for path in folder.iterdir()} >= {"tocsin.schema.json", "runbooks.schema.json"}
    for row in rows:
        assert json.loads(Path(row["schema"]).read_text())["title"] == row["file"]
    assert "routes.schema.json" in run("--write", str(folder)).stdout


def test_one_and_all_at_once_is_misuse(tmp_path: Path) -> None:
    run("routes.yaml", "--write", str(tmp_path), code=2)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    said = run("--write", str(tmp_path / "taken/below"), code=1).stderr
    assert "cannot be written" in said
