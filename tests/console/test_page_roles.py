"""Every page and every act of the console, held against every role: nobody sees or does what is not theirs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import seeing
from desk import Desk
from seeing import Seen, console
from starlette.routing import Route
from working import until

from console.serving.app import routes
from console.trust.acts import Act, Role, Scope
from console.trust.guard import act_of
from ledger import dead, log, sandbox
from ledger.clock import now_ms
from routing.delivery import Purpose
from routing.entry import Lane, Opened
from routing.severity import Severity

PAGES = [
    (route, method)
    for route in routes()
    if isinstance(route, Route) and not route.path.startswith("/api/")
    for method in sorted((route.methods or set()) - {"HEAD"})
]
TEAM = "platform"
OURS = ("/incidents/INC-1", "/dead", "/outbox", "/reports/INC-1", "/runbooks/rollback/run", "/runbooks/runs")


@pytest.fixture
def seen(desk: Desk, redis_url: str, tmp_path: Path) -> Iterator[Seen]:
    entry = Opened(at=now_ms(), by="ben", title="It is open", severity=3, team=TEAM)
    log.append(desk.client, desk.keys, Lane.CONTROL, entry)
    dead.bury_now(desk.client, desk.keys, dead.refused("alertmanager", "unreadable", b"{}", now_ms()))
    unsent = sandbox.Unsent(
        at=now_ms(), delivery="INC-1-d1", attempt=1, incident="INC-1", contact="anna", channel="sms", vendor="twilio_sms",
        to="+48", purpose=Purpose.PAGE, severity=Severity.SEV3, fields={"Body": "it is open"},
    )  # fmt: skip
    sandbox.keep(desk.client, desk.keys, unsent)
    until(lambda: desk.store.incident("INC-1"), 10, "INC-1")
    with console(seeing.site(redis_url, tmp_path)) as found:
        yield found


def path_of(route: Route, desk_letter: str) -> str:
    names = {
        "id": "INC-1",
        "name": "nobody-there",
        "secret": "x",
        "job": "x",
        "delivery": "INC-1-d1",
        "run": "INC-1-r1",
        "form": "md",
    }
    if route.path.startswith("/dead/{id}"):
        names["id"] = desk_letter
    if route.path.startswith("/runbooks/{id}"):
        names["id"] = "rollback"
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: names.get(found[1], "x"), route.path)


def test_each_role_is_let_to_what_its_act_takes_and_to_nothing_else(seen: Seen, desk: Desk) -> None:
    (letter,) = dead.listing(desk.client, desk.keys).letters
    wrong = []
    people = {
        "viewer": seen.signed_in("viewer", Role.VIEWER),
        "responder": seen.signed_in("responder", Role.RESPONDER),
        "other team": seen.signed_in("other", Role.RESPONDER, "another-team"),
        "other admin": seen.signed_in("chief", Role.ADMIN, "another-team"),
        "this team": seen.signed_in("mixed", Role.RESPONDER, TEAM),
        "admin": seen.signed_in("admin", Role.ADMIN),
    }
    for route, method in PAGES:
        verb = act_of(route.endpoint)
        assert verb, route.path
        if verb is Act.PUBLIC or route.path in {"/live", "/logout"}:
            continue
        path = path_of(route, letter.id)
        stranger = seen.client.request(method, seen.url + path, headers={"sec-fetch-site": "same-origin"})
        if stranger.status_code not in {303, 401} or "/login" not in stranger.headers.get(
            "location", "/login"
        ):
            wrong.append(f"{method} {path} lets a stranger in: {stranger.status_code}")
        for name, client in people.items():
            sent = {"do": "drop", "id": letter.id, "incident": "INC-1"} if method == "POST" else None
            found = client.request(method, path, data=sent)
            if found.status_code >= 500 or not _is_right(verb, name, path, found.status_code):
                wrong.append(f"{method} {path} answers {name} with {found.status_code}")
    assert wrong == []


def _is_right(verb: Act, name: str, path: str, status: int) -> bool:
    """Of another team's people it is known what they may not do to what is this team's, or everybody's."""
    if name == "this team":
        return (status == 403) == (verb.of_all or verb.role is Role.ADMIN)
    if not name.startswith("other"):
        return (status == 403) != (verb.role is not None and Role(name).allows(verb.role))
    ours = verb.role is not Role.VIEWER and path.startswith(OURS)
    return status == 403 if ours or verb.of_all else True


def test_a_token_reaches_no_page_beyond_its_scopes(seen: Seen) -> None:
    headers = {"authorization": f"Bearer {seen.token('reader', Role.ADMIN, Scope.READ)}"}
    assert seen.client.get(f"{seen.url}/incidents/INC-1", headers=headers).status_code == 200
    for path in ("/incidents/INC-1/ack", "/dead/chosen", "/people", "/account/token"):
        assert seen.client.post(seen.url + path, headers=headers).status_code == 403, path
