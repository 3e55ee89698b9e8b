"""What `tocsin check` asks of the database, where one answers: who was never shown to be reached, or wants nothing."""

import click
import redis

from console.context import connected
from console.reaching import proven
from routing.errors import ConfigWarning
from routing.policy import Policy
from routing.warnings import stopped, unverified

PATIENCE_S = 2.0
"""A check of files is not kept waiting by a database that hangs."""


def never_verified(policy: Policy) -> tuple[list[ConfigWarning], str]:
    """A warning for each contact and each closed way; or why the database was not asked: files are checked without."""
    try:
        known = proven(connected(answer_timeout_s=PATIENCE_S))
        return [*unverified(policy, known), *stopped(policy, known)], ""
    except click.ClickException as error:
        return [], f"no database reachable: {error.message}"
    except redis.RedisError as error:
        return [], f"no database reachable: {error}"
