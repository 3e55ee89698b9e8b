"""What is shown to one person once: a token, a link. Kept in memory for a minute, in no address and no log."""

from collections.abc import Callable
from dataclasses import dataclass, field

from routing.instant import MINUTE

_MOST = 100


@dataclass(slots=True)
class ShownOnce:
    """`now` gives ms since the epoch. By session: each sees its own."""

    now: Callable[[], int]
    _kept: dict[str, tuple[int, str]] = field(default_factory=dict)

    def keep(self, session: str, secret: str) -> None:
        while len(self._kept) >= _MOST:
            self._kept.pop(next(iter(self._kept)))
        self._kept[session] = (self.now() + MINUTE, secret)

    def take(self, session: str) -> str:
        """What was kept, or "" when there is nothing, or it was seen."""
        until, secret = self._kept.pop(session, (0, ""))
        return secret if until > self.now() else ""
