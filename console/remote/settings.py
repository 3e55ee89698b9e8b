"""Which console the command line talks to, where it does not talk to the store."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import click

_ENVIRON = os.environ  # noqa: TID251  # settings modules are where the environment is read
URL, TOKEN = "TOCSIN_CONSOLE_URL", "TOCSIN_CONSOLE_TOKEN"  # the names of variables


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`token` is kept out of `repr()`."""

    url: str
    token: str = field(repr=False)

    def checked(self) -> "Elsewhere":
        """As it is, where it can be asked. Raises click.UsageError."""
        if not self.token:
            raise click.UsageError(
                f"--console needs a token: set {TOKEN}; whoever runs it makes one: tocsin tokens create"
            )
        if not self.url.startswith(("http://", "https://")):
            raise click.UsageError(
                f"{TOKEN} is set, and no console: set {URL}, or --console https://console.example.com"
            )
        return self


def elsewhere(given: str, environ: Mapping[str, str] = _ENVIRON) -> Elsewhere | None:
    """`given`: what `--console` says. None: the store is asked, as it is where no token is set.

    `TOCSIN_CONSOLE_URL` alone is for the console itself: how browsers reach it.
    """
    token = environ.get(TOKEN, "").strip()
    url = (given or environ.get(URL, "")).strip().rstrip("/")
    return Elsewhere(url, token) if given or token else None
