"""Signing in through an OpenID Connect provider: who it says they are, and nobody whom it does not say so of."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import seeing
from oidc_standin import CLIENT, SECRET, Claims, OidcStandin, ec_key, public_pem, read, signed
from seeing import Seen, console
from vendor_server import Misbehaviour

from console.serving.site import Site
from console.trust import passwords
from console.trust.acts import Role
from console.trust.grants import Grants, kept
from console.trust.oidc.provider import AGAIN_MS, FRESH_MS, Provider
from console.trust.oidc.settings import OidcSettings
from console.trust.people import Doer, People
from ledger import accounts
from ledger.accounts import User
from ledger.clock import now_ms
from routing.instant import HOUR

PASSWORD = "four words in a row"
GRANTS = {
    "sre": Grants(Role.ADMIN), "payments": Grants.limited(Role.RESPONDER, {"payments"}),
    "shop": Grants.limited(Role.RESPONDER, {"shop"}), "staff": Grants(Role.VIEWER),
}  # fmt: skip


class Door:
    """A console whose people come through a provider. `later_ms`: so much later it is to the console."""

    def __init__(self, seen: Seen, provider: OidcStandin) -> None:
        self.seen, self.provider, self.later_ms = seen, provider, 0
        self.site: Site = seen.site
        self.browser = self.another()

    def settle(self, **more: Any) -> None:
        """With these settings."""
        found = {"client_secret": SECRET, "grants": GRANTS, **more}
        settings = OidcSettings(self.provider.url, CLIENT, **found)
        self.site.settings = replace(self.site.settings, url=self.seen.url, oidc=settings)
        self.site.oidc = Provider(settings, lambda: now_ms() + self.later_ms, timeout_s=1.0)

    def another(self) -> httpx2.Client:
        client = httpx2.Client(base_url=self.seen.url, trust_env=False, verify=False, timeout=10)
        self.seen.clients.append(client)
        return client

    def sent(self, after: str = "/", **headers: str) -> httpx2.Response:
        return self.browser.get("/oidc/start", params={"next": after}, headers=headers)

    def returned(self, sent: httpx2.Response) -> str:
        """Where the provider sends the browser; it agrees."""
        answer = httpx2.get(sent.headers["location"], trust_env=False, verify=False)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def comes(self, after: str = "/") -> httpx2.Response:
        """The whole way, to the last answer of the console."""
        return self.browser.get(self.returned(self.sent(after)))

    def people(self) -> dict[str, User]:
        return {one.name: one for one in accounts.users(self.site.client, self.site.keys)}

    def may(self, name: str) -> Role | str:
        """Of all teams; in words where it is of some."""
        grants = kept(self.people()[name])
        return str(grants) if grants.own else grants.everywhere

    def acts(self, name: str) -> People:
        return People(self.site.client, self.site.keys, Doer(name), now_ms())

    def audit(self) -> list[tuple[str, str]]:
        return [(line.by, line.what) for _, line in accounts.audited(self.site.client, self.site.keys)]

    def is_in(self) -> bool:
        return self.browser.get("/account", headers={"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.fixture
def door(redis_url: str, tmp_path: Path) -> Iterator[Door]:
    with OidcStandin() as provider, console(seeing.site(redis_url, tmp_path)) as seen:
        provider.registered = {f"{seen.url}/oidc/callback"}
        found = Door(seen, provider)
        found.settle()
        yield found


def test_whom_the_provider_knows_is_in_as_their_groups_say(door: Door) -> None:
    door.provider.person = {
        "sub": "u-7",
        "preferred_username": "Anna",
        "groups": ["staff", "payments", "shop", "x"],
    }
    answer = door.comes("/dead?kind=refused")
    assert (answer.status_code, door.is_in()) == (200, True)
    assert 'content="0;url=/dead?kind=refused"' in answer.text, (
        "our own page leads on, so that the cookie is sent"
    )
    anna = door.people()["anna"]
    assert (str(kept(anna)), anna.password) == ("responder of payments, shop", "")
    assert anna.subject == f"{door.provider.url} u-7"
    assert door.audit()[0] == ("anna", "signed in through 127.0.0.1")
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("tocsin="))
    assert all(word in cookie.lower() for word in ("httponly", "samesite=strict", "max-age=86400"))


def test_the_button_is_there_and_the_password_as_well(door: Door) -> None:
    page = door.browser.get("/login").text
    assert "Sign in with 127.0.0.1" in page
    assert 'name="password"' in page
    door.seen.user("root", Role.ADMIN, password=passwords.kept(PASSWORD))
    form = {"name": "root", "password": PASSWORD}
    door.provider.misbehave(*[Misbehaviour(status=500)] * 3)
    entered = door.browser.post("/login", data=form, headers={"sec-fetch-site": "same-origin"})
    assert (entered.status_code, door.is_in()) == (303, True), "the way in when the provider is down"
    assert door.audit()[0] == ("root", "signed in with a password")


def test_what_is_asked_of_the_provider_is_bound_to_this_browser_and_this_once(door: Door) -> None:
    sent = door.sent(host="evil.example", **{"x-forwarded-host": "evil.example"})
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["redirect_uri"] == f"{door.seen.url}/oidc/callback", "never from what a request calls us"
    assert (asked["code_challenge_method"], asked["response_type"], asked["scope"]) == (
        "S256",
        "code",
        "openid profile email",
    )
    cookie = sent.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "samesite=lax", "max-age=600"))
    held = door.browser.cookies["tocsin-away"]
    kept = repr([(key, door.site.client.dump(key)) for key in door.site.client.keys("*")])
    assert [one for one in (held, asked["state"], asked["nonce"]) if one in kept] == []
    again = {
        name: values[0] for name, values in parse_qs(urlsplit(door.sent().headers["location"]).query).items()
    }
    assert [each for each in ("state", "nonce", "code_challenge") if asked[each] == again[each]] == []


def test_two_tabs_both_get_in(door: Door) -> None:
    one, other = door.returned(door.sent("/dead")), door.returned(door.sent("/reports"))
    assert "/dead" in door.browser.get(one).text
    assert "/reports" in door.browser.get(other).text


def test_an_answer_counts_once_in_the_browser_that_asked(door: Door) -> None:
    answer = door.returned(door.sent())
    stranger = door.another().get(answer)
    assert (stranger.status_code, "another browser" in stranger.text) == (403, True)
    assert door.browser.get(answer).status_code == 403, "and then it is used up"
    fresh = door.returned(door.sent())
    assert door.browser.get(fresh).status_code == 200
    door.browser.cookies.delete("tocsin")
    assert door.browser.get(fresh).status_code == 403
    for query in ("", "?state=", "?code=x", "?state=x&code=y", "?error=access_denied"):
        assert door.browser.get(f"/oidc/callback{query}").status_code == 403
    assert not door.is_in()


def test_a_code_that_somebody_else_has_is_no_use(door: Door) -> None:
    """Stolen on its way, and brought to the thief's own browser, which has its own state: PKCE."""
    stolen = parse_qs(urlsplit(door.returned(door.sent())).query)["code"][0]
    door.browser = door.another()
    own = urlsplit(door.returned(door.sent()))
    state = parse_qs(own.query)["state"][0]
    answer = door.browser.get(f"{door.seen.url}/oidc/callback", params={"code": stolen, "state": state})
    assert (answer.status_code, "invalid_grant" in answer.text) == (502, True)
    assert not door.is_in()


