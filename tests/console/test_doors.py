"""The console's doors: who gets in, who does not, and what every answer carries."""

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import httpx2
import msgspec
import pytest
import seeing
import shipped
from seeing import Seen, console
from starlette.routing import Route

from console.serving.app import routes
from console.trust import passwords, welcoming
from console.trust.acts import Act, Role, Scope
from console.trust.grants import Grants, kept
from console.trust.guard import act_of
from console.trust.people import Doer, Mistaken, People
from console.trust.signing_in import BY_BOTH
from ledger import accounts, dead, policies
from ledger.clock import now_ms

PASSWORD = "four words in a row"
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def seen(redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    with console(seeing.site(redis_url, tmp_path)) as found:
        found.client.base_url = httpx2.URL(found.url)
        yield found


def enter(seen: Seen, name: str = "anna", password: str = PASSWORD, **more: str) -> httpx2.Response:
    form = {"name": name, "password": password, "next": more.pop("after", "/")}
    return seen.client.post("/login", data=form, headers=more or SAME)


def test_every_route_says_which_act_it_is() -> None:
    assert [route for route in routes() if not (isinstance(route, Route) and act_of(route.endpoint))] == []


def test_the_link_that_is_printed_makes_the_first_admin_once(seen: Seen) -> None:
    link = welcoming.greet(seen.site)
    path = link.removeprefix(seen.site.settings.origin)
    assert "first admin" in seen.client.get(path).text
    assert "first admin" in seen.client.get(path).text, "looking at it does not use it up"
    short = seen.client.post(path, data={"name": "anna", "password": "short"}, headers=SAME)
    assert (short.status_code, "12 characters" in short.text) == (422, True)
    begun = seen.client.post(path, data={"name": "Anna", "password": PASSWORD}, headers=SAME)
    assert (begun.status_code, begun.headers["location"]) == (303, "/")
    assert accounts.users(seen.redis, seen.site.keys)[0].role == Role.ADMIN
    seen.client.cookies.clear()
    assert enter(seen).status_code == 303
    seen.client.cookies.clear()
    again = seen.client.post(path, data={"name": "mallory", "password": PASSWORD}, headers=SAME)
    assert again.status_code == 403
    assert [one.name for one in accounts.users(seen.redis, seen.site.keys)] == ["anna"]
    assert welcoming.greet(seen.site) == "", "nobody is asked again"


def test_a_password_lets_in_and_another_does_not_and_the_cookie_is_for_us_alone(seen: Seen) -> None:
    seen.user("anna", Role.ADMIN, password=passwords.kept(PASSWORD))
    for name, wrong in (("anna", "another one entirely"), ("nobody", PASSWORD), ("anna", "")):
        refused = enter(seen, name, wrong)
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    assert seen.client.get("/").headers["location"] == "/login"
    entered = enter(seen, "ANNA ")
    cookie = entered.headers["set-cookie"].lower()
    assert entered.status_code == 303
    assert all(word in cookie for word in ("httponly", "samesite=strict", "path=/"))
    assert [line.what for _, line in accounts.audited(seen.redis, seen.site.keys)].count(
        "failed to sign in"
    ) == 3


def test_signing_out_ends_the_session_for_good(seen: Seen) -> None:
    client = seen.signed_in("anna")
    secret = client.cookies["tocsin"]
    assert client.post("/logout").headers["location"] == "/login"
    client.cookies.set("tocsin", secret)
    assert client.get("/readyz").status_code == 200
    assert client.post("/logout").status_code == 401


def test_who_guesses_waits_and_who_is_signed_in_does_not(seen: Seen) -> None:
    seen.user("anna", password=passwords.kept(PASSWORD))
    client = seen.signed_in("ben")
    tries = [enter(seen, password="wrong wrong wrong").status_code for _ in range(BY_BOTH + 1)]
    assert tries == [401] * BY_BOTH + [429]
    late = enter(seen)
    assert late.status_code == 429, "the right one has to wait too, or it would be told apart"
    assert 0 < int(late.headers["retry-after"]) <= 900
    assert client.post("/logout").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"}, {"origin": "null"}, {},
    ],
)  # fmt: skip
def test_no_other_sites_page_acts(seen: Seen, headers: dict[str, str]) -> None:
    seen.user("anna", password=passwords.kept(PASSWORD))
    assert enter(seen, **headers or {"x-nothing": "1"}).status_code == 403
    client = seen.signed_in("anna")
    del client.headers["sec-fetch-site"]
    assert client.post("/logout", headers=headers).status_code == 403


