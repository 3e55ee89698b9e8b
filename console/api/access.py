"""Who may come in: people, tokens, and what they did that no entry of the log says. Never a secret."""

from console.api.declared import Asked, Operation
from console.api.problems import Problem
from console.api.serving import routes
from console.api.shapes import Free, Instant, Paged, Shape
from console.refusals import Nowhere
from console.trust.acts import Act
from console.trust.people import Doer, People
from ledger import accounts
from ledger.position import is_stream_id
from ledger.views.times import iso


class User(Shape):
    """`teams` [] means all of them. `password`: whether one was set."""

    name: str
    role: str
    teams: list[str]
    contact: str
    password: bool
    sessions: int
    created_at: Instant
    created_by: str


class Users(Shape):
    users: list[User]


class Token(Shape):
    """`user` "" where it stands for itself."""

    id: str
    name: str
    user: str
    role: str
    teams: list[str]
    scopes: list[str]
    per_minute: int
    expires_at: Instant
    expired: bool
    created_at: Instant
    created_by: str


class Tokens(Shape):
    """Newest first."""

    tokens: list[Token]


class Line(Shape):
    at: Instant
    by: str
    what: str
    client: str


class Audit(Shape):
    """Newest first. `after` "" is the last page."""

    audit: list[Line]
    after: str


def users(asked: Asked) -> Free:
    client, keys = asked.context.client, asked.context.keys
    return {
        "users": [
            {"name": one.name, "role": one.role, "teams": one.teams, "contact": one.contact,
             "password": bool(one.password), "sessions": len(accounts.sessions(client, keys, one.name)),
             "created_at": iso(one.created_at), "created_by": one.created_by}
            for one in accounts.users(client, keys)
        ]
    }  # fmt: skip


def tokens(asked: Asked) -> Free:
    return {
        "tokens": [
            {"id": one.id, "name": one.name, "user": one.user, "role": one.role, "teams": one.teams,
             "scopes": one.scopes, "per_minute": one.per_minute, "expires_at": iso(one.expires_at),
             "expired": one.expires_at <= asked.now, "created_at": iso(one.created_at), "created_by": one.created_by}
            for one in accounts.tokens(asked.context.client, asked.context.keys)
        ]
    }  # fmt: skip


def revoke(asked: Asked) -> None:
    client, keys, name = asked.context.client, asked.context.keys, asked.path["id"]
    if not any(each.id == name for each in accounts.tokens(client, keys)):
        raise Nowhere(f"no token {name[:100]!r}; see: tocsin tokens list")
    People(client, keys).end_token(name, Doer(asked.who.name, asked.who.client), asked.now)


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
    Operation("GET", "/users", Act.ADMIN_USERS, "List who may sign in, and as what.", users, Users),
    Operation("GET", "/tokens", Act.ADMIN_TOKENS, "List tokens, never their secrets.", tokens, Tokens),
    Operation("DELETE", "/tokens/{id}", Act.ADMIN_TOKENS, "End a token at once.", revoke, None, status=204,
              refusals=(404,)),
    Operation("GET", "/audit", Act.AUDIT, "What people did that no entry of the log says.", audit, Audit, Paged),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