LIES: dict[str, Any] = {
    "nonce": lambda claims: {**claims, "nonce": "another"}, "audience": lambda claims: {**claims, "aud": "another"},
    "expired": lambda claims: {**claims, "exp": claims["iat"] - 61}, "issuer": lambda claims: {**claims, "iss": "https://evil.example"},
    "at_hash": lambda claims: {**claims, "at_hash": "AAAA"}, "azp": lambda claims: {**claims, "azp": "another"},
    "nobody": lambda claims: {**claims, "sub": ""}, "early": lambda claims: {**claims, "iat": claims["iat"] + 3_600},
}  # fmt: skip


def test_a_token_that_is_wrong_lets_nobody_in(door: Door) -> None:
    provider = door.provider
    for lie, tell in LIES.items():
        provider.crooked = lambda header, claims, tell=tell: signed(provider.key, header, tell(claims))
        answer = door.comes()
        assert (answer.status_code, door.is_in()) == (502, False), lie
        assert "cannot tell who you are: the ID token" in answer.text, lie
        assert door.audit()[0][1].startswith("failed to sign in: the ID token"), lie
    assert door.people() == {}


def test_a_token_that_is_forged_lets_nobody_in(door: Door) -> None:
    provider, thief = door.provider, ec_key()
    forgeries: list[Any] = [
        lambda header, claims: signed(None, {**header, "alg": "none"}, claims),
        lambda header, claims: signed(public_pem(provider.key), {**header, "alg": "HS256"}, claims),
        lambda header, claims: signed(SECRET.encode(), {**header, "alg": "HS256"}, claims),
        lambda header, claims: signed(thief, header, claims),
        lambda header, claims: signed(thief, {**header, "kid": "thief"}, claims),
        lambda *_: "rubbish",
        lambda *_: 7,
    ]
    for provider.crooked in forgeries:
        assert door.comes().status_code == 502
    assert not door.is_in()
    assert door.people() == {}


