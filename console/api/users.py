"""Who may come in: added, invited, changed, disabled and removed, and where they are signed in."""

from functools import partial
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from console.api.declared import Asked, Operation
from console.api.serving import routes
from console.api.shapes import Free, Instant, Sent, Shape
from console.doing import people as doing
from console.doing.people import Wish
from console.refusals import Nowhere
from console.trust.acts import Act
from console.trust.guard import check
from console.trust.people import Doer, People
from console.trust.shown import session_row, user_row
from ledger import accounts

UserName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._@-]{0,63}$")]
RoleName = Literal["viewer", "responder", "admin"]
TeamName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Teams = Annotated[
    list[TeamName],
    Field(max_length=50, description="With `role`: of these alone; [] means of all."),
]
Grants = Annotated[
    dict[TeamName, Literal["viewer", "responder", "admin", "none"]],
    Field(
        max_length=100,
        description="Roles by team, instead of `role` and `teams`. `all` is for every team; `none` takes it back.",
    ),
]
Granted = Annotated[
    dict[str, str],
    Field(description="Every role, by team. `all` is that for every team, and for what concerns all."),
]
Contact = Annotated[
    str,
    StringConstraints(max_length=64),
    Field(description="Who they are in contacts.yaml; nobody: an empty text."),
]


class User(Shape):
    """`role`: the highest of `grants`; `teams`: for which, [] for all. `password`: whether one was set. `subject`: who
    they are to the provider.
    """

    name: str
    role: str
    teams: list[str]
    grants: Granted
    contact: str
    password: bool
    subject: str
    disabled: bool
    sessions: int
    created_at: Instant
    created_by: str


class Users(Shape):
    users: list[User]


class Adding(Sent):
    """A responder of all teams, unless it says otherwise."""

    name: UserName
    role: RoleName | None = None
    teams: Teams | None = None
    grants: Grants = {}
    contact: Contact = ""


class Changing(Sent):
    """What is left out stays."""

    role: RoleName | None = None
    teams: Teams | None = None
    grants: Grants = {}
    contact: Contact | None = None
    subject: Annotated[
        str | None,
        StringConstraints(max_length=600),
        Field(description="Who they are to the OpenID Connect provider: its issuer, a space, their `sub`."),
    ] = None


class Invited(Shape):
    """`link` is good once, for 24 hours: by it they set a password."""

    name: str
    link: str


class Session(Shape):
    id: str
    created_at: Instant
    expires_at: Instant
    address: str
    agent: str
    via: str


class Sessions(Shape):
    """Newest first."""

    sessions: list[Session]


class Ended(Shape):
    """How many there were."""

    ended: int


def people_of(asked: Asked) -> People:
    """Who acts on people, and now."""
    actor = asked.actor
    return People(asked.context.client, asked.context.keys, Doer(actor.name, actor.client), asked.now)


def named(asked: Asked) -> str:
    """The user that the path names. Raises Nowhere."""
    name = asked.path["user"]
    if accounts.user(asked.context.client, asked.context.keys, name) is None:
        raise Nowhere(f"no user {name[:100]!r}; see: tocsin users list")
    return name


def users(asked: Asked) -> Free:
    client, keys = asked.context.client, asked.context.keys
    return {"users": [user_row(client, keys, one) for one in accounts.users(client, keys)]}


def user(asked: Asked) -> Free:
    client, keys = asked.context.client, asked.context.keys
    one = accounts.user(client, keys, named(asked))
    if one is None:
        raise Nowhere("no such user any more")
    return user_row(client, keys, one)


def add(asked: Asked) -> Free:
    sent = asked.sent(Adding)
    wish = Wish(sent.role, sent.teams, sent.grants, sent.contact)
    return {
        "name": sent.name,
        "link": doing.add(asked.context, people_of(asked), sent.name, wish, asked.origin),
    }


def change(asked: Asked) -> Free:
    sent, name = asked.sent(Changing), named(asked)
    wish = Wish(sent.role, sent.teams, sent.grants, sent.contact, sent.subject)
    doing.change(asked.context, people_of(asked), name, wish, partial(check, asked.actor))
    return user(asked)


def invite(asked: Asked) -> Free:
    name = named(asked)
    return {"name": name, "link": doing.invite(people_of(asked), name, asked.origin)}


def disable(asked: Asked) -> Free:
    people_of(asked).disable(named(asked))
    return user(asked)


def enable(asked: Asked) -> Free:
    people_of(asked).enable(named(asked))
    return user(asked)


def remove(asked: Asked) -> None:
    people_of(asked).remove(named(asked))


def sessions(asked: Asked) -> Free:
    found = accounts.sessions(asked.context.client, asked.context.keys, named(asked))
    return {"sessions": [session_row(one) for one in found]}


def end_sessions(asked: Asked) -> Free:
    return {"ended": people_of(asked).end_sessions(named(asked))}


def end_session(asked: Asked) -> None:
    name, wanted = named(asked), asked.path["session"]
    there = accounts.sessions(asked.context.client, asked.context.keys, name)
    if wanted not in {each.id for each in there}:
        raise Nowhere(f"no session {wanted[:100]!r} of {name}; see: tocsin users sessions {name}")
    people_of(asked).end_sessions(name, only=wanted)


_GONE = (404,)
OPERATIONS = (
    Operation("GET", "/users", Act.GRANT, "List who may sign in, and as what.", users, Users),
    Operation("POST", "/users", Act.ADMIN_USERS, "Let somebody in, by a link through which they set a password.", add,
              Invited, body=Adding, status=201, secret=True),
    Operation("GET", "/users/{user}", Act.GRANT, "Show a user.", user, User, refusals=_GONE),
    Operation("PATCH", "/users/{user}", Act.GRANT, "Change what they may do, from their next request on.", change,
              User, body=Changing, reads=user, refusals=_GONE,
              description="An admin of some teams changes roles for those, and nothing else."),
    Operation("DELETE", "/users/{user}", Act.ADMIN_USERS, "Remove them, with their sessions and tokens.", remove,
              status=204, refusals=_GONE),
    Operation("POST", "/users/{user}/invite", Act.ADMIN_USERS, "Make a one-time link by which they set a password.",
              invite, Invited, secret=True, refusals=_GONE),
    Operation("POST", "/users/{user}/disable", Act.ADMIN_USERS, "Keep them out in every way, tokens included.",
              disable, User, refusals=_GONE),
    Operation("POST", "/users/{user}/enable", Act.ADMIN_USERS, "Let them in again.", enable, User,
              refusals=_GONE),
    Operation("GET", "/users/{user}/sessions", Act.ADMIN_USERS, "List where they are signed in.", sessions, Sessions,
              refusals=_GONE),
    Operation("DELETE", "/users/{user}/sessions", Act.ADMIN_USERS, "End all their sessions at once.",
              end_sessions, Ended, refusals=_GONE),
    Operation("DELETE", "/users/{user}/sessions/{session}", Act.ADMIN_USERS, "End one of their sessions at once.",
              end_session, status=204, refusals=_GONE),
)  # fmt: skip
ROUTES = routes(OPERATIONS)
