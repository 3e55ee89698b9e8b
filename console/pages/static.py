"""Style sheets and scripts: our own and others', never of another host."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.serving.rendering import STATIC
from console.trust.acts import Act
from console.trust.guard import guarded

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_FOR_EVER = "public, max-age=31536000, immutable"


async def file(request: Request) -> Response:
    """Its address has its digest, where a page names it: so it may be kept for ever."""
    path = (STATIC / request.path_params["name"]).resolve()
    kind = _TYPES.get(path.suffix, "")
    if not path.is_relative_to(STATIC) or not kind or not path.is_file():
        raise HTTPException(404, "no such file")
    kept = _FOR_EVER if "v" in request.query_params else "no-cache"
    return Response(path.read_bytes(), media_type=kind, headers={"cache-control": kept})


ROUTES = [Route("/static/{name:path}", guarded(Act.PUBLIC, file))]