def asked_for(door: Door, path: str) -> int:
    return sum(call.path == path for call in door.provider.calls)


def test_a_new_key_is_fetched_once_and_invented_ones_are_not(door: Door) -> None:
    door.comes()
    door.later_ms = AGAIN_MS
    door.provider.rotate()
    assert (door.comes().status_code, asked_for(door, "/jwks")) == (200, 2)
    door.comes()
    assert asked_for(door, "/jwks") == 2, "what is known is not asked for again"
    door.provider.crooked = lambda header, claims: signed(
        ec_key(), {**header, "kid": secrets.token_hex(4)}, claims
    )
    for _ in range(5):
        assert door.comes().status_code == 502
    assert asked_for(door, "/jwks") == 2, "not within a minute of the last time"
    door.later_ms += AGAIN_MS
    door.comes()
    assert asked_for(door, "/jwks") == 3


def test_a_key_that_was_taken_back_counts_no_longer(door: Door) -> None:
    old, kid = door.provider.key, door.provider.kid
    door.comes()
    door.provider.rotate()
    door.provider.crooked = lambda header, claims: signed(old, {**header, "kid": kid}, claims)
    door.later_ms = FRESH_MS
    door.browser = door.another()
    assert (door.comes().status_code, door.is_in()) == (502, False)


ILL = [
    ("openid-configuration", Misbehaviour(status=500), "answers 500"), ("openid-configuration", Misbehaviour(garbage=True), "no JSON"),
    ("openid-configuration", Misbehaviour(hang_up=True), "cannot be reached"),
    ("openid-configuration", Misbehaviour(delay_s=2), "does not answer within 1 s"),
    ("token", Misbehaviour(status=500), "gives no token: 500"), ("token", Misbehaviour(garbage=True), "no JSON"),
    ("token", Misbehaviour(delay_s=2), "does not answer within 1 s"), ("jwks", Misbehaviour(status=500), "answers 500"),
    ("jwks", Misbehaviour(garbage=True), "no JSON"), ("jwks", Misbehaviour(hang_up=True), "cannot be reached"),
]  # fmt: skip


def test_a_provider_that_is_ill_is_named_as_ill(door: Door) -> None:
    for path, how, says in ILL:
        door.settle()
        door.provider.misbehave(replace(how, path=path))
        sent = door.sent()
        answer = sent if sent.status_code != 303 else door.browser.get(door.returned(sent))
        assert (answer.status_code, says in answer.text, "use a password" in answer.text) == (
            502,
            True,
            True,
        ), says
        assert not door.is_in()
    assert door.comes().status_code == 200, "and well again a moment later"