def test_an_older_browser_is_known_by_its_origin(seen: Seen) -> None:
    seen.user("anna", password=passwords.kept(PASSWORD))
    assert enter(seen, origin=seen.url).status_code == 303


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/healthz", "/static/console.css"])
def test_every_answer_is_framed_by_nobody_runs_nothing_inline_and_is_not_kept(seen: Seen, path: str) -> None:
    answer = seen.client.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] in {"no-store", "no-cache"}
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", answer.text)


@pytest.mark.parametrize(
    "after", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\\..b"]
)
def test_signing_in_leads_to_no_other_host(seen: Seen, after: str) -> None:
    seen.user("anna", password=passwords.kept(PASSWORD))
    assert enter(seen, after=after).headers["location"] == "/"


def test_who_comes_from_a_mail_is_not_asked_to_sign_in_again(seen: Seen) -> None:
    """The cookie is not sent along from another site's page: our own page asks once more."""
    first = seen.client.get("/", headers={"sec-fetch-site": "cross-site"})
    assert first.status_code == 200
    assert 'http-equiv="refresh"' in first.text
    assert seen.client.get("/?x=1").headers["location"] == "/login?next=/%3Fx%3D1"


def test_static_files_are_ours_alone_and_kept_by_their_digest(seen: Seen) -> None:
    named = re.search(r'href="(/static/console\.css\?v=\w+)"', seen.client.get("/login").text)
    assert named
    assert "immutable" in seen.client.get(named[1]).headers["cache-control"]
    for path in (
        "/static/../trust/people.py",
        "/static/%2e%2e/live.py",
        "/static/vendor/htmx.LICENSE",
        "/static/",
    ):
        assert seen.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "site", "packed"),
    [
        ("/static/console.css", "same-origin", True), ("/static/console.css", "none", True),
        ("/static/console.css", "", True), ("/static/console.css", "cross-site", False),
        ("/static/console.css", "same-site", False), ("/", "same-origin", True), ("/account", "same-origin", True),
        ("/account/token", "same-origin", False), ("/people/anna/link", "same-origin", False),
        ("/outbox/INC-1-d1", "same-origin", False), ("/outbox", "same-origin", True),
    ],
)  # fmt: skip
def test_no_length_tells_another_site_a_secret(seen: Seen, path: str, site: str, packed: bool) -> None:
    anna = seen.signed_in("anna", Role.ADMIN)
    answer = anna.get(path, headers={"accept-encoding": "gzip", "sec-fetch-site": site})
    assert (answer.headers.get("content-encoding", "") == "gzip") is packed


def test_a_body_without_end_is_cut_off(seen: Seen) -> None:
    assert seen.client.post("/login", content=b"x" * 3_000_000, headers=SAME).status_code == 413


def test_headers_without_end_are_cut_off(seen: Seen) -> None:
    address = urlsplit(seen.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as link:
        link.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000)
        assert link.recv(65_536).startswith(b"HTTP/1.1 431 ")
    assert seen.client.get("/healthz").status_code == 200


def test_a_token_is_limited_by_the_minute(seen: Seen) -> None:
    secret = seen.token("ci", Role.VIEWER, Scope.READ, per_minute=3)
    asked = [seen.client.get("/live?since=x", headers={"authorization": "Bearer no"}).status_code]
    headers = {"authorization": f"Bearer {secret}"}
    asked += [seen.client.post("/logout", headers=headers).status_code for _ in range(4)]
    assert asked == [401, 303, 303, 303, 429]


