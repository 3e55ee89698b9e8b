"""Grants: which role somebody has, for all teams and for some. They add up: what counts is the highest."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import click

from console.trust.acts import Role
from ledger.accounts import Token, User

ALL = "all"
"""In place of a team: every one of them."""
NONE = "none"
"""In place of a role: what was given for a team is taken back."""


@dataclass(frozen=True, slots=True)
class Grants:
    """`everywhere`: for every team, and for what concerns all of them. `own`: by team, never less than that.

    Whoever has any looks at everything, so for other teams than their own they are viewers at least.
    """

    everywhere: Role = Role.VIEWER
    own: tuple[tuple[str, Role], ...] = ()

    @classmethod
    def of(cls, everywhere: Role, teams: Mapping[str, Role]) -> "Grants":
        """Without what adds nothing; no team is called "all"."""
        kept = {team: role for team, role in teams.items() if team != ALL and _adds(role, everywhere)}
        return cls(everywhere, tuple(sorted(kept.items())))

    @classmethod
    def limited(cls, role: Role, teams: Collection[str]) -> "Grants":
        """The role for these teams; for all where none is named, or "all"."""
        return cls.of(Role.VIEWER, dict.fromkeys(teams, role)) if teams and ALL not in teams else cls(role)

    @property
    def teams(self) -> dict[str, Role]:
        return dict(self.own)

    @property
    def highest(self) -> Role:
        return _highest(self.everywhere, *self.teams.values())

    def role_for(self, team: str) -> Role:
        """What belongs to no team ("") is anybody's to take."""
        return self.teams.get(team, self.everywhere) if team else self.highest

    def joined(self, other: "Grants") -> "Grants":
        """What either gives."""
        teams = {team: _highest(self.role_for(team), other.role_for(team)) for team in self._named(other)}
        return Grants.of(_highest(self.everywhere, other.everywhere), teams)

    def met(self, other: "Grants") -> "Grants":
        """What both give."""
        teams = {team: _least(self.role_for(team), other.role_for(team)) for team in self._named(other)}
        return Grants.of(_least(self.everywhere, other.everywhere), teams)

    def unlike(self, other: "Grants") -> set[str]:
        """Teams of which either says something that the other does not."""
        return {team for team in self._named(other) if self.teams.get(team) is not other.teams.get(team)}

    def changed(self, given: Mapping[str, str]) -> "Grants":
        """With these roles by team; the others stay. Raises click.UsageError: it is no role, or takes nothing away."""
        everywhere = _role(ALL, given[ALL]) if ALL in given else self.everywhere
        teams = self.teams
        for team, said in given.items():
            if team == ALL:
                continue
            if said == NONE:
                teams.pop(team, None)
                continue
            teams[team] = role = _role(team, said)
            if not role.allows(everywhere):
                took = f"{team}={role} takes nothing from who is {everywhere} of all teams"
                raise click.UsageError(f"{took}; give {ALL}={role} as well")
        return Grants.of(everywhere, teams)

    @property
    def pair(self) -> tuple[Role, list[str]]:
        """The highest role, and the teams it is for; [] for all. It leaves out what is less."""
        role = self.highest
        if role is self.everywhere and role is not Role.VIEWER:
            return role, []
        return role, [team for team, each in self.own if each is role]

    @property
    def is_pair(self) -> bool:
        """Whether the highest role and its teams are all there is to say."""
        return Grants.limited(*self.pair) == self

    def __str__(self) -> str:
        """For people: "admin of platform; responder of payments, shop"."""
        by_role = {role: [team for team, each in self.own if each is role] for role in reversed(Role)}
        said = [f"{role} of {', '.join(teams)}" for role, teams in by_role.items() if teams]
        floor = self.everywhere is Role.VIEWER and said
        return "; ".join(said if floor else [*said, f"{self.everywhere} of all teams"])

    def _named(self, other: "Grants") -> set[str]:
        return self.teams.keys() | other.teams.keys()


def kept(one: User | Token) -> Grants:
    """As it is stored, by this release or the one before: that knew one role, of all teams or of some."""
    role = Role(one.role)
    if one.teams:
        return Grants.of(Role.VIEWER, dict.fromkeys(one.teams, role))
    return Grants.of(role, {team: Role(each) for team, each in one.grants.items()})


def stored(grants: Grants) -> dict[str, Any]:
    """The fields of a User or a Token. A release that knows no role by team reads the role for all."""
    return {
        "role": grants.everywhere.value, "teams": [], "grants": {team: role.value for team, role in grants.own},
    }  # fmt: skip


def row(grants: Grants) -> dict[str, Any]:
    """As programs are shown it. `role` and `teams` say what is highest, `grants` everything."""
    role, teams = grants.pair
    return {
        "role": role.value, "teams": teams,
        "grants": {ALL: grants.everywhere.value, **{team: each.value for team, each in grants.own}},
    }  # fmt: skip


def wished(
    before: Grants | None, role: str | None, teams: Collection[str] | None, given: Mapping[str, str]
) -> Grants | None:
    """What somebody shall have: one role, for some teams or all, or role by team. None: nothing was said of it.

    `before`: what they have; None for who is new, and a responder where no role is named. Raises click.UsageError.
    """
    if given and (role or teams is not None):
        raise click.UsageError(
            f"give a role and its teams, or roles by team; not both (team {ALL!r} is all of them)"
        )
    if given:
        return (before or Grants()).changed(given)
    if role is None and teams is None:
        return None
    if before and not before.is_pair and (role is None or teams is None):
        raise click.UsageError(f"there is more than one role: {before}; give roles by team")
    had, of = before.pair if before else (Role.RESPONDER, [])
    return Grants.limited(_role(ALL, role) if role else had, of if teams is None else teams)


def _adds(role: Role, everywhere: Role) -> bool:
    """Everybody looks; of which teams somebody is a viewer is kept all the same, for when they are given more."""
    return everywhere is Role.VIEWER or not everywhere.allows(role)


def _role(team: str, said: str) -> Role:
    if said not in set(Role):
        raise click.UsageError(f"{team}={said}: no role; there are {', '.join(Role)}")
    return Role(said)


def _highest(*roles: Role) -> Role:
    return max(roles, key=list(Role).index)


def _least(*roles: Role) -> Role:
    return min(roles, key=list(Role).index)
