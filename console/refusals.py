"""Why something asked for is not done, where a program wants to know which it was. For people all are one line.

A click.UsageError says that what was asked for makes no sense; any other click.ClickException that it cannot be done.
"""

import click


class Nowhere(click.ClickException):
    """Nothing is known by this name."""


class Clash(click.ClickException):
    """It makes sense, but not as things stand now."""


class Undecided(click.ClickException):
    """It is kept, and will be decided; nobody has done so yet. `entry` is its id in the log."""

    def __init__(self, message: str, entry: str) -> None:
        super().__init__(message)
        self.entry = entry