def test_the_last_admin_stays(seen: Seen) -> None:
    people = People(seen.redis, seen.site.keys, Doer("anna"), now_ms())
    people.add("anna", Grants(Role.ADMIN))
    for wrong in (
        lambda: people.remove("anna"),
        lambda: people.disable("anna"),
        lambda: people.change("anna", grants=Grants.limited(Role.ADMIN, ["web"])),
    ):
        with pytest.raises(Exception, match="last admin"):
            wrong()
    people.add("ben", Grants(Role.ADMIN))
    people.remove("anna")
    assert [one.name for one in accounts.users(seen.redis, seen.site.keys)] == ["ben"]


def test_two_admins_who_take_it_from_each_other_at_once_leave_one(seen: Seen) -> None:
    def people() -> People:
        return People(seen.redis, seen.site.keys, Doer("root"), now_ms())

    def demote(name: str, together: Barrier) -> None:
        together.wait(10)
        with suppress(Mistaken):
            people().change(name, grants=Grants(Role.VIEWER))

    with ThreadPoolExecutor(2) as threads:
        for _ in range(20):
            names, together = ("anna", "ben"), Barrier(2)
            for name in names:
                seen.user(name, Role.ADMIN)
            list(threads.map(demote, names, [together] * 2))
            left = [
                one.name
                for one in accounts.users(seen.redis, seen.site.keys)
                if kept(one) == Grants(Role.ADMIN)
            ]
            assert len(left) == 1


def test_whoever_is_disabled_while_they_come_in_stays_so(seen: Seen) -> None:
    """What one knows of somebody when one begins to change them may be old when it is put."""
    keys, asked = seen.site.keys, list[int]()
    seen.user("root", Role.ADMIN)
    seen.user("anna", Role.VIEWER)

    def change() -> accounts.User:
        known = accounts.user(seen.redis, keys, "anna")
        assert known
        asked.append(known.disabled_at)
        if len(asked) == 1:
            People(seen.redis, keys, Doer("root"), 7).disable("anna")
        return msgspec.structs.replace(known, role="responder")

    accounts.change_user(seen.redis, keys, "anna", change)
    anna = accounts.user(seen.redis, keys, "anna")
    assert anna
    assert (anna.role, anna.disabled_at, asked) == ("responder", 7, [0, 7])


def test_a_new_password_ends_every_session(seen: Seen) -> None:
    client = seen.signed_in("anna", Role.ADMIN)
    People(seen.redis, seen.site.keys, Doer("anna"), now_ms()).set_password("anna", passwords.kept(PASSWORD))
    assert client.post("/logout").status_code == 401


@pytest.mark.parametrize("act", [Act.PUBLIC])
def test_what_needs_nobody_is_no_more_than_doors_and_liveness(act: Act) -> None:
    public = {route.path for route in routes() if isinstance(route, Route) and act_of(route.endpoint) is act}
    assert {path for path in public if not path.startswith("/api/")} == {
        "/healthz", "/readyz", "/login", "/welcome/{secret}", "/static/{name:path}", "/oidc/start",
        "/oidc/callback",
    }  # fmt: skip


def test_a_new_token_is_shown_once_and_works(seen: Seen) -> None:
    client = seen.signed_in("anna", Role.RESPONDER)
    made = client.post("/account/token", data={"name": "ci", "scope": "incidents", "for": "1d"})
    assert made.headers["location"] == "/account/token"
    (secret,) = set(re.findall(r"tocsin_[\w-]{20,}", client.get("/account/token").text))
    assert "tocsin_" not in client.get("/account/token").text
    assert seen.client.get("/readyz", headers={"authorization": f"Bearer {secret}"}).status_code == 200
    (token,) = accounts.tokens(seen.redis, seen.site.keys)
    assert (token.user, token.scopes, token.role) == ("anna", ["incidents", "read"], "responder")
    client.post("/account/token/end", data={"token": token.id})
    assert accounts.tokens(seen.redis, seen.site.keys) == []


def test_a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions(seen: Seen) -> None:
    one, other = seen.signed_in("anna"), seen.signed_in("anna")
    seen.user("anna", password=passwords.kept(PASSWORD))
    wrong = one.post("/account/password", data={"old": "not this one", "new": "another four words"})
    assert (wrong.status_code, "not your password" in wrong.text) == (422, True)
    assert (
        one.post("/account/password", data={"old": PASSWORD, "new": "another four words"}).status_code == 303
    )
    assert one.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert enter(seen, password="another four words").status_code == 303


