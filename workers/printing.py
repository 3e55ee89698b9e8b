"""Lines of the supervisor and of its children, each with who says it."""

import threading
from contextlib import suppress

import click

WIDTH = 10

_talking = threading.Lock()


def say(who: str, line: str) -> None:
    """Print it. The terminal may be gone; that is no reason to stop."""
    with _talking, suppress(OSError):
        click.echo(f"{who:<{WIDTH}} | {line}")
