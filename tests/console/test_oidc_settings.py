"""The settings of a provider: read, or refused at the start with what to write. And what groups make of somebody."""

from typing import Any

import pytest
from click.testing import CliRunner

from console.main import tocsin
from console.trust.acts import Role
from console.trust.grants import Grants
from console.trust.oidc import mapping
from console.trust.oidc.mapping import granted, parsed
from console.trust.oidc.settings import from_env
from routing.instant import HOUR

HERE = "https://console.example.com"
P = "TOCSIN_CONSOLE_OIDC_"
RIGHT = {
    f"{P}ISSUER": "https://accounts.example.com/realms/shop", f"{P}CLIENT_ID": "console", f"{P}CLIENT_SECRET": "hidden",
    f"{P}ROLES": '{"sre": "admin", "CN=payments,OU=x": "responder of payments, shop"}',
}  # fmt: skip


def test_what_is_set_is_read_and_no_secret_is_shown() -> None:
    more = {
        f"{P}SCOPES": "groups profile",
        f"{P}SESSION": "8h",
        f"{P}OTHERS": "viewer",
        f"{P}TITLE": "Shop SSO",
    }
    found = from_env(RIGHT | more, HERE)
    assert found
    assert (found.host, found.called, found.scopes) == (
        "accounts.example.com",
        "Shop SSO",
        "openid groups profile",
    )
    assert (found.session_ms, found.others) == (8 * HOUR, Role.VIEWER)
    assert found.grants["CN=payments,OU=x"] == Grants.limited(Role.RESPONDER, {"payments", "shop"})
    assert "hidden" not in repr(found)
    plain = from_env(RIGHT, HERE)
    assert plain
    assert (plain.called, plain.others, plain.session_ms) == ("accounts.example.com", None, 24 * HOUR)
    assert from_env({}, HERE) is None


@pytest.mark.parametrize(
    ("more", "origin", "says"),
    [
        ({f"{P}ISSUER": "http://accounts.example.com"}, HERE, "is not https; write https://"), ({f"{P}ISSUER": "accounts"}, HERE, "is no address"),
        ({f"{P}ISSUER": "https://user@accounts.example.com"}, HERE, "is no address"), ({f"{P}ISSUER": "https://[x"}, HERE, "is no address"),
        ({}, "http://console.example.com", "TOCSIN_CONSOLE_URL"), ({}, "http://0.0.0.0:8081", "write https://console.example.com"),
        ({f"{P}CLIENT_ID": ""}, HERE, f"{P}CLIENT_ID is not set"), ({f"{P}ROLES": ""}, HERE, "nobody could sign in; write {"),
        ({f"{P}ROLES": "sre=admin"}, HERE, f"{P}ROLES: "), ({f"{P}ROLES": "[]"}, HERE, "it is no object; write {"),
        ({f"{P}ROLES": '{"sre": "root"}'}, HERE, "'sre' is given 'root', which is no role"), ({f"{P}ROLES": '{"sre": ["admin"]}'}, HERE, "given no role"),
        ({f"{P}ROLES": '{"sre": "admin of "}'}, HERE, "no role"), ({f"{P}OTHERS": "admin"}, HERE, "write nobody or viewer"),
        ({f"{P}SESSION": "8 hours"}, HERE, f"{P}SESSION"), ({f"{P}SESSION": "1y"}, HERE, f"{P}SESSION"), ({f"{P}SESSION": "60d"}, HERE, "between 1m and 30d"),
        ({f"{P}ISSUER": ""}, HERE, f"and {P}ISSUER is not; write https://"),
    ],
)  # fmt: skip
def test_a_fault_names_its_variable_and_what_to_write(more: dict[str, str], origin: str, says: str) -> None:
    with pytest.raises(ValueError, match=P + "|TOCSIN_CONSOLE_URL") as raised:
        from_env(RIGHT | more, origin)
    assert says in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_on_this_machine_plain_http_will_do() -> None:
    for host in ("127.0.0.1:8080", "localhost:1", "[::1]:8080"):
        assert from_env(RIGHT | {f"{P}ISSUER": f"http://{host}"}, f"http://{host}")
    with pytest.raises(ValueError, match="is not https"):
        from_env(RIGHT | {f"{P}ISSUER": "http://127.0.0.1.example.com"}, HERE)


def test_the_console_does_not_start_with_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (RIGHT | {f"{P}ROLES": "sre"}).items():
        monkeypatch.setenv(name, value)
    found = CliRunner().invoke(tocsin, ["console"])
    assert (found.exit_code, f"{P}ROLES" in found.stderr) == (2, True)


ALL = {
    "a": Grants.limited(Role.ADMIN, ["x"]), "r": Grants(Role.RESPONDER), "s": Grants.limited(Role.RESPONDER, ["y"]),
    "t": Grants.limited(Role.RESPONDER, ["x", "z"]), "v": Grants(Role.VIEWER), "w": Grants.limited(Role.VIEWER, ["y"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("v", "viewer of all teams"), ("w", "viewer of y"), ("sv", "responder of y"), ("sw", "responder of y"),
        ("st", "responder of x, y, z"), ("rst", "responder of all teams"), ("ar", "admin of x; responder of all teams"),
        ("as", "admin of x; responder of y"), ("at", "admin of x; responder of z"), ("avw", "admin of x; viewer of y"),
        ("q", ""), ("", ""),
    ],
)  # fmt: skip
def test_for_each_team_the_highest_role_counts_that_a_group_has_there(groups: str, said: str) -> None:
    found = granted(frozenset(groups), ALL, None)
    assert (str(found) if found else "") == said
    assert granted(frozenset(groups), ALL, Role.VIEWER) == (found or Grants(Role.VIEWER))


@pytest.mark.parametrize(
    ("claims", "path", "groups"),
    [
        ({"groups": ["a", "b"]}, "groups", {"a", "b"}), ({"groups": "a"}, "groups", {"a"}), ({"groups": None}, "groups", set()),
        ({"groups": {"a": 1}}, "groups", set()), ({"groups": ["a", 7, None, ["b"]]}, "groups", {"a"}),
        ({"r": {"s": ["a"]}}, "r.s", {"a"}), ({"r": ["s"]}, "r.s", set()), ({"https://x.example/groups": ["a"]}, "https://x.example/groups", {"a"}),
    ],
)  # fmt: skip
def test_groups_are_found_by_the_claims_name_or_part_by_part(
    claims: dict[str, Any], path: str, groups: set[str]
) -> None:
    assert mapping.groups_of(mapping.claim(claims, path)) == groups


def test_an_address_that_is_not_theirs_is_no_name() -> None:
    assert mapping.name_of({"email": "Anna@Example.com"}, "email") == "anna@example.com"
    assert mapping.name_of({"email": "anna@example.com", "email_verified": False}, "email") == ""


def test_a_role_is_written_as_the_audit_says_it() -> None:
    assert parsed("x", " responder of a , b ") == Grants.limited(Role.RESPONDER, {"a", "b"})
