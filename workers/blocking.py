"""Whom a block may keep out: never who is not public, nor who is to be spared, in whatever form it is written.

An IPv4 address in IPv6 clothes (::ffff:8.8.8.8, also as a network) is the IPv4 address. The setting `never_block`
lists who is spared: our own addresses and networks, our monitoring's, those of who sends us webhooks.
"""

import ipaddress
from collections.abc import Iterable
from typing import Annotated

import orjson
from pydantic import BeforeValidator

from routing.entry import Outcome
from routing.errors import ActionError
from workers.addresses import Guard

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NOBODY = "none"
"""The word for an empty list: it says that somebody thought of it."""
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def network(text: str) -> Network:
    """An address counts as a network of one. Raises ValueError."""
    if "%" in text:
        raise ValueError(f"{text} names an interface of one machine")
    found = ipaddress.ip_network(text.strip())
    if isinstance(found, ipaddress.IPv6Network) and found.subnet_of(_MAPPED):
        first = int(found.network_address) & 0xFFFFFFFF
        return ipaddress.IPv4Network((first, found.prefixlen - _MAPPED.prefixlen))
    return found


def written(found: Network) -> str:
    alone = found.prefixlen == found.max_prefixlen
    return str(found.network_address) if alone else str(found)


def _spared(given: object) -> tuple[str, ...] | None:
    """None: nobody has said whom to spare. Raises ValueError, also for two items run together."""
    if given is None or given == "":
        return None
    if isinstance(given, str):
        given = [] if given.strip() == NOBODY else given.split(",")
    if not isinstance(given, Iterable):
        raise ValueError(f'write a list, or "{NOBODY}"')  # noqa: TRY004  # pydantic takes ValueErrors only
    return tuple(written(network(str(each))) for each in given)


Spared = Annotated[tuple[str, ...] | None, BeforeValidator(_spared)]
"""The setting `never_block`: a list, or the same in one text with commas; "none" is the empty one."""


def check(wanted: Network, setting: str | None, family: str) -> None:
    """Raises ActionError: REFUSED for who may not be blocked, PERMANENT when `setting` cannot be read."""
    ends = (wanted.network_address, wanted.broadcast_address)
    if not wanted.is_global or not all(Guard().allows(str(end)) for end in ends):
        raise _refused(f"{written(wanted)} is no public address: blocking it would hit what is our own")
    for each in _listed(setting, family):
        spared = network(each)
        if spared.version == wanted.version and spared.overlaps(wanted):
            raise _refused(f"{written(wanted)} is in {family}.never_block, as {each}")


def _listed(setting: str | None, family: str) -> tuple[str, ...]:
    """Of a step's setting, which is text: JSON where the configuration has a list."""
    place = f"{family}.never_block in config/actions.yaml"
    try:
        found = _spared(orjson.loads(setting) if setting and setting.startswith("[") else setting)
    except ValueError as error:
        raise ActionError(f"{error}; correct {place}", outcome=Outcome.PERMANENT) from error
    if found is None:
        fix = f'list your own addresses there, TOCSIN_NEVER_BLOCK does, or write "{NOBODY}"'
        raise _refused(f"{place} is not set: nobody has said whom to spare; {fix}")
    return found


def _refused(reason: str) -> ActionError:
    return ActionError(reason, outcome=Outcome.REFUSED)
