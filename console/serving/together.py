"""Looking together: who asks for the same page at the same time gets one answer, as news reaches everybody at once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Together:
    """An answer is of what was read after it was asked for: who comes while one is being made waits for the next."""

    _making: dict[Hashable, asyncio.Task[str]] = field(default_factory=dict)
    _next: dict[Hashable, asyncio.Task[str]] = field(default_factory=dict)

    async def ask(self, same: Hashable, make: Callable[[], Awaitable[str]]) -> str:
        """What `make` answers, or what that of somebody else does who asks for the same. Raises what it raises."""
        waiting = self._next.get(same)
        if waiting is None:
            waiting = asyncio.create_task(self._after(self._making.get(same), same, make))
            self._next[same] = waiting
        return await asyncio.shield(waiting)  # whoever goes away takes it from nobody

    async def _after(
        self, before: asyncio.Task[str] | None, same: Hashable, make: Callable[[], Awaitable[str]]
    ) -> str:
        if before is not None:
            await asyncio.wait([before])
        me = self._making[same] = self._next.pop(same)
        try:
            return await make()
        finally:
            if self._making.get(same) is me:
                del self._making[same]
