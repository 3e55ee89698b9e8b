"""Who somebody is, and what they may do: by role, by team, by the scopes of a token, and never by guessing."""

import asyncio
from pathlib import Path

import click
import pytest
import seeing
from seeing import Seen
from starlette.requests import Request

from console.serving.app import build
from console.trust.actor import Actor, actor_of
from console.trust.acts import Act, Role, Scope
from console.trust.grants import Grants, kept, stored, wished
from ledger import accounts
from routing.record import decode, encode

ALL = frozenset(scope.value for scope in Scope)


def actor(role: Role, *teams: str, way: str = "session", scopes: frozenset[str] = ALL) -> Actor:
    return Actor("anna", Grants.limited(role, teams), way, "s1", scopes, "192.0.2.7")


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


MIXED = Grants.of(Role.VIEWER, {"platform": Role.ADMIN, "payments": Role.RESPONDER})
ABOVE = Grants.of(Role.RESPONDER, {"platform": Role.ADMIN})
ROLES = [
    # whose grants, then their role: for platform, payments, another team, what belongs to none, what concerns all
    (Grants(Role.VIEWER), "viewer viewer viewer viewer viewer"),
    (Grants(Role.RESPONDER), "responder responder responder responder responder"),
    (Grants(Role.ADMIN), "admin admin admin admin admin"),
    (Grants.limited(Role.RESPONDER, ["payments"]), "viewer responder viewer responder viewer"),
    (Grants.limited(Role.ADMIN, ["platform"]), "admin viewer viewer admin viewer"),
    (MIXED, "admin responder viewer admin viewer"),
    (ABOVE, "admin responder responder admin responder"),
    (MIXED.met(ABOVE), "admin responder viewer admin viewer"),
    (
        MIXED.met(Grants.limited(Role.RESPONDER, ["platform", "x"])),
        "responder viewer viewer responder viewer",
    ),
    (MIXED.met(Grants.limited(Role.ADMIN, ["x"])), "viewer viewer viewer viewer viewer"),
    (MIXED.joined(ABOVE), "admin responder responder admin responder"),
    (MIXED.joined(Grants.limited(Role.ADMIN, ["payments"])), "admin admin viewer admin viewer"),
]
PLACES = ("platform", "payments", "another", "", "all")
RANKS = ["viewer", "responder", "admin"]


@pytest.mark.parametrize(("grants", "roles"), ROLES, ids=lambda each: str(each).replace(" ", "-"))
def test_by_team_somebody_may_every_act_that_their_role_there_allows_and_no_other(
    grants: Grants, roles: str
) -> None:
    somebody = Actor("anna", grants, "session", "s1", ALL, "192.0.2.7")
    at = dict(zip(PLACES, roles.split(), strict=True))
    wrong = [
        (act, team)
        for act in Act
        for team in PLACES[:-1]
        if somebody.may(act, team)
        is not (act.role is None or RANKS.index(at["all" if act.of_all else team]) >= RANKS.index(act.role))
    ]
    assert wrong == []


def test_what_people_may_is_said_in_words_and_read_as_it_was_kept() -> None:
    assert str(MIXED) == "admin of platform; responder of payments"
    assert str(ABOVE) == "admin of platform; responder of all teams"
    assert [str(Grants(role)) for role in Role] == [f"{role} of all teams" for role in Role]
    for grants, _ in ROLES:
        one = accounts.User(name="anna", **stored(grants))
        assert kept(decode(accounts.User, encode(one))) == grants


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ('"role":"admin"', "admin of all teams"), ('"role":"viewer"', "viewer of all teams"),
        ('"role":"responder","teams":["payments","web"]', "responder of payments, web"),
        ('"role":"admin","teams":["web"]', "admin of web"), ('"role":"viewer","teams":["web"]', "viewer of web"),
        ('"role":"admin","teams":["all"]', "viewer of all teams"),
    ],
)  # fmt: skip
def test_who_was_kept_before_there_were_roles_by_team_may_what_they_might(
    seen: Seen, raw: str, said: str
) -> None:
    secret = seen.session("anna")
    seen.redis.hset(seen.site.keys.users, "anna", '{"name":"anna",' + raw + "}")
    found = asks(seen, ("cookie", f"tocsin={secret}"))
    assert found
    assert str(found.grants) == said
    token = '{"id":"t1","name":"ci","scopes":["read"],"expires_at":9999999999999,' + raw + "}"
    seen.redis.hset(seen.site.keys.tokens, accounts.digest("secret"), token)
    its = asks(seen, ("authorization", "Bearer secret"))
    assert its
    assert its.grants == found.grants


