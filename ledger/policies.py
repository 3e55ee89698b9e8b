"""Policies: read from files, kept in Redis by hash, put into force by an entry of the log.

Every process but the one that publishes reads the policy from Redis, so that all decide by the same one,
and a restart with bad files goes on with the last good one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson
import redis

from ledger import log
from ledger.clock import now_ms
from ledger.keys import Keys
from routing.catalogue import Catalogue
from routing.entry import Lane, PolicySet
from routing.errors import ConfigError, ConfigWarning, Fault
from routing.policy import Policy

PREFIX = "config"
PATTERNS = ("*.yaml", "runbooks/*.yaml", "templates/*.yaml")
TESTS = ("tests/*.yaml",)
"""Scenarios the policy is held against; they are no part of it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a start ended with. `faults` are of the files; with them the last good policy is used."""

    policy: Policy
    faults: tuple[Fault, ...]
    used_last_good: bool
    warnings: tuple[ConfigWarning, ...] = ()


def read_files(folder: Path) -> dict[str, str]:
    """The texts of a configuration folder, by names like "config/routes.yaml".

    Bytes that are not UTF-8 are kept as surrogates, for the loader to name their line. Raises ConfigError
    when there is no such folder.
    """
    if not folder.is_dir():
        fix = "set TOCSIN_CONFIG to the folder with tocsin.yaml"
        raise ConfigError([Fault(str(folder), 0, 0, "", "there is no such folder", fix)])
    return _texts(folder, PATTERNS)


def read_tests(folder: Path) -> dict[str, str]:
    """The texts of the folder's scenarios, by names like "config/tests/sunday-night.yaml"."""
    return _texts(folder, TESTS)


def _texts(folder: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    paths = sorted(path for pattern in patterns for path in folder.glob(pattern) if path.is_file())
    return {
        f"{PREFIX}/{path.relative_to(folder).as_posix()}": path.read_text("utf-8", errors="surrogateescape")
        for path in paths
    }


def publish(
    client: redis.Redis, keys: Keys, files: Mapping[str, str], catalogue: Catalogue, policy: Policy, by: str
) -> bool:
    """Put a compiled policy into force. False when it already is.

    Named as current only after its entry is in the log: whoever dies in between leaves a policy that the next
    start puts into force again, never one that is current and decides nothing.
    """
    kept = orjson.dumps({"files": dict(files), "catalogue": catalogue.facts()})
    # Also when it is current: a new release may know more of the same vendors.
    client.hset(keys.policy, policy.version, kept)
    if current_version(client, keys) == policy.version:
        return False
    log.append(client, keys, Lane.CONTROL, PolicySet(at=now_ms(), by=by, version=policy.version))
    client.hset(keys.policy, "current", policy.version)
    return True


def current_version(client: redis.Redis, keys: Keys) -> str:
    """The version in force, "" when none was ever published."""
    found = client.hget(keys.policy, "current")
    return found.decode() if isinstance(found, bytes) else ""


def current(client: redis.Redis, keys: Keys) -> Policy | None:
    """The policy in force."""
    version = current_version(client, keys)
    return by_version(client, keys, version) if version else None


def files_of(client: redis.Redis, keys: Keys, version: str) -> dict[str, str]:
    """The texts that a policy was made of, by names like "config/routes.yaml". Raises KeyError when it never was."""
    raw = client.hget(keys.policy, version)
    if not isinstance(raw, bytes):
        raise KeyError(version)
    files: dict[str, str] = orjson.loads(raw)["files"]
    return files


def by_version(client: redis.Redis, keys: Keys, version: str) -> Policy:
    """Any policy that was ever in force. Raises KeyError when it was not."""
    raw = client.hget(keys.policy, version)
    if not isinstance(raw, bytes):
        raise KeyError(version)
    return _compiled(raw)


@lru_cache(maxsize=8)
def _compiled(raw: bytes) -> Policy:
    from routing.load import load  # noqa: PLC0415  # see settle

    kept = orjson.loads(raw)
    return load(kept["files"], Catalogue.from_facts(kept["catalogue"]))


def settle(
    client: redis.Redis,
    keys: Keys,
    folder: Path,
    env: Mapping[str, str],
    catalogue: Catalogue,
    by: str = "supervisor",
) -> Settled:
    """Put the folder's policy into force, or go on with the last good one and say what is wrong.

    Raises ConfigError when the files are bad and there is no last good policy.
    """
    # The models of all files take a third of a second to make: only for who compiles, not for `tocsin status`.
    from routing.load import examine  # noqa: PLC0415

    try:
        files = read_files(folder)
        found = examine(files, catalogue, env)
    except ConfigError as error:
        last = current(client, keys)
        if last is None:
            raise
        return Settled(last, error.faults, used_last_good=True)
    publish(client, keys, files, catalogue, found.policy, by)
    return Settled(found.policy, (), used_last_good=False, warnings=found.warnings)
