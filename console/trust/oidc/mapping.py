"""What a person may do here, by what the provider says of them. Pure: claims in, roles by team out."""

import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

from console.trust.acts import Role
from console.trust.grants import Grants

MOST_GROUPS = 2_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def parsed(group: str, said: Any) -> Grants:
    """Of "responder of payments, platform". Raises ValueError."""
    if not isinstance(said, str) or not group:
        raise ValueError(f"{group!r} is given no role")
    name, of, rest = said.strip().partition(" of ")
    teams = frozenset(filter(None, map(str.strip, rest.split(","))))
    if name.strip() not in set(Role) or bool(of) != bool(teams):
        raise ValueError(
            f"{group!r} is given {said!r}, which is no role: viewer, responder, admin, and of which teams"
        )
    return Grants.limited(Role(name.strip()), teams)


def granted(groups: frozenset[str], grants: Mapping[str, Grants], others: Role | None) -> Grants | None:
    """What any of the groups gives: for each team the highest role. None: they are not let in."""
    mine = [grants[group] for group in groups & grants.keys()]
    if not mine:
        return Grants(others) if others else None
    return reduce(Grants.joined, mine)


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """By its whole name, else part by part: "realm_access.roles". None where there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def groups_of(found: Any) -> frozenset[str]:
    """A claim's groups: one, or a list of them. Whatever else it holds is none."""
    each = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return frozenset(one for one in each[:MOST_GROUPS] if isinstance(one, str))


def name_of(claims: Mapping[str, Any], path: str) -> str:
    """How they are to be called here; "" when the claim gives no name that will do.

    An address that the provider says is not theirs is no name.
    """
    found = claim(claims, path)
    if not isinstance(found, str) or (path == "email" and claims.get("email_verified") is False):
        return ""
    name = found.strip().lower()
    return name if _NAME.fullmatch(name) else ""
