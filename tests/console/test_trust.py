"""Who somebody is, and what they may do: by role, by team, by the scopes of a token, and never by guessing."""

import asyncio
from pathlib import Path

import pytest
import seeing
from seeing import Seen
from starlette.requests import Request

from console.serving.app import build
from console.trust.actor import Actor, actor_of
from console.trust.acts import Act, Role, Scope
from ledger import accounts

ALL = frozenset(scope.value for scope in Scope)


def actor(role: Role, *teams: str, way: str = "session", scopes: frozenset[str] = ALL) -> Actor:
    return Actor("anna", role, frozenset(teams), way, "s1", scopes, "192.0.2.7")


@pytest.fixture
def seen(redis_url: str, tmp_path: Path) -> Seen:
    """Nothing is served: who asks is told from the request alone."""
    site = seeing.site(redis_url, tmp_path, proxies=("10.0.0.0/8",))  # type: ignore[arg-type]
    return Seen("http://127.0.0.1:8081", site)


def asks(seen: Seen, *headers: tuple[str, str], address: str = "192.0.2.7") -> Actor | None:
    app = build(seen.site)
    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "app": app, "headers": raw, "client": (address, 1), "state": {}, "path": "/"}
    return asyncio.run(actor_of(Request(scope)))


@pytest.mark.parametrize(
    ("role", "act", "may"),
    [
        (Role.VIEWER, Act.READ, True), (Role.VIEWER, Act.REHEARSE, True), (Role.VIEWER, Act.ACK, False),
        (Role.VIEWER, Act.REPLAY_DEAD, False), (Role.RESPONDER, Act.ACK, True),
        (Role.RESPONDER, Act.DROP_DEAD, True), (Role.RESPONDER, Act.ADMIN_USERS, False),
        (Role.ADMIN, Act.ADMIN_USERS, True), (Role.ADMIN, Act.ACK, True),
    ],
)  # fmt: skip
def test_a_role_may_what_lesser_ones_may_and_no_more(role: Role, act: Act, may: bool) -> None:
    assert actor(role).may(act) is may


def test_who_belongs_to_some_teams_acts_for_those_alone_and_reads_everything() -> None:
    ours = actor(Role.RESPONDER, "payments")
    assert ours.may(Act.ACK, "payments")
    assert not ours.may(Act.ACK, "platform")
    assert ours.may(Act.ACK), "what belongs to no team is anybody's to take"
    assert ours.may(Act.READ, "platform")
    assert not ours.may(Act.KILL_SWITCH), "it stops the automation of every team"
    assert not actor(Role.ADMIN, "payments").may(Act.ADMIN_USERS)


def test_a_token_may_what_its_scopes_name_and_its_role_allows() -> None:
    token = actor(Role.RESPONDER, way="token", scopes=frozenset({"read", "incidents"}))
    assert token.may(Act.ACK)
    assert not token.may(Act.REPLAY_DEAD)
    assert not actor(Role.ADMIN, way="token").may(Act.OWN_ACCOUNT), "it could make itself immortal"


@pytest.mark.parametrize("act", list(Act))
def test_each_act_has_a_role_and_a_scope_and_only_the_public_one_needs_nobody(act: Act) -> None:
    assert (act.role is None) == (act is Act.PUBLIC)
    assert act.scope in set(Scope)
    assert actor(Role.ADMIN).may(act)
    assert actor(Role.VIEWER).may(act) == (act.role in {None, Role.VIEWER})


def test_a_session_is_its_user_as_they_are_now(seen: Seen) -> None:
    cookie = ("cookie", f"tocsin={seen.session('anna', Role.RESPONDER, 'payments')}")
    found = asks(seen, cookie)
    assert found
    assert (found.name, found.role, found.way) == ("anna", Role.RESPONDER, "session")
    assert found.teams == {"payments"}
    assert found.client == f"session {found.id} from 192.0.2.7"
    seen.user("anna", Role.VIEWER)
    again = asks(seen, cookie)
    assert again
    assert (again.role, again.teams) == (Role.VIEWER, frozenset())
    accounts.remove_user(seen.redis, seen.site.keys, "anna")
    assert asks(seen, cookie) is None


def test_a_session_ends_when_it_is_revoked_and_when_its_time_is_up(seen: Seen) -> None:
    one, other = seen.session("anna"), seen.session("anna")
    ended = accounts.end_sessions(seen.redis, seen.site.keys, "anna", only=accounts.digest(one)[:12])
    assert ended == 1
    assert asks(seen, ("cookie", f"tocsin={one}")) is None
    assert asks(seen, ("cookie", f"tocsin={other}"))
    assert asks(seen, ("cookie", f"tocsin={seen.session('ben', lasts_ms=1)}")) is None


def test_what_opens_a_door_is_kept_as_a_digest_only(seen: Seen) -> None:
    secrets = (seen.session("anna"), seen.token("ci", Role.VIEWER, Scope.READ))
    kept = repr([(key, seen.redis.dump(key)) for key in seen.redis.keys("*")])
    assert [secret for secret in secrets if secret in kept] == []


def test_a_token_is_bounded_by_its_owner_and_ends_with_them(seen: Seen) -> None:
    seen.user("anna", Role.RESPONDER, "payments")
    bearer = ("authorization", f"Bearer {seen.token('ci', Role.ADMIN, Scope.READ, user='anna')}")
    found = asks(seen, bearer)
    assert found
    assert (found.name, found.role, found.way) == ("anna", Role.RESPONDER, "token")
    assert found.teams == {"payments"}
    assert found.scopes == {"read"}
    accounts.remove_user(seen.redis, seen.site.keys, "anna")
    assert asks(seen, bearer) is None


def test_a_token_of_teams_its_owner_has_left_acts_for_none(seen: Seen) -> None:
    seen.user("anna", Role.RESPONDER, "payments")
    secret = seen.token("ci", Role.RESPONDER, Scope.INCIDENTS, user="anna", teams=["platform"])
    found = asks(seen, ("authorization", f"Bearer {secret}"))
    assert found
    assert not any(found.may(Act.ACK, team) for team in ("payments", "platform"))


def test_a_wrong_token_is_nobody_whatever_cookie_comes_with_it(seen: Seen) -> None:
    cookie = ("cookie", f"tocsin={seen.session('anna')}")
    assert asks(seen, cookie)
    assert asks(seen, ("authorization", "Bearer wrong"), cookie) is None
    ended = seen.token("old", Role.VIEWER, Scope.READ, lasts_ms=-1)
    assert asks(seen, ("authorization", f"Bearer {ended}")) is None
    assert asks(seen) is None


@pytest.mark.parametrize(
    ("address", "forwarded", "from_"),
    [
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"), ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "6.6.6.6, 198.51.100.1", "198.51.100.1"), ("10.1.2.3", "198.51.100.1, 10.9.9.9", "198.51.100.1"),
    ],
)  # fmt: skip
def test_only_our_own_proxies_tell_where_somebody_acts_from(
    seen: Seen, address: str, forwarded: str, from_: str
) -> None:
    cookie = ("cookie", f"tocsin={seen.session('anna')}")
    found = asks(seen, cookie, ("x-forwarded-for", forwarded), address=address)
    assert found
    assert found.address == from_
