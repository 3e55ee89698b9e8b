"""Users and what opens the door to them, made and ended: for the command line and the pages alike."""

import re
import secrets
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import redis

from console.trust.acts import Role, Scope
from console.trust.grants import Grants, kept, stored
from ledger import accounts
from ledger.accounts import Audited, Session, Token, User
from ledger.keys import Keys
from routing.errors import TocsinError
from routing.instant import DAY
from routing.record import Record

R = TypeVar("R", bound=Record)

SESSION_MS = 30 * DAY
"""Who is on call should not have to type a password at night: a session can be revoked at any time."""
INVITATION_MS = DAY
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class Mistaken(TocsinError):
    """What was asked for cannot be; says what to do."""


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts, and how and from where: "" from the command line."""

    name: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Everything that changes who may do what: somebody does so, now (ms). Each change leaves a line in the audit."""

    client: redis.Redis
    keys: Keys
    by: Doer
    now: int

    def add(self, name: str, grants: Grants, contact: str = "", *, subject: str = "") -> User:
        """`subject`: whom the provider knows them as. Raises Mistaken when the name will not do, or is taken."""
        if not _NAME.fullmatch(name):
            raise Mistaken(f"no name: {name!r}; use a-z, 0-9 and . _ @ -, at most 64")
        one = User(
            name=name, contact=contact, created_at=self.now, created_by=self.by.name,
            changed_at=self.now, subject=subject, **stored(grants),
        )  # fmt: skip
        if not accounts.add_user(self.client, self.keys, one):
            raise Mistaken(_taken(name, subject))
        self._audit(f"added {name} as {grants}")
        return one

    def change(
        self, name: str, *, grants: Grants | None = None, contact: str | None = None, subject: str | None = None
    ) -> User:  # fmt: skip
        """What is None stays. Raises Mistaken when nobody has the name, or the last admin would be gone."""
        more = stored(grants) if grants else {}

        def made(one: User) -> User:
            if subject and (other := self.by_subject(subject)) and other.name != name:
                raise Mistaken(f"{other.name} is {subject!r} already; remove them first")
            return _replaced(one, contact=contact, subject=subject, changed_at=self.now, **more)

        changed = self._change(name, made)
        self._audit(f"made {name} {kept(changed)}")
        return changed

    def grant(self, name: str, grants: Grants) -> None:
        """What the provider says they may; it may take that from the last admin too. Raises Mistaken as `known`."""
        if kept(self.known(name)) == grants:
            return
        self._change(name, lambda one: _replaced(one, changed_at=self.now, **stored(grants)), bereaves=True)
        self._audit(f"made {name} {grants}")

    def disable(self, name: str) -> None:
        """Nothing lets them in any more: password, provider, session, token. Raises Mistaken as `change` does."""
        if self.known(name).disabled_at:
            return
        self._change(name, lambda one: _replaced(one, disabled_at=self.now))
        accounts.end_sessions(self.client, self.keys, name)
        self._audit(f"disabled {name}")

    def enable(self, name: str) -> None:
        """What let them in does so again, but for the sessions that ended. Raises Mistaken."""
        if not self.known(name).disabled_at:
            return
        self._change(name, lambda one: _replaced(one, disabled_at=0))
        self._audit(f"enabled {name}")

    def end_all(self, name: str) -> None:
        """Their sessions and tokens: they may do nothing more."""
        sessions = accounts.end_sessions(self.client, self.keys, name)
        tokens = accounts.end_tokens(self.client, self.keys, lambda token: token.user == name)
        if sessions or tokens:
            self._audit(f"ended {sessions} sessions and {len(tokens)} tokens of {name}")

    def by_subject(self, subject: str) -> User | None:
        """Who that is to the provider; None for nobody yet."""
        return next((one for one in accounts.users(self.client, self.keys) if one.subject == subject), None)

    def remove(self, name: str) -> None:
        """With their sessions and tokens. Raises Mistaken as `change` does."""

        def made() -> None:
            self.known(name)
            self._keep_an_admin(name, None)

        accounts.change_user(self.client, self.keys, name, made)
        accounts.end_sessions(self.client, self.keys, name)
        accounts.end_tokens(self.client, self.keys, lambda token: token.user == name)
        self._audit(f"removed {name}")

    def invite(self, name: str) -> str:
        """The secret of a one-time link by which they set a password. Raises Mistaken."""
        self.known(name)
        secret = secrets.token_urlsafe(24)
        accounts.invite(self.client, self.keys, secret, name, INVITATION_MS)
        self._audit(f"made a one-time link for {name}")
        return secret

    def set_password(self, name: str, password: str, but: str = "") -> None:
        """`password` as it is stored. Every session ends, but the one with this id."""
        self._change(name, lambda one: _replaced(one, password=password, changed_at=self.now))
        accounts.end_sessions(self.client, self.keys, name, but=but)
        self._audit(f"set the password of {name}")

    def begin_session(
        self, name: str, address: str, agent: str, *, via: str = "", lasts_ms: int = SESSION_MS
    ) -> str:
        """What their browser is to hold. `via`: the provider that knows them. Raises Mistaken: they are disabled."""
        if self.known(name).disabled_at:
            raise Mistaken(f"{name} is disabled; ask an admin")
        secret = secrets.token_urlsafe(32)
        session = Session(
            id=accounts.digest(secret)[:12], user=name, created_at=self.now, expires_at=self.now + lasts_ms,
            address=address, agent=agent[:200], via=via,
        )  # fmt: skip
        accounts.begin_session(self.client, self.keys, secret, session, lasts_ms)
        how = f"signed in through {via}" if via else "signed in with a password"
        self._audit(how, Doer(name, f"session {session.id} from {address}"))
        return secret

    def end_sessions(self, name: str, only: str = "", but: str = "") -> int:
        """All of a user's, or only the one with this id, or all but one. Returns how many."""
        ended = accounts.end_sessions(self.client, self.keys, name, only, but)
        if ended:
            what = f"session {only}" if only else f"{ended} sessions"
            self._audit(f"ended {what} of {name}")
        return ended

    def make_token(
        self, name: str, scopes: Iterable[str], grants: Grants, until: int, *, user: str = "", per_minute: int = 600
    ) -> tuple[Token, str]:  # fmt: skip
        """And its secret, which is kept nowhere. `until`: ms. `user`: whose it is. Raises Mistaken."""
        if user:
            self.known(user)
        if not scopes:
            raise Mistaken(f"name what it is for: {', '.join(Scope)}")
        secret = f"tocsin_{secrets.token_urlsafe(32)}"
        made = Token(
            id=accounts.digest(secret)[:8], name=name, scopes=sorted(set(scopes)), expires_at=until, user=user,
            per_minute=per_minute, created_at=self.now, created_by=self.by.name,
            **stored(grants),
        )  # fmt: skip
        accounts.put_token(self.client, self.keys, secret, made)
        self._audit(f"made token {made.id} ({name}) for {', '.join(made.scopes)}, {grants}")
        return made, secret

    def end_token(self, token_id: str, user: str = "") -> None:
        """`user`: only if it is theirs. Raises Mistaken when there is none."""
        ended = accounts.end_tokens(
            self.client, self.keys, lambda one: one.id == token_id and user in {"", one.user}
        )
        if not ended:
            raise Mistaken(f"no token {token_id!r}; see: tocsin tokens list")
        self._audit(f"revoked token {token_id} ({ended[0].name})")

    def known(self, name: str) -> User:
        """Raises Mistaken when nobody has the name."""
        found = accounts.user(self.client, self.keys, name)
        if found is None:
            raise Mistaken(f"no user {name!r}; see: tocsin users list")
        return found

    def _keep_an_admin(self, name: str, changed: User | None) -> None:
        """Raises Mistaken when nobody could admit anybody any more, who can now."""
        everybody = accounts.users(self.client, self.keys)
        if not any(_admits(one) for one in everybody if one.name == name):
            return
        others = [one for one in everybody if one.name != name]
        if not any(_admits(one) for one in (*others, *([changed] if changed else []))):
            raise Mistaken(f"{name} is the last admin of everything; make somebody else one first")

    def _change(self, name: str, make: Callable[[User], User], *, bereaves: bool = False) -> User:
        """Of what they are at that instant: what somebody else changes meanwhile is neither lost nor undone.

        `bereaves`: it may take the last admin. Raises Mistaken, and what `make` raises.
        """

        def made() -> User:
            changed = make(self.known(name))
            if not bereaves:
                self._keep_an_admin(name, changed)
            return changed

        changed = accounts.change_user(self.client, self.keys, name, made)
        assert changed is not None  # `made` removes nobody  # noqa: S101
        return changed

    def _audit(self, what: str, by: Doer | None = None) -> None:
        by = by or self.by
        accounts.audit(self.client, self.keys, Audited(at=self.now, by=by.name, what=what, client=by.client))


def _admits(one: User) -> bool:
    return kept(one).everywhere is Role.ADMIN and not one.disabled_at


def _taken(name: str, subject: str) -> str:
    if subject:
        joining = f"tocsin users set {name} --subject {shlex.quote(subject)}"
        return f"there is a user {name!r} already who is somebody else; an admin joins them with: {joining}"
    return f"there is a user {name!r} already; give another role with: tocsin users set {name}"


def _replaced(one: R, **changes: object) -> R:
    """With what is not None."""
    return msgspec.structs.replace(
        one, **{name: value for name, value in changes.items() if value is not None}
    )