ASTRAY: list[Claims] = [
    {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": "http://evil.example/token"},
    {"token_endpoint": None}, {"jwks_uri": "file:///etc/passwd"}, {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": ["https://x.example"]}, {"end_session_endpoint": "http://evil.example/"},
    {"padding": "x" * 300_000},
]  # fmt: skip


def test_a_description_that_leads_astray_is_not_followed(door: Door) -> None:
    for door.provider.document in ASTRAY:
        assert door.sent().status_code == 502, door.provider.document


def test_no_redirect_is_followed(door: Door) -> None:
    with OidcStandin() as other:
        answers = door.provider.answer

        def elsewhere(asked: Any) -> Any:
            reply = answers(asked)
            if asked.path in {"/token", "/jwks"}:
                return replace(reply, status=307, headers={"Location": f"{other.url}{asked.path}"})
            return reply

        door.provider.answer = elsewhere  # type: ignore[method-assign]
        assert door.comes().status_code == 502
        assert other.calls == [], "no code goes to another host"


def test_an_answer_of_another_provider_is_none(door: Door) -> None:
    evil, right = "https://evil.example", door.provider.url
    for names_itself, door.provider.answers_iss, status in (
        (True, right, 200), (True, evil, 502), (True, None, 502), (False, evil, 502), (False, right, 200),
    ):  # fmt: skip
        door.provider.document = {"authorization_response_iss_parameter_supported": names_itself}
        door.settle()
        assert door.comes().status_code == status


def test_a_wrong_secret_is_said_without_being_shown(door: Door) -> None:
    door.settle(client_secret="not the secret")
    answer = door.comes()
    assert "gives no token: 401, invalid_client" in answer.text
    assert "not the secret" not in answer.text + repr(door.audit()) + repr(door.site.settings)


def test_the_secret_is_shown_as_the_provider_wants_it(door: Door) -> None:
    post, both = ["client_secret_post"], ["client_secret_basic", "client_secret_post"]
    for methods in (post, both, None):
        door.provider.document = {"token_endpoint_auth_methods_supported": methods}
        door.settle()
        assert door.comes().status_code == 200
        assert ("client_secret" in door.provider.done("/token")[-1].form) == (methods == post)


def test_a_client_without_a_secret_proves_itself_by_pkce(door: Door) -> None:
    door.provider.secret = ""
    door.settle(client_secret="")
    assert door.comes().status_code == 200


def test_who_says_no_is_told_so(door: Door) -> None:
    door.provider.refuses = "access_denied"
    answer = door.comes()
    assert (answer.status_code, "127.0.0.1 says access_denied" in answer.text) == (403, True)
    door.provider.refuses = "<script>alert(1)</script>"
    assert "127.0.0.1 says no" in door.comes().text


# ── who they are here ────────────────────────────────────────────────────────────────────────────────────


def test_who_is_in_no_group_is_nobody_or_a_viewer_as_it_is_set(door: Door) -> None:
    door.provider.person["groups"] = ["cooks"]
    answer = door.comes()
    assert (answer.status_code, door.people(), door.is_in()) == (403, {}, False)
    assert "may do nothing here" in answer.text
    door.settle(others=Role.VIEWER)
    assert (door.comes().status_code, door.may("anna")) == (200, Role.VIEWER)


def test_where_the_provider_has_no_groups_roles_are_given_here(door: Door) -> None:
    door.settle(grants={}, others=Role.VIEWER)
    door.comes()
    assert door.may("anna") == Role.VIEWER
    door.seen.user("root", Role.ADMIN)
    door.acts("root").change("anna", grants=Grants(Role.RESPONDER))
    door.comes()
    assert door.may("anna") == Role.RESPONDER


def test_who_loses_their_groups_loses_what_they_had(door: Door) -> None:
    door.comes()
    site = door.site
    door.acts("anna").make_token("ci", ["read"], Grants(Role.ADMIN), now_ms() + HOUR, user="anna")
    door.provider.person["groups"] = ["staff"]
    door.comes()
    assert door.may("anna") == Role.VIEWER, "what the provider says counts, were it the last admin"
    door.provider.person["groups"] = []
    assert door.comes().status_code == 403
    assert not door.is_in()
    assert accounts.tokens(site.client, site.keys) == []


def test_they_are_known_by_their_subject_whatever_they_are_called(door: Door) -> None:
    door.comes()
    door.provider.person["preferred_username"] = "ada"
    door.comes()
    assert list(door.people()) == ["anna"]
    door.provider.person = {"sub": "u-2", "preferred_username": "anna", "groups": ["sre"]}
    door.browser = door.another()
    answer = door.comes()
    assert (answer.status_code, "already who is somebody else" in answer.text) == (403, True)
    assert not door.is_in()


def test_a_local_name_is_not_taken_over_but_joined_by_an_admin(door: Door) -> None:
    door.seen.user("anna", Role.VIEWER, password=passwords.kept(PASSWORD))
    assert door.comes().status_code == 403
    assert door.may("anna") == Role.VIEWER
    door.seen.user("root", Role.ADMIN)
    door.acts("root").change("anna", subject=f"{door.provider.url} u-1")
    assert (door.comes().status_code, door.may("anna")) == (200, Role.ADMIN)


def test_who_is_disabled_stays_out_in_every_way(door: Door) -> None:
    door.comes()
    door.seen.user("root", Role.ADMIN)
    people = door.acts("root")
    _, secret = people.make_token("ci", ["read"], Grants(Role.VIEWER), now_ms() + HOUR, user="anna")
    people.set_password("anna", passwords.kept(PASSWORD))
    people.disable("anna")
    assert not door.is_in()
    door.provider.person["groups"] = ["staff"]
    answer = door.comes()
    assert (answer.status_code, "anna is disabled" in answer.text) == (403, True)
    assert door.may("anna") == Role.ADMIN, "nothing of theirs is touched meanwhile"
    form = {"name": "anna", "password": PASSWORD}
    assert (
        door.browser.post("/login", data=form, headers={"sec-fetch-site": "same-origin"}).status_code == 401
    )
    bearer = {"authorization": f"Bearer {secret}"}
    assert door.browser.get("/api/v1/me", headers=bearer).status_code == 401
    people.enable("anna")
    assert door.browser.get("/api/v1/me", headers=bearer).status_code == 200
    assert door.comes().status_code == 200


def test_groups_may_stand_elsewhere(door: Door) -> None:
    door.settle(groups_claim="realm_access.roles", name_claim="email")
    door.provider.person = {
        "sub": "u-1",
        "email": "anna@example.com",
        "realm_access": {"roles": ["payments"]},
    }
    door.comes()
    assert door.may("anna@example.com") == "responder of payments"


def test_groups_that_the_token_lacks_are_asked_for_and_are_of_the_same_person(door: Door) -> None:
    door.provider.thin = True
    assert door.comes().status_code == 200
    assert door.may("anna") == Role.ADMIN
    provider = door.provider
    provider.crooked = lambda header, claims: signed(provider.key, header, {**claims, "sub": "u-9"})
    assert "speaks of somebody else" in door.comes().text


def test_a_name_that_will_not_do_is_said_with_the_way_out(door: Door) -> None:
    for name in ("Anna Lovelace", "", "x" * 65, "../anna", "\u202eanna", 7, None):
        door.provider.person["preferred_username"] = name
        answer = door.comes()
        assert (answer.status_code, "TOCSIN_CONSOLE_OIDC_NAME_CLAIM" in answer.text) == (403, True), name


def test_leaving_goes_through_the_provider_and_back(door: Door) -> None:
    door.comes()
    token = door.browser.cookies["tocsin-identity"]
    assert read(token)["sub"] == "u-1"
    left = door.browser.post("/logout", headers={"sec-fetch-site": "same-origin"})
    where = json.loads('"' + left.text.split("0;url=")[1].split('"')[0].replace("&amp;", "&") + '"')
    assert where.startswith(f"{door.provider.url}/logout?")
    answer = httpx2.get(where, trust_env=False, verify=False)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{door.seen.url}/login")
    assert not door.is_in()
    assert "tocsin-identity" not in door.browser.cookies


def test_leaving_ends_here_where_the_provider_offers_nothing_or_is_ill(door: Door) -> None:
    door.provider.document = {"end_session_endpoint": None}
    door.comes()
    assert (
        door.browser.post("/logout", headers={"sec-fetch-site": "same-origin"}).headers["location"]
        == "/login"
    )
    assert not door.is_in()


def test_who_asks_too_often_waits(door: Door) -> None:
    answers = [door.sent().status_code for _ in range(101)]
    assert (answers[-2], answers[-1]) == (303, 429)


def test_without_a_provider_there_is_no_such_way(redis_url: str, tmp_path: Path) -> None:
    with console(seeing.site(redis_url, tmp_path)) as seen:
        for path in ("/oidc/start", "/oidc/callback?code=x&state=y"):
            assert seen.client.get(seen.url + path).status_code == 403
        assert "Sign in with" not in seen.client.get(f"{seen.url}/login").text
