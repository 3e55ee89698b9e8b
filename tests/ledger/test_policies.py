"""Policies in Redis: the last good one decides, whatever the files say later."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest
import redis

from ledger import log, policies
from ledger.catalogue import catalogue
from ledger.keys import Keys
from routing.entry import Lane, PolicySet, decode_entry
from routing.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "config"
ENV = dict.fromkeys(
    ("STRIPE_WEBHOOK_SECRET", "VERCEL_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN", "TOCSIN_ALERTS_TOKEN"), "secret"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(copytree(SHIPPED, tmp_path / "config"))


def test_a_good_policy_goes_into_force_once_and_by_an_entry(
    redis: redis.Redis, keys: Keys, folder: Path
) -> None:
    first = policies.settle(redis, keys, folder, ENV, catalogue())
    policies.settle(redis, keys, folder, ENV, catalogue())
    found = log.read(redis, keys, dict.fromkeys(Lane, "0"), 10, 0)
    entries = [decode_entry(raw) for _, raw in found.get(Lane.CONTROL, [])]
    assert [entry.version for entry in entries if isinstance(entry, PolicySet)] == [first.policy.version]
    assert policies.current(redis, keys) == first.policy


def test_bad_files_keep_the_last_good_policy_across_a_restart(
    redis: redis.Redis, keys: Keys, folder: Path
) -> None:
    good = policies.settle(redis, keys, folder, ENV, catalogue()).policy
    (folder / "routes.yaml").write_text("route: {escalation: nobody, group_by: [service]}\n")
    settled = policies.settle(redis, keys, folder, ENV, catalogue())
    assert settled.used_last_good
    assert settled.policy == good
    assert [fault.file for fault in settled.faults] == ["config/routes.yaml"]


def test_bad_files_without_any_good_policy_are_refused(
    redis: redis.Redis, keys: Keys, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError):
        policies.settle(redis, keys, tmp_path, ENV, catalogue())


def test_a_death_between_log_and_name_is_made_good_by_the_next_start(
    redis: redis.Redis, keys: Keys, folder: Path
) -> None:
    policies.settle(redis, keys, folder, ENV, catalogue())
    redis.hdel(keys.policy, "current")
    settled = policies.settle(redis, keys, folder, ENV, catalogue())
    found = log.read(redis, keys, dict.fromkeys(Lane, "0"), 10, 0)
    assert len(found[Lane.CONTROL]) == 2
    assert policies.current_version(redis, keys) == settled.policy.version


def test_a_new_release_that_knows_more_of_a_vendor_is_believed_without_a_new_entry(
    redis: redis.Redis, keys: Keys, folder: Path
) -> None:
    known = catalogue()
    ways = {**known.channels, "twilio_voice": replace(known.channels["twilio_voice"], voice=False)}
    policies.settle(redis, keys, folder, ENV, replace(known, channels=ways))
    policies.settle(redis, keys, folder, ENV, known)
    policy = policies.current(redis, keys)
    assert policy is not None
    assert policy.channels["voice"].voice
    assert len(log.read(redis, keys, dict.fromkeys(Lane, "0"), 10, 0)[Lane.CONTROL]) == 1


def test_no_secret_is_kept_with_a_policy(redis: redis.Redis, keys: Keys, folder: Path) -> None:
    policies.settle(redis, keys, folder, dict.fromkeys(ENV, "s3cr3t-value"), catalogue())
    assert "s3cr3t-value" not in str(redis.hvals(keys.policy))