def test_an_admin_adds_somebody_by_a_link_that_is_shown_once(seen: Seen) -> None:
    admin = seen.signed_in("root", Role.ADMIN)
    policies.publish(seen.redis, seen.site.keys, shipped.files(), shipped.vendors(), shipped.policy(), "test")
    form = {"role": "viewer", "team:payments": "responder", "team:platform": "admin", "team:web": "none"}
    added = admin.post("/people", data={"name": "ben", **form})
    assert added.headers["location"] == "/people/ben/link"
    shown = admin.get("/people/ben/link").text
    (path,) = re.findall(r"/welcome/[\w-]+", shown)
    assert "/welcome/" not in admin.get("/people/ben/link").text
    assert seen.client.post(path, data={"password": PASSWORD}, headers=SAME).status_code == 303
    ben = accounts.user(seen.redis, seen.site.keys, "ben")
    assert ben
    assert str(kept(ben)) == "admin of platform; responder of payments"
    assert seen.signed_in("vera", Role.VIEWER).get("/people").status_code == 403
    assert admin.post("/people/ben/remove").status_code == 303
    assert accounts.user(seen.redis, seen.site.keys, "ben") is None


def test_an_admin_of_a_team_sees_who_may_what_and_gives_roles_for_it(seen: Seen) -> None:
    policies.publish(seen.redis, seen.site.keys, shipped.files(), shipped.vendors(), shipped.policy(), "test")
    chief = seen.signed_in("chief", Role.ADMIN, "payments")
    seen.user("ben", Role.RESPONDER, "platform")
    page = chief.get("/people").text
    assert all(part in page for part in ("responder of platform", 'name="team:payments"', 'href="/people"'))
    for beyond in (
        'name="role"',
        'name="contact"',
        'name="team:platform"',
        "/remove",
        "Add somebody",
        "Tokens",
        "Audit",
    ):
        assert beyond not in page
    assert chief.post("/people/ben/role", data={"team:payments": "responder"}).status_code == 303
    for form in (
        {"team:platform": "admin"},
        {"role": "admin"},
        {"contact": "anna"},
        {"other": "web", "other-role": "admin"},
    ):
        assert chief.post("/people/ben/role", data=form).status_code == 403, form
    ben = accounts.user(seen.redis, seen.site.keys, "ben")
    assert ben
    assert (str(kept(ben)), ben.contact) == ("responder of payments, platform", "")


def test_without_a_database_a_page_says_so_and_liveness_does_not_depend_on_it(tmp_path: Path) -> None:
    with console(seeing.site("redis://127.0.0.1:9", tmp_path)) as away:
        client = away.client
        assert client.get(f"{away.url}/healthz").status_code == 200
        client.cookies.set("tocsin", "anything")
        page = client.get(f"{away.url}/")
        assert (page.status_code, page.headers["retry-after"]) == (503, "2")
        assert "The database does not answer" in page.text
        assert client.get(f"{away.url}/readyz").status_code == 503


def test_a_line_of_a_megabyte_makes_no_page_of_a_megabyte(seen: Seen) -> None:
    raw = b'{"line": "' + b"x\xe2\x80\xae<" * 200_000 + b'"}'
    letter = dead.bury_now(seen.redis, seen.site.keys, dead.refused("x", "y" * 100_000, raw, now_ms()))
    client = seen.signed_in("anna")
    policies.publish(seen.redis, seen.site.keys, shipped.files(), shipped.vendors(), shipped.policy(), "test")
    for path in (f"/dead/{letter}", f"/dead/{letter}?edit=1", f"/dead/{letter}?as=hex", "/dead"):
        page = client.get(path)
        assert (page.status_code, len(page.content) < 350_000, "\u202e" in page.text) == (200, True, False), (
            path
        )
    assert client.get(f"/dead/{letter}/body").content == raw
    assert "attachment" in client.get(f"/dead/{letter}/body").headers["content-disposition"]
