"""The configuration as it ships, and ways to spoil it one fault at a time."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ledger import policies
from ledger.catalogue import catalogue
from routing.catalogue import Catalogue
from routing.errors import ConfigError, Fault
from routing.load import load
from routing.policy import Policy

FOLDER = Path(__file__).parents[2] / "config"
SECRETS = ("STRIPE_WEBHOOK_SECRET", "VERCEL_WEBHOOK_SECRET", "ALERTMANAGER_TOKEN", "TOCSIN_ALERTS_TOKEN")


@cache
def vendors() -> Catalogue:
    return catalogue()


def files() -> dict[str, str]:
    return policies.read_files(FOLDER)


@cache
def policy() -> Policy:
    return load(files(), vendors())


def spoilt(name: str, old: str, new: str) -> dict[str, str]:
    """The files with one text replaced, once."""
    found, key = files(), f"config/{name}"
    assert old in found[key], f"{name} does not hold {old!r}"
    return {**found, key: found[key].replace(old, new, 1)}


def line_of(name: str, text: str, of: Mapping[str, str] | None = None) -> int:
    """The line of a file that holds a text first, from 1."""
    lines = (of or files())[f"config/{name}"].split("\n")
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def faults(of: Mapping[str, str], env: Mapping[str, str] | None = None) -> tuple[Fault, ...]:
    """Every fault; none when it loads."""
    try:
        load(of, vendors(), env)
    except ConfigError as error:
        return error.faults
    return ()
