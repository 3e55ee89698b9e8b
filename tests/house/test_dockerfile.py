"""The image: built from what is locked, run by nobody special, with nothing in it that is not needed."""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().split()


def instructions() -> Iterator[tuple[str, str]]:
    """Each instruction with its continuation lines joined."""
    for line in re.sub(r"\\\n\s*", "", TEXT).splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, rest))
    return found


def values(stage: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for each, rest in stage if each == name]


def test_its_python_is_named_and_one_we_support() -> None:
    (default,) = [rest.partition("=")[2] for name, rest in instructions() if name == "ARG"]
    assert tuple(map(int, default.split("."))) >= (3, 11)
    assert {rest.split()[0] for name, rest in instructions() if name == "FROM"} == {"python:${PYTHON}-slim"}


def test_only_what_is_locked_is_installed_by_its_hash() -> None:
    installs = [
        part
        for name, rest in instructions()
        if name == "RUN"
        for part in rest.split("&&")
        if "pip install" in part
    ]
    from_index = [part for part in installs if "requirements.lock" in part]
    assert len(from_index) == 1
    assert all(option in from_index[0] for option in ("--require-hashes", "--only-binary :all:", "--no-deps"))
    assert all("--no-deps --no-build-isolation" in part for part in installs if part not in from_index)
    assert not re.search(r"\b(curl|wget|apt-get|apk)\b", TEXT)
    assert "ADD" not in {name for name, _ in instructions()}


def test_what_runs_is_not_root_and_got_nothing_but_the_built_environment() -> None:
    *_, last = stages()
    (user,) = values(last, "USER")
    assert user.isdigit()
    assert int(user) > 0
    names = [name for name, _ in last]
    assert max(names.index("COPY"), names.index("RUN")) < names.index("USER")
    assert all("--from=" in rest or rest.startswith("config ") for rest in values(last, "COPY"))


def test_it_starts_as_a_program_that_gets_the_signals() -> None:
    *_, last = stages()
    assert [json.loads(rest) for rest in values(last, "ENTRYPOINT")] == [["tocsin"]]
    assert [json.loads(rest) for rest in values(last, "CMD")] == [["--help"]]


def test_no_secret_and_no_data_can_get_into_it() -> None:
    assert IGNORED[0] == "*", "all is left out but what is named"
    taken = [each[1:] for each in IGNORED if each.startswith("!")]
    assert [name for name in taken if not (ROOT / name).exists()] == []
    for name in (".env", "var", ".git", ".venv", "tests"):
        assert not any(fnmatchcase(name, each) for each in taken), name
    told = " ".join(rest for name, rest in instructions() if name in {"ENV", "ARG"})
    assert not re.search(r"SECRET|TOKEN|PASSWORD|API_KEY", told)


def test_everything_it_copies_is_there() -> None:
    copied = [
        source
        for name, rest in instructions()
        if name == "COPY" and "--from=" not in rest
        for source in rest.split()[:-1]
    ]
    assert [source for source in copied if not (ROOT / source).exists()] == []
