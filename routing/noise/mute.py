"""Mute: what holds a page back, whoever or whatever mutes."""

import msgspec

from routing.reason import Reason


class Mute(msgspec.Struct, frozen=True):
    """`key` is the silence's id, or like "maintenance/backup", "inhibition/site-down", "cause/INC-3"."""

    key: str
    until_at: int
    """When it ends; 0 where nobody can say, so that it is looked at again."""
    reason: Reason

    @property
    def name(self) -> str:
        return name_of(self.key)


def name_of(key: str) -> str:
    """As people call it: "silence s-1", "inhibition site-down"."""
    kind, _, name = key.partition("/")
    return f"{kind} {name}" if name else f"silence {kind}"
