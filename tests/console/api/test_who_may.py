"""Every route of the API, asked by everybody: who may not do it is turned away, and has done and read nothing."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from api_world import World, furnish
from desk import Desk

from console.api.openapi import operations
from console.trust.acts import Role, Scope
from console.trust.grants import Grants, stored
from ledger import accounts, dead, wire
from routing.entry import Lane, decode_entry

pytestmark = [pytest.mark.xdist_group("api")]
OPERATIONS = list(operations())

BODIES: dict[str, Any] = {
    "Opening": {"title": "x", "team": "payments"},
    "Note": {"text": "x"},
    "Following": {},
    "Snooze": {"for": "1h"},
    "To": {"to": "ben"},
    "Role": {"role": "incident commander", "to": "ben"},
    "Into": {"into": "INC-2"},
    "Grade": {"severity": "SEV-3"},
    "Review": {"impact": "x"},
    "Body": {"text": "{}"},
    "Which": {"ids": ["dl-refused"]},
    "Setting": {"matchers": ['a="b"'], "for": "1h", "reason": "x"},
    "Trying": {"matchers": ['a="b"']},
    "Swapping": {"schedule": "primary", "one": "anna", "other": "ben"},
    "Temporary": {"schedule": "primary", "shifts": [
        {"contact": "ben", "from": "2026-12-24T09:00:00Z", "until": "2026-12-25T09:00:00Z"}]},
    "Importing": {"schedule": "primary", "calendar": "none"},
    "Start": {"incident": "INC-1"},
    "Reason": {"reason": "x"},
    "Switch": {"on": False},
    "Pressed": {"text": "4"},
    "Vouching": {},
    "Returning": {"code": "123456"},
    "Previewing": {},
    "Labels": {"labels": {"severity": "SEV-1"}},
    "Scenario": {"scenario": "title: x"},
    "Replaying": {"ids": ["u1-0"]},
    "Change": {"files": {"config/routes.yaml": "route: {escalation: nowhere}"}},
    "Wording": {"name": "x", "condition": "status != 200"},
    "Word": {"status": "investigating"},
    "Mail": {"subject": "x"},
    "Adding": {"name": "new"},
    "Changing": {"role": "viewer"},
    "Making": {"name": "x", "scopes": ["admin"], "for": "1m"},
    "Sample": {"sample": "no such sample"},
}  # fmt: skip
"""A body that each takes, by its name; by the name and its module where two have one."""
BODIES |= {
    "console.api.oncall.Setting": {"schedule": "primary", "contact": "ben"},
    "console.api.trials.Trying": {},
    "console.api.public.Trying": {},
    "console.api.sources.Body": {"body": "{}"},
    "console.api.policy.Which": {"runbooks": ["rollback"]},
}

REHEARSALS = {
    ("POST", "/dead/{id}/check"), ("POST", "/silences/preview"), ("POST", "/sources/{name}/test"),
    ("POST", "/channels/{channel}/preview"), ("POST", "/policy/route"), ("POST", "/policy/simulate"),
    ("POST", "/policy/compare"), ("POST", "/policy/runbook-tests"), ("POST", "/probes/draft"),
}  # fmt: skip
"""All that a viewer may do besides reading: nothing changes by it."""
OF_ADMINS = {
    ("GET", "/users"), ("POST", "/users"), ("GET", "/users/{user}"), ("PATCH", "/users/{user}"), ("DELETE", "/users/{user}"),
    ("POST", "/users/{user}/invite"), ("POST", "/users/{user}/disable"), ("POST", "/users/{user}/enable"),
    ("GET", "/users/{user}/sessions"), ("DELETE", "/users/{user}/sessions"), ("DELETE", "/users/{user}/sessions/{session}"),
    ("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", "/tokens/{id}"), ("GET", "/audit"), ("GET", "/backup"),
}  # fmt: skip
"""What takes an admin, reading it included."""
OF_ALL_TEAMS = {
    ("PUT", "/dead/{id}/body"), ("POST", "/dead/{id}/restore"), ("POST", "/dead/retry"), ("POST", "/dead/drop"),
    ("POST", "/sources/{name}/pause"), ("POST", "/sources/{name}/resume"), ("POST", "/sources/{name}/samples"), ("PUT", "/kill-switch"), ("PUT", "/freeze"),
    ("POST", "/events/{id}/replay"), ("POST", "/events/replay"), ("POST", "/gaps/{name}/ask"),
    ("POST", "/silences"),
}  # fmt: skip
"""What nobody may who belongs to some teams only."""
OF_AN_INCIDENT = ("/incidents/{id}/", "/runs/", "/outbox/{delivery}/", "/runbooks/{id}/run")


@dataclass(frozen=True)
class Persona:
    name: str
    grants: Grants = field(default_factory=Grants)
    scopes: tuple[Scope, ...] = tuple(Scope)
    lasts_ms: int = 3_600_000
    known: bool = True
    owner: Grants | None = None
    """What the user may whose token it is; None where it stands for itself."""


PERSONAS = [
    Persona("nobody", known=False),
    Persona("expired", Grants(Role.ADMIN), lasts_ms=-1),
    Persona("viewer"),
    Persona("reader", Grants(Role.ADMIN), (Scope.READ,)),
    Persona("no-reader", Grants(Role.ADMIN), (Scope.ADMIN,)),
    Persona("other-team", Grants.limited(Role.RESPONDER, ["platform"])),
    Persona("this-team", Grants.limited(Role.RESPONDER, ["payments"])),
    Persona("mixed", Grants.of(Role.VIEWER, {"platform": Role.ADMIN, "payments": Role.RESPONDER})),
    Persona("lent", Grants(Role.ADMIN), owner=Grants.limited(Role.RESPONDER, ["platform"])),
    Persona("responder", Grants(Role.RESPONDER)),
    Persona("admin", Grants(Role.ADMIN)),
]
LIKE = {"lent": "other-team", "mixed": "this-team"}
"""Who may the same as somebody else, but for what an admin of a team sees. All roles x teams: tests/console/test_trust.py."""
OF_TEAM_ADMINS = {("GET", "/users"), ("GET", "/users/{user}")}
"""Of people an admin of a team sees who may what. They give roles for their team alone: a test of its own has that."""


@pytest.fixture(scope="module")
def places(at: World) -> dict[str, str]:
    """INC-1 and what belongs to it are of the team payments."""
    at.post("/incidents", {"title": "x", "severity": "SEV-1", "team": "payments"}, 201)
    return furnish(at)


def may(persona: Persona, method: str, path: str) -> bool:
    """As this page has it, not as the code does."""
    name = LIKE.get(persona.name, persona.name)
    if name in {"nobody", "expired"}:
        return False
    if (method, path) in OF_TEAM_ADMINS and persona.name == "mixed":
        return True
    if (method, path) in OF_ADMINS:
        return name in {"admin", "no-reader"}
    if name == "no-reader":
        return False
    if method == "GET" or (method, path) in REHEARSALS:
        return True
    if name in {"viewer", "reader"}:
        return False
    of_payments = path.startswith(OF_AN_INCIDENT) or (method, path) == ("POST", "/incidents")
    if name == "other-team" and of_payments:
        return False
    return name not in {"other-team", "this-team"} or (method, path) not in OF_ALL_TEAMS


def body_of(operation: Any) -> Any:
    if operation.body is None:
        return None
    found = BODIES.get(f"{operation.body.__module__}.{operation.body.__name__}")
    return BODIES[operation.body.__name__] if found is None else found


def done_by(desk: Desk, name: str, *, audited: bool = True) -> list[str]:
    """Everything that was appended, changed or audited in this name."""
    found = []
    for lane in Lane:
        for _, fields in wire.call(desk.client, "XRANGE", desk.keys.log(lane), "-", "+"):
            entry = decode_entry(fields[b"e"])
            if entry.by == name:
                found.append(type(entry).__name__)
    letters = dead.listing(desk.client, desk.keys, status="", limit=100).letters
    found += [each.id for each in letters if name in {each.by, each.edited_by}]
    lines = accounts.audited(desk.client, desk.keys, 1_000) if audited else []
    return found + [line.what for _, line in lines if line.by == name]


def token_of(at: World, persona: Persona) -> str:
    if not persona.known:
        return ""
    if persona.owner:
        owner = accounts.User(name=persona.name, **stored(persona.owner))
        accounts.put_user(at.seen.redis, at.seen.site.keys, owner)
    return at.seen.token(
        persona.name, persona.grants, *persona.scopes, lasts_ms=persona.lasts_ms, per_minute=1_000_000,
        user=persona.name if persona.owner else "",
    )  # fmt: skip


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda each: each.name)
def test_nobody_reads_or_does_what_is_not_theirs(persona: Persona, at: World, places: dict[str, str]) -> None:
    wrong, allowed = [], 0
    at.seen.user("zoe")  # whom one before may have removed
    with at.client(token_of(at, persona)) as client:
        for operation in OPERATIONS:
            path = operation.path.format(**places)
            if operation.streams:
                with client.stream(operation.method, path) as answer:
                    assert (answer.status_code == 200) is may(persona, operation.method, operation.path)
                continue
            answer = client.request(operation.method, path, json=body_of(operation))
            expected = may(persona, operation.method, operation.path)
            allowed += expected
            if (answer.status_code not in {401, 403}) is not expected or answer.status_code >= 500:
                wrong.append((operation.method, operation.path, answer.status_code, answer.text[:100]))
            if not expected:
                assert "INC-1" not in answer.text
                assert "retry-after" not in answer.headers
    assert wrong == []
    if persona.name in {"nobody", "expired", "viewer", "reader", "no-reader"}:
        assert done_by(at.desk, persona.name, audited=persona.name != "no-reader") == []
    if persona.name in {"this-team", "mixed", "responder", "admin"}:
        assert len(done_by(at.desk, persona.name)) > 10, "this page would see what is done"
        beyond = len(OF_ADMINS - {("GET", "/backup")}) if persona.name != "admin" else 0
        beyond -= len(OF_TEAM_ADMINS) if persona.name == "mixed" else 0
        beyond += len(OF_ALL_TEAMS) if persona.name in {"this-team", "mixed"} else 0
        assert allowed == len([each for each in OPERATIONS if not each.streams]) - beyond


def test_who_acts_for_another_team_has_changed_no_incident_of_this_one(
    at: World, places: dict[str, str]
) -> None:
    told = at.get("/incidents/INC-1/timeline")["timeline"]
    assert [each for each in told if "other-team" in each["what"] or "lent" in each["what"]] == []
    assert any("this-team" in each["what"] for each in told), "this page would see it"


def test_who_acts_for_some_teams_mutes_theirs_alone(at: World) -> None:
    grants = Grants.of(Role.VIEWER, {"platform": Role.ADMIN, "payments": Role.RESPONDER, "web": Role.VIEWER})
    with at.client(at.seen.token("mutes", grants, *Scope)) as client:
        for matchers, may_ in (
            (['team="payments"', 'a="b"'], True), (["team=platform"], True), (['team="web"'], False),
            (['team=~"payments"'], False), (['team!="web"'], False), (['a="b"'], False), (['xteam="payments"'], False),
            (['team="web"', 'team="payments"'], True),
        ):  # fmt: skip
            sent = {"matchers": matchers, "for": "1m", "reason": "x"}
            answer = client.post("/silences", json=sent)
            assert (answer.status_code == 403) is not may_, (matchers, answer.text)
            assert may_ or answer.json()["hint"] == 'add the matcher team="payments"'


def test_an_admin_of_a_team_gives_roles_for_it_and_nothing_else(at: World) -> None:
    grants = Grants.of(Role.VIEWER, {"payments": Role.ADMIN, "platform": Role.RESPONDER})
    at.seen.user("moe", Role.RESPONDER, "platform")
    with at.client(at.seen.token("chief", grants, *Scope)) as client:
        assert client.patch("/users/moe", json={"grants": {"payments": "admin"}}).status_code == 200
        for beyond in (
            {"grants": {"platform": "none"}}, {"grants": {"platform": "admin"}}, {"grants": {"all": "responder"}},
            {"grants": {"payments": "none", "web": "viewer"}}, {"role": "responder", "teams": ["payments"]},
            {"role": "viewer", "teams": []}, {"contact": "ben"}, {"subject": "https://accounts.example.com u-1"},
        ):  # fmt: skip
            assert client.patch("/users/moe", json=beyond).status_code == 403, beyond
        shown = client.get("/users/moe").json()
        assert (shown["grants"], shown["contact"]) == (
            {"all": "viewer", "payments": "admin", "platform": "responder"},
            "",
        )
        assert client.patch("/users/moe", json={"grants": {"payments": "none"}}).status_code == 200
        reads = at.seen.token("reads", grants, Scope.READ)
    with at.client(reads) as client:
        assert client.patch("/users/moe", json={"grants": {"payments": "admin"}}).status_code == 403


def test_each_route_of_the_application_declares_its_act(at: World) -> None:
    from console.serving.app import routes
    from console.trust.guard import act_of

    assert [route for route in routes() if act_of(route.endpoint) is None] == []  # type: ignore[attr-defined]
