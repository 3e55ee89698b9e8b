"""A backup on its way to a browser or a program, a piece at a time."""

from datetime import UTC, datetime

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from console.doing import backups
from console.doing.entries import Who
from console.serving.site import site_of

SAID = "tocsin-backup"
"""The header that says what is in it."""
MEDIA = "application/zip"


async def downloaded(request: Request, who: Who) -> Response:
    """Raises what `console.doing.backups.made` raises. Who only asks whether there is one gets none made."""
    if request.method == "HEAD":
        return Response(media_type=MEDIA)
    site = site_of(request)
    found = await to_thread.run_sync(backups.made, site.context, who, limiter=site.acting)
    day = datetime.fromtimestamp(site.now() / 1000, UTC).strftime("%Y-%m-%d")
    headers = {
        "content-length": str(found.size), "content-disposition": f"attachment; filename=tocsin-{day}.backup",
        "cache-control": "no-store", SAID: found.said,
    }  # fmt: skip
    return _Download(found, headers)


class _Download(StreamingResponse):
    """Closes the file however it ends: whoever listens may go away before the first piece."""

    def __init__(self, found: backups.Made, headers: dict[str, str]) -> None:
        super().__init__(found.parts(), headers=headers, media_type=MEDIA)
        self._found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._found.file:
            await super().__call__(scope, receive, send)
