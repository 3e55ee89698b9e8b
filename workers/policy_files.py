"""Watching the configuration: what is good goes into force, what is bad is said, all of it, and changes nothing."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import redis
from redis.exceptions import RedisError

from ledger import policies
from ledger.catalogue import catalogue
from ledger.keys import Keys
from routing.errors import ConfigError, Fault
from routing.policy import Policy

EVERY_S: Final = 2.0


class PolicyFiles:
    """The folder against what is in force. Compared by content: editors and ConfigMaps replace files."""

    def __init__(
        self,
        client: redis.Redis,
        keys: Keys,
        folder: Path,
        env: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._keys = keys
        self._folder = folder
        self._env = env
        self._say = say
        self._catalogue = catalogue()
        self._seen: object = None
        self._looked_at = float("-inf")

    def settle(self) -> Policy:
        """At the start. Raises ConfigError when the files are bad and nothing was ever in force."""
        self._seen = self._content()
        settled = policies.settle(self._client, self._keys, self._folder, self._env, self._catalogue)
        self._tell(settled)
        return settled.policy

    def look(self, *, now: bool = False) -> Policy | None:
        """The policy when a new one went into force; otherwise None. Looks every two seconds, or `now`."""
        if not now and time.monotonic() - self._looked_at < EVERY_S:
            return None
        self._looked_at = time.monotonic()
        content = self._content()
        if content == self._seen and not now:
            return None
        try:
            settled = policies.settle(self._client, self._keys, self._folder, self._env, self._catalogue)
        except ConfigError as error:
            self._refuse(error.faults)
            self._seen = content
            return None
        except RedisError as error:
            self._say(f"the changed configuration could not be stored yet: {error}")
            return None
        self._seen = content
        self._tell(settled)
        return None if settled.used_last_good else settled.policy

    def _content(self) -> object:
        try:
            return policies.read_files(self._folder)
        except (ConfigError, OSError) as error:
            return str(error)

    def _tell(self, settled: policies.Settled) -> None:
        if settled.used_last_good:
            self._refuse(settled.faults)
            self._say(f"the last good policy, {settled.policy.version[:12]}, stays in force")
        else:
            self._say(f"policy {settled.policy.version[:12]} of {self._folder}/ is in force")
        for warning in settled.warnings:
            self._say(str(warning))

    def _refuse(self, faults: tuple[Fault, ...]) -> None:
        many = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        self._say(f"the configuration has {many} and is not used:")
        for fault in faults:
            self._say(f"  {fault}")
