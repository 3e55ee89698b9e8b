"""A server of HTTP that ends when it is told to."""

import asyncio

import uvicorn


class PromptServer(uvicorn.Server):
    """Sees within milliseconds that it is to end; uvicorn looks ten times a second."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110  # a plain bool of uvicorn's
            await asyncio.sleep(0.005)
