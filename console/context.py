"""The way from a command to what is stored, and a clear word when nothing runs there."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import click
import redis
from redis.exceptions import NoPermissionError

from ledger.connection import connect
from ledger.keys import Keys
from ledger.policies import current
from ledger.settings import LedgerSettings, from_env
from ledger.views.store import Store
from routing.policy import Policy


@dataclass(frozen=True)
class Context:
    """One command's view of a running Tocsin."""

    settings: LedgerSettings
    client: redis.Redis
    keys: Keys

    @property
    def archive(self) -> Path:
        return self.settings.archive

    @cached_property
    def store(self) -> Store:
        """Where the read side reads."""
        return Store(self.client, self.keys, self.archive)

    @cached_property
    def policy(self) -> Policy:
        """The policy that decides now. Raises click.ClickException when none was ever published."""
        found = current(self.client, self.keys)
        if found is None:
            raise click.ClickException(
                "no configuration is live yet; run `tocsin check`, mend what it lists, then: make up"
            )
        return found


ANSWER_S = 10.0


def settings_of_environment() -> LedgerSettings:
    """Raises click.UsageError naming the variable that cannot be read."""
    try:
        return from_env()
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def connected(*, answer_timeout_s: float = ANSWER_S) -> Context:
    """Connect as the environment says. Raises click.ClickException, naming the fix, when nothing answers."""
    settings = settings_of_environment()
    try:
        client = connect(settings, answer_timeout_s=answer_timeout_s)
        client.ping()
    except ValueError as error:
        raise click.UsageError(f"TOCSIN_REDIS_URL cannot be read: {error}") from error
    except (redis.AuthenticationError, NoPermissionError) as error:
        raise click.ClickException(
            f"{place(settings)} refused our credentials; check TOCSIN_REDIS_URL"
        ) from error
    except (redis.RedisError, OSError) as error:
        raise click.ClickException(nothing_runs(settings)) from error
    return Context(settings, client, Keys())


def nothing_runs(settings: LedgerSettings) -> str:
    return f"nothing runs at {place(settings)}; start it with: make up"


def place(settings: LedgerSettings) -> str:
    """Where the store is expected, without its password."""
    if not settings.redis_url:
        return f"{settings.data_dir} (the embedded server)"
    parts = urlsplit(settings.redis_url)
    return f"{parts.hostname or parts.path}{f':{parts.port}' if parts.port else ''} (TOCSIN_REDIS_URL)"
