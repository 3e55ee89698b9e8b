"""What `tocsin check` asks of the database, where one answers: who was never shown to be reached."""

import click
import redis

from console.contacts import proven
from console.context import connected
from routing.errors import ConfigWarning
from routing.policy import Policy
from routing.warnings import unverified

PATIENCE_S = 2.0
"""A check of files is not kept waiting by a database that hangs."""


def never_verified(policy: Policy) -> tuple[list[ConfigWarning], str]:
    """A warning for each contact; or why the database could not be asked, for the files are checked without it."""
    try:
        return list(unverified(policy, proven(connected(answer_timeout_s=PATIENCE_S)))), ""
    except click.ClickException as error:
        return [], f"no database reachable: {error.message}"
    except redis.RedisError as error:
        return [], f"no database reachable: {error}"
