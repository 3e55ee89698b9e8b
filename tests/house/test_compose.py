"""The containers: each healthchecked, not as root, with no secret that is not its own."""

from pathlib import Path
from typing import Any

import pytest
import yaml

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROVIDERS = ("TWILIO_API", "SMTP_", "VERCEL_TOKEN")


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "publish"])
def test_every_service_is_healthchecked_and_not_root(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["user"] not in {"", "0", "root"}


def test_the_receiver_holds_no_providers_key_and_no_worker_a_verification_secret() -> None:
    assert not [name for name in SERVICES["receiver"]["environment"] if name.startswith(PROVIDERS)]
    for name in ("dispatch", "urgent", "deliver", "remediate", "watchdog", "upkeep"):
        assert not [
            each
            for each in SERVICES[name]["environment"]
            if "WEBHOOK" in each or each.endswith("ALERTS_TOKEN")
        ]


def test_redis_keeps_everything_on_disk() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--appendfsync always" in command
    assert "noeviction" in command
