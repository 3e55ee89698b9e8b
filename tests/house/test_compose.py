"""The containers: each healthchecked, not as root, read-only, with exactly the secrets that are its own."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger import catalogue, policies
from routing.load import load
from workers.environment import Role, secrets_of

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
ROLES = {
    "receiver": Role.RECEIVER,
    "dispatch": Role.DISPATCH,
    "urgent": Role.DELIVER,
    "deliver": Role.DELIVER,
    "remediate": Role.REMEDIATE,
    "evidence": Role.REMEDIATE,
    "prober": Role.PROBER,
    "console": Role.CONSOLE,
    "upkeep": Role.UPKEEP,
    "watchdog": Role.WATCHDOG,
}
OURS = [name for name in SERVICES if name != "redis"]
DEFAULTED = re.compile(r"_BASE_URL$|^TOCSIN_ALLOW_PRIVATE$")
"""Have a default in the configuration; a container need not be told."""
PROVIDER = re.compile(r"^TOCSIN_CONSOLE_OIDC_(?!CLIENT_SECRET$)")
"""Who says who people are: plain but for its secret."""
ADDRESSES = {"TOCSIN_FRONT_DOOR"}
"""A setting of ours that the configuration names as well."""


def settings_of(service: str) -> set[str]:
    """The variables a container gets that are no plain settings of ours."""
    plain = {
        "TOCSIN_REDIS_URL", "TOCSIN_RECEIVER_HOST", "TOCSIN_PUBLIC_URL", "TOCSIN_PROBES",
        "TOCSIN_CONSOLE_HOST", "TOCSIN_CONSOLE_URL",
    }  # fmt: skip
    named = set(SERVICES[service].get("environment", ())) - plain
    return {each for each in named if not PROVIDER.search(each)}


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "publish"])
def test_every_service_that_stays_is_healthchecked(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    assert SERVICES[name]["user"] not in {"", "0", "root"}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_cannot_write_to_themselves_or_gain_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ROLES)
def test_each_container_gets_the_secrets_the_supervisor_would_give_it(name: str) -> None:
    policy = load(policies.read_files(ROOT / "config"), catalogue.catalogue())
    table = secrets_of(ROLES[name], policy)
    given = settings_of(name)
    assert given - table - ADDRESSES == set(), "not its own"
    assert {each for each in table - given if not DEFAULTED.search(each)} == set(), "missing"


def test_every_role_has_its_containers() -> None:
    assert set(ROLES.values()) == set(Role)
    assert set(SERVICES) == {"redis", "publish", *ROLES}


def test_one_image_for_all() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {"tocsin"}


def test_only_who_needs_data_on_disk_has_it() -> None:
    """Bodies and phone numbers are in the archive, which the console reads; whom to reach without Redis is the watchdog's to know; dumps
    are written by who repairs.
    """
    mounts = {
        name: [
            each.partition(":")[0] for each in SERVICES[name]["volumes"] if not each.startswith("./config:")
        ]
        for name in OURS
    }
    assert {name: kept for name, kept in mounts.items() if kept} == {
        "console": ["archive"],
        "remediate": ["dumps"],
        "upkeep": ["archive"],
        "watchdog": ["watchdog"],
    }
    assert all("./config:/etc/tocsin:ro" in SERVICES[name]["volumes"] for name in OURS)


def test_redis_keeps_everything_on_disk() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--appendfsync always" in command
    assert "noeviction" in command
    assert any(volume.endswith(":/data") for volume in SERVICES["redis"]["volumes"])
