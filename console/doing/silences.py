"""Whose alerts somebody may mute."""

from collections.abc import Sequence

from console.trust.actor import Actor
from console.trust.acts import Act
from console.trust.guard import Refused
from routing.language.matchers import Matcher


def check_whose(actor: Actor, wanted: Sequence[Matcher]) -> None:
    """Who acts for some teams mutes theirs alone, and a matcher has to say so. Raises Refused."""
    if mutes_all(actor) or any(
        each.name == "team" and each.op == "=" and actor.may(Act.SILENCE, each.value) for each in wanted
    ):
        return
    mine = next((team for team, _ in actor.grants.own if actor.may(Act.SILENCE, team)), "")
    raise Refused(
        f"{actor.name} is {actor.grants}; this could mute alerts of others", f'add the matcher team="{mine}"'
    )


def mutes_all(actor: Actor) -> bool:
    """Whether they may mute alerts of any team."""
    return Act.SILENCE.role is None or actor.grants.everywhere.allows(Act.SILENCE.role)
