"""Who acts: recorded with everything a person changes."""

import getpass
from collections.abc import Callable
from typing import Any

import click


def os_user() -> str:
    """The operating system's user; "unknown" in a container that has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


acting: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--as", "by", default=os_user, metavar="WHO", help="Who acts. Default: the operating system's user."
)
