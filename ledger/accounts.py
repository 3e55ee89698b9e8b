"""Who may use the console: users, their sessions, API tokens, one-time links; as they are kept.

What opens a door is kept as a digest only: whoever reads the database, or a backup of it, cannot walk in.
"""

import hashlib
from collections.abc import Callable, Sequence

import redis

from ledger import wire
from ledger.keys import Keys
from routing.record import Record, decode, encode

AUDITED = 100_000
"""Older lines of the audit leave when newer ones come."""


class User(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`password` is what `console.trust.passwords` makes of it; "" until it was set."""

    name: str
    role: str
    """For every team; for `teams` alone where some are named."""
    teams: list[str] = []
    """As an earlier release kept it; none are written any more."""
    grants: dict[str, str] = {}
    """Team -> role, where it is more than that for all."""
    password: str = ""
    contact: str = ""
    """Who they are in contacts.yaml, for "why was I paged?"."""
    created_at: int = 0
    created_by: str = ""
    changed_at: int = 0
    """Of the password, or of what they may."""
    subject: str = ""
    """Who they are to the OpenID Connect provider: its issuer, a space, its own name of them; "" to none."""
    disabled_at: int = 0
    """Since then nothing lets them in; 0 while something may."""


class Session(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`id` is the beginning of its digest: enough to revoke it by, no use to get in with."""

    id: str
    user: str
    created_at: int
    expires_at: int
    address: str = ""
    agent: str = ""
    via: str = ""
    """The provider that said who they are; "" where a password or a one-time link did."""


class SignIn(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody was sent to the provider. `browser` is the digest of what their browser holds meanwhile."""

    browser: str
    after: str = "/"
    """Where they go on to."""


class Token(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`user` is whose it is; it can never do more than they may. "" where nobody's: it stands for itself.

    `role`, `teams` and `grants` as a user's.
    """

    id: str
    name: str
    role: str
    scopes: list[str]
    expires_at: int
    user: str = ""
    teams: list[str] = []
    grants: dict[str, str] = {}
    per_minute: int = 600
    created_at: int = 0
    created_by: str = ""


class Audited(Record, frozen=True, kw_only=True, omit_defaults=True):
    """`client`: how and from where, as in an entry of the log."""

    at: int
    by: str
    what: str
    client: str = ""


def digest(secret: str) -> str:
    """What is kept of a random secret. It has 256 bits, so nothing slow is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


# ── users ────────────────────────────────────────────────────────────────────────────────────────────────


def user(client: redis.Redis, keys: Keys, name: str) -> User | None:
    raw = client.hget(keys.users, name)
    return decode(User, raw) if raw else None


def users(client: redis.Redis, keys: Keys) -> list[User]:
    """By name."""
    found = [decode(User, raw) for raw in client.hvals(keys.users)]
    return sorted(found, key=lambda one: one.name)


def put_user(client: redis.Redis, keys: Keys, one: User) -> None:
    client.hset(keys.users, one.name, encode(one))


def change_user(client: redis.Redis, keys: Keys, name: str, change: Callable[[], User | None]) -> User | None:
    """Put what `change` makes of them, None to remove them; or, where any user was changed meanwhile, ask it again.

    What it reads of users is as it was when its answer is put. Raises what it raises, and then nothing has changed.
    """
    while True:
        with client.pipeline(transaction=True) as pipe:
            pipe.watch(keys.users)  # type: ignore[no-untyped-call]  # untyped in redis-py
            changed = change()
            pipe.multi()
            if changed is None:
                pipe.hdel(keys.users, name)
            else:
                pipe.hset(keys.users, name, encode(changed))
            try:
                pipe.execute()
            except redis.WatchError:
                continue
            return changed


def add_user(client: redis.Redis, keys: Keys, one: User) -> bool:
    """False when the name is taken; then nothing has changed."""
    return bool(client.hsetnx(keys.users, one.name, encode(one)))


def remove_user(client: redis.Redis, keys: Keys, name: str) -> bool:
    """With all sessions of theirs. False when there was none."""
    end_sessions(client, keys, name)
    return bool(client.hdel(keys.users, name))


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────


def begin_session(client: redis.Redis, keys: Keys, secret: str, one: Session, lasts_ms: int) -> None:
    pipe = client.pipeline(transaction=True)
    pipe.set(keys.session(digest(secret)), encode(one), px=lasts_ms)
    pipe.sadd(keys.sessions(one.user), digest(secret))
    pipe.pexpire(keys.sessions(one.user), lasts_ms)
    pipe.execute()


def session(client: redis.Redis, keys: Keys, secret: str) -> Session | None:
    raw = client.get(keys.session(digest(secret)))
    return decode(Session, raw) if isinstance(raw, bytes) else None


def sessions(client: redis.Redis, keys: Keys, name: str) -> list[Session]:
    """Those of a user that have not run out, newest first."""
    known = _digests(client, keys, name)
    raws = wire.call(client, "MGET", *map(keys.session, known)) if known else []
    return sorted((decode(Session, raw) for raw in raws if raw), key=lambda one: -one.created_at)


def end_sessions(client: redis.Redis, keys: Keys, name: str, only: str = "", but: str = "") -> int:
    """All of a user's, or only the one with this id, or all but one. Returns how many there were."""
    known = _digests(client, keys, name)
    ended = [each for each in known if each.startswith(only) and not (but and each.startswith(but))]
    if not ended:
        return 0
    pipe = client.pipeline(transaction=True)
    pipe.delete(*map(keys.session, ended))
    pipe.srem(keys.sessions(name), *ended)
    return int(pipe.execute()[0])


def _digests(client: redis.Redis, keys: Keys, name: str) -> list[str]:
    return sorted(wire.text(each) for each in wire.call(client, "SMEMBERS", keys.sessions(name)))


# ── on the way to a provider and back ────────────────────────────────────────────────────────────────────


def begin_sign_in(client: redis.Redis, keys: Keys, state: str, one: SignIn, lasts_ms: int) -> None:
    client.set(keys.sign_in(digest(state)), encode(one), px=lasts_ms)


def take_sign_in(client: redis.Redis, keys: Keys, state: str) -> SignIn | None:
    """What was begun with this state, once; None when nothing was, it took too long, or it was taken."""
    raw = wire.call(client, "GETDEL", keys.sign_in(digest(state)))
    return decode(SignIn, raw) if isinstance(raw, bytes) else None


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────


def token(client: redis.Redis, keys: Keys, secret: str) -> Token | None:
    raw = client.hget(keys.tokens, digest(secret))
    return decode(Token, raw) if raw else None


def tokens(client: redis.Redis, keys: Keys) -> list[Token]:
    """Newest first."""
    found = [decode(Token, raw) for raw in client.hvals(keys.tokens)]
    return sorted(found, key=lambda one: -one.created_at)


def put_token(client: redis.Redis, keys: Keys, secret: str, one: Token) -> None:
    client.hset(keys.tokens, digest(secret), encode(one))


def end_tokens(client: redis.Redis, keys: Keys, which: Callable[[Token], bool]) -> list[Token]:
    """Those that `which` names; returns them."""
    found = {key: decode(Token, raw) for key, raw in client.hgetall(keys.tokens).items()}
    ended = {key: one for key, one in found.items() if which(one)}
    if ended:
        client.hdel(keys.tokens, *ended)
    return list(ended.values())


# ── one-time links, allowances, audit ────────────────────────────────────────────────────────────────────


def invite(client: redis.Redis, keys: Keys, secret: str, name: str, lasts_ms: int) -> None:
    """Whoever has the secret may set the password of `name`, once, within that time."""
    client.set(keys.invitation(digest(secret)), name, px=lasts_ms)


def invited(client: redis.Redis, keys: Keys, secret: str) -> str:
    """Whom a one-time link is for; "" when it was used, or ran out."""
    return wire.text(client.get(keys.invitation(digest(secret))) or b"")


def accept(client: redis.Redis, keys: Keys, secret: str) -> str:
    """As `invited`, and the link is used up."""
    return wire.text(wire.call(client, "GETDEL", keys.invitation(digest(secret))) or b"")


def spend(client: redis.Redis, keys: Keys, what: str, window_ms: int) -> tuple[int, int]:
    """Count one try. Returns how many there were in this window, and in how many ms it is over."""
    key = keys.allowance(what)
    pipe = client.pipeline(transaction=True)
    pipe.set(key, 0, px=window_ms, nx=True)
    pipe.incr(key)
    pipe.pttl(key)
    _, tried, left = pipe.execute()
    return int(tried), max(0, int(left))


def forgive(client: redis.Redis, keys: Keys, what: str) -> None:
    """Nothing was tried."""
    client.delete(keys.allowance(what))


def audit(client: redis.Redis, keys: Keys, line: Audited) -> None:
    client.xadd(keys.audit, {"e": encode(line)}, maxlen=AUDITED, approximate=True)


def audited(
    client: redis.Redis, keys: Keys, limit: int = 100, before: str = ""
) -> Sequence[tuple[str, Audited]]:
    """Lines with their place, newest first; `before` is the place of the last one already seen."""
    end = f"({before}" if before else "+"
    found = wire.call(client, "XREVRANGE", keys.audit, end, "-", "COUNT", limit)
    return [(wire.text(at), decode(Audited, fields[b"e"])) for at, fields in found]