def test_a_release_before_roles_by_team_reads_no_more_than_the_role_for_all() -> None:
    assert stored(MIXED)["role"] == "viewer"
    assert stored(MIXED)["teams"] == []


@pytest.mark.parametrize(
    ("before", "role", "teams", "given", "after"),
    [
        (None, None, None, {}, None), (MIXED, None, None, {}, None),
        (None, "viewer", None, {}, "viewer of all teams"), (None, None, ["web"], {}, "responder of web"),
        (None, None, None, {"web": "admin"}, "admin of web"),
        (None, None, None, {"all": "responder", "web": "admin"}, "admin of web; responder of all teams"),
        (MIXED, None, None, {"payments": "none"}, "admin of platform"),
        (MIXED, None, None, {"web": "responder"}, "admin of platform; responder of payments, web"),
        (MIXED, None, None, {"all": "responder"}, "admin of platform; responder of all teams"),
        (MIXED, None, None, {"all": "admin"}, "admin of all teams"),
        (MIXED, "responder", ["web"], {}, "responder of web"), (MIXED, "responder", ["all"], {}, "responder of all teams"),
        (Grants.limited(Role.RESPONDER, ["web"]), "viewer", None, {}, "viewer of web"),
        (Grants.limited(Role.VIEWER, ["web"]), "responder", None, {}, "responder of web"),
        (Grants.limited(Role.ADMIN, ["web"]), None, ["shop"], {}, "admin of shop"),
        (Grants.limited(Role.ADMIN, ["web"]), None, [], {}, "admin of all teams"),
    ],
)  # fmt: skip
def test_a_wish_changes_what_it_names(
    before: Grants | None, role: str | None, teams: list[str] | None, given: dict[str, str], after: str | None
) -> None:
    found = wished(before, role, teams, given)
    assert (str(found) if found else None) == after


@pytest.mark.parametrize(
    ("before", "role", "teams", "given", "says"),
    [
        (None, "viewer", None, {"web": "admin"}, "not both"), (None, None, [], {"web": "admin"}, "not both"),
        (MIXED, "admin", None, {}, "there is more than one role: admin of platform; responder of payments"),
        (MIXED, None, ["web"], {}, "give roles by team"), (ABOVE, "viewer", None, {}, "more than one role"),
        (None, None, None, {"web": "root"}, "web=root: no role; there are viewer, responder, admin"),
        (None, None, None, {"all": "none"}, "no role"),
        (Grants(Role.RESPONDER), None, None, {"web": "viewer"}, "takes nothing from who is responder of all teams"),
    ],
)  # fmt: skip
def test_a_wish_that_makes_no_sense_is_refused(
    before: Grants | None, role: str | None, teams: list[str] | None, given: dict[str, str], says: str
) -> None:
    with pytest.raises(click.UsageError, match=says):
        wished(before, role, teams, given)


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
    assert (found.name, str(found.grants), found.way) == ("anna", "responder of payments", "session")
    assert found.client == f"session {found.id} from 192.0.2.7"
    seen.user("anna", Role.VIEWER)
    again = asks(seen, cookie)
    assert again
    assert again.grants == Grants(Role.VIEWER)
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
    assert (found.name, str(found.grants), found.way) == ("anna", "responder of payments", "token")
    assert found.scopes == {"read"}
    accounts.remove_user(seen.redis, seen.site.keys, "anna")
    assert asks(seen, bearer) is None


def test_a_token_of_teams_its_owner_has_left_acts_for_none(seen: Seen) -> None:
    seen.user("anna", Role.RESPONDER, "payments")
    secret = seen.token("ci", Grants.limited(Role.RESPONDER, ["platform"]), Scope.INCIDENTS, user="anna")
    found = asks(seen, ("authorization", f"Bearer {secret}"))
    assert found
    assert not any(found.may(Act.ACK, team) for team in ("payments", "platform", ""))


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
