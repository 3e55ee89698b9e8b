"""Everything Tocsin knows, in one file. What is in it is for admins, who keep it as they keep the database."""

from starlette.requests import Request
from starlette.responses import Response

from console.api.asking import query_of
from console.api.declared import WAIT_S, Asked, Operation
from console.api.problems import Problem, problem_of
from console.api.serving import routes
from console.doing.entries import API, Who
from console.serving.download import downloaded
from console.trust.acts import Act
from console.trust.guard import known


async def backup(request: Request) -> Response:
    """As a ZIP archive; the header `tocsin-backup` says what is in it."""
    actor = await known(request)
    try:
        query_of(request, None)
        return await downloaded(request, Who(actor.name, actor.client, API, WAIT_S, actor.contact))
    except Exception as error:
        problem: Problem | None = problem_of(error)
        if problem is None:
            raise
        return problem.response()


def _as_file(asked: Asked) -> None:
    """It is served by `backup`, a piece at a time."""


OPERATIONS = (
    Operation(
        "GET", "/backup", Act.BACKUP, "Everything in one file, made while all goes on.", _as_file,
        media="application/zip", streams=True, refusals=(409,),
        description="It holds request bodies, phone numbers and mail addresses, links that acknowledge, and what "
        "passwords, sessions and tokens are checked against; no key of a vendor. `tocsin restore` reads it. One is "
        "made at a time.",
    ),
)  # fmt: skip
ROUTES = routes(OPERATIONS, backup)
