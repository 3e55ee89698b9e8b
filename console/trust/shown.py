"""Users, their sessions and tokens, as programs are shown them: never what opens a door."""

from collections.abc import Mapping
from typing import Any

import redis

from console.trust.acts import Role
from console.trust.grants import Grants, kept, row
from ledger import accounts
from ledger.accounts import Session, Token, User
from ledger.keys import Keys
from ledger.views.times import iso

Row = dict[str, Any]


def user_row(client: redis.Redis, keys: Keys, one: User) -> Row:
    return {
        "name": one.name, **row(kept(one)), "contact": one.contact, "password": bool(one.password),
        "subject": one.subject, "disabled": bool(one.disabled_at),
        "sessions": len(accounts.sessions(client, keys, one.name)), "created_at": iso(one.created_at),
        "created_by": one.created_by,
    }  # fmt: skip


def standing(one: Mapping[str, Any]) -> str:
    """What a user or a token may, in words; also where another console says so, of a release before roles by team."""
    if "grants" not in one:
        return str(Grants.limited(Role(one["role"]), one["teams"]))
    return str(Grants().changed(one["grants"]))


def session_row(one: Session) -> Row:
    return {
        "id": one.id, "created_at": iso(one.created_at), "expires_at": iso(one.expires_at), "address": one.address,
        "agent": one.agent, "via": one.via,
    }  # fmt: skip


def token_row(one: Token, now: int) -> Row:
    return {
        "id": one.id, "name": one.name, "user": one.user, **row(kept(one)), "scopes": one.scopes,
        "per_minute": one.per_minute, "expires_at": iso(one.expires_at), "expired": one.expires_at <= now,
        "created_at": iso(one.created_at), "created_by": one.created_by,
    }  # fmt: skip
