"""Tokens, and what people did that no entry of the log says. A secret is shown once: to whoever made it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Free, Instant, Length, Paged, Sent, Shape
from console.api.users import Granted, Grants, RoleName, Teams, people_of
from console.doing import people as doing
from console.doing.people import Wish
from console.refusals import Nowhere
from console.trust.acts import Act, Scope
from console.trust.guard import Refused
from console.trust.shown import token_row
from ledger import accounts
from ledger.position import is_stream_id
from ledger.views.times import iso
from routing import duration
from routing.instant import DAY

LONGEST_MS = 366 * DAY


class Token(Shape):
    """`user` "" where it stands for itself."""

    id: str
    name: str
    user: str
    role: str
    teams: list[str]
    grants: Granted
    scopes: list[str]
    per_minute: int
    expires_at: Instant
    expired: bool
    created_at: Instant
    created_by: str


class Tokens(Shape):
    """Newest first."""

    tokens: list[Token]


class Making(Sent):
    """`user`: whose it is; it can do no more than they may, and ends with them. "" where it stands for itself.

    A responder of all teams, unless it says otherwise.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    scopes: Annotated[
        list[Literal["read", "incidents", "dead", "oncall", "runbooks", "sources", "admin"]],
        Field(min_length=1, max_length=10),
    ]
    role: RoleName | None = None
    user: Annotated[str, StringConstraints(max_length=64)] = ""
    teams: Teams | None = None
    grants: Grants = {}
    length: Annotated[Length, Field(alias="for", description="How long it lives; a year at most.")] = "90d"
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 600


class Made(Shape):
    """`token` is shown this once: only its digest is kept."""

    id: str
    token: str
    expires_at: Instant


class Line(Shape):
    at: Instant
    by: str
    what: str
    client: str


class Audit(Shape):
    """Newest first. `after` "" is the last page."""

    audit: list[Line]
    after: str


def tokens(asked: Asked) -> Free:
    found = accounts.tokens(asked.context.client, asked.context.keys)
    return {"tokens": [token_row(one, asked.now) for one in found]}


def make(asked: Asked) -> Free:
    sent = asked.sent(Making)
    until = asked.now + _length(sent.length)
    _check_maker(asked, sent, until)
    if sent.user and accounts.user(asked.context.client, asked.context.keys, sent.user) is None:
        raise Problem(422, f"body.user: no user {sent.user!r}", "see /users")
    reading = asked.actor.scopes & {Scope.READ.value}
    token, secret = doing.make_token(
        asked.context, people_of(asked), sent.name, {*sent.scopes, *reading}, Wish(sent.role, sent.teams, sent.grants),
        until, user=sent.user, per_minute=sent.per_minute,
    )  # fmt: skip
    return {"id": token.id, "token": secret, "expires_at": iso(until)}


def _length(text: str) -> int:
    """In ms. Raises Problem."""
    found = duration.parse(text)
    if not 0 < found <= LONGEST_MS:
        raise Problem(422, "body.for: a token lives at most a year", "write for example 90d")
    return found


def _check_maker(asked: Asked, sent: Making, until: int) -> None:
    """A token makes none that may more than it may, or lives longer: it would never end. Raises Refused."""
    if asked.actor.way != "token":
        return
    if more := set(sent.scopes) - asked.actor.scopes:
        raise Refused(f"this token lacks the scope {', '.join(sorted(more))}", "ask for no more than it has")
    found = accounts.tokens(asked.context.client, asked.context.keys)
    ends = next((one.expires_at for one in found if one.id == asked.actor.id), 0)
    if until > ends:
        raise Refused(
            f"this token ends at {iso(ends)}, and makes none that lives longer", "give a shorter time"
        )


def revoke(asked: Asked) -> None:
    name, people = asked.path["id"], people_of(asked)
    if not any(each.id == name for each in accounts.tokens(people.client, people.keys)):
        raise Nowhere(f"no token {name[:100]!r}; see: tocsin tokens list")
    people.end_token(name)


def audit(asked: Asked) -> Free:
    wants = asked.queried(Paged)
    if wants.after and not is_stream_id(wants.after):
        raise Problem(422, "query.after: this is no place in the audit", "pass `after` of the page before")
    found = accounts.audited(asked.context.client, asked.context.keys, wants.limit, wants.after)
    lines = [
        {"at": iso(each.at), "by": each.by, "what": each.what, "client": each.client} for _, each in found
    ]
    return {"audit": lines, "after": found[-1][0] if len(found) == wants.limit else ""}


OPERATIONS = (
    Operation("GET", "/tokens", Act.ADMIN_TOKENS, "List tokens, never their secrets.", tokens, Tokens),
    Operation("POST", "/tokens", Act.ADMIN_TOKENS, "Make a token; it is shown in this answer alone.", make, Made,
              body=Making, status=201, secret=True),
    Operation("DELETE", "/tokens/{id}", Act.ADMIN_TOKENS, "End a token at once.", revoke, None, status=204,
              refusals=(404,)),
    Operation("GET", "/audit", Act.AUDIT, "What people did that no entry of the log says.", audit, Audit, Paged),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
