"""A server of HTTP that ends when it is told to."""

import asyncio
from collections.abc import Callable
from functools import partial

import uvicorn


class PromptServer(uvicorn.Server):
    """Is woken when it is to end; uvicorn looks ten times a second."""

    _wake: Callable[[], object] | None = None

    @property
    def should_exit(self) -> bool:
        return self._ends

    @should_exit.setter
    def should_exit(self, ends: bool) -> None:
        self._ends = ends
        if wake := self._wake:
            wake()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        woken = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, woken.set)
        while not self.should_exit:
            await woken.wait()
            woken.clear()
        self._wake = None  # the loop ends, and may not be called
