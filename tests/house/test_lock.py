"""The lock files: nothing but exact versions and hashes, and everything pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?: ; [^\\]+?)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pinned(lock: str) -> dict[str, str]:
    lines = (ROOT / lock).read_text().splitlines()
    return {found["name"]: found["version"] for line in lines if (found := PIN.match(line))}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def asked_name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_only_pins_and_hashes(lock: str) -> None:
    for number, line in enumerate((ROOT / lock).read_text().splitlines(), 1):
        assert PIN.match(line) or HASH.match(line), f"{lock}:{number}: {line}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    lines = (ROOT / lock).read_text().splitlines()
    for pin, follows in zip(lines, [*lines[1:], ""], strict=True):
        assert not PIN.match(pin) or HASH.match(follows), f"{lock}: no hash after {pin}"


def test_runtime_lock_has_every_dependency_and_the_build_backend() -> None:
    asked = [*project()["project"]["dependencies"], *project()["dependency-groups"]["build"]]
    assert {asked_name(one) for one in asked} <= pinned("requirements.lock").keys()


@pytest.mark.parametrize("extra", ["ical", "signatures", "mail", "oidc"])
def test_runtime_lock_has_the_extras_that_the_image_has(extra: str) -> None:
    asked = project()["project"]["optional-dependencies"][extra]
    assert {asked_name(one) for one in asked} <= pinned("requirements.lock").keys()


def test_development_lock_has_every_tool() -> None:
    asked = project()["dependency-groups"]["dev"]
    assert {asked_name(one) for one in asked} <= pinned("requirements-dev.lock").keys()


def test_development_tools_run_on_the_versions_that_are_shipped() -> None:
    shipped, tools = pinned("requirements.lock"), pinned("requirements-dev.lock")
    assert {name: tools.get(name) for name in shipped} == shipped
