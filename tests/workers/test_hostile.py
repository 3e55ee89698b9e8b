"""Whatever a payload says stays a value: it reaches no shell, no text of SQL, no template, no other host or address.

Every action with a text among its parameters and every runbook that ships, enumerated, so that new ones are covered.
What is done with a hostile text must be, but for the text itself, what is done with a harmless one.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import shipped
from every_action import fitting, settings
from overhearing import Overheard, overheard
from pydantic import ValidationError
from redis import Redis
from shop import Shop
from vendor_server import Call, VendorServer
from workshop import Bench, bench, rollback

from ledger import catalogue
from routing.decision import Table
from routing.effect import Step
from routing.entry import Outcome, Signal
from routing.errors import ActionError
from routing.policy import Runbook
from routing.run import Run
from routing.schema.runbook_tests import read_tests
from routing.simulation.play import Played
from routing.simulation.proving import RunbookTest
from workers import remediate

HARMLESS = "harmless-1"
HOSTILE = {
    "quotes": '\'; drop table sessions; -- " or ""=" \\ %s %(x)s $1',
    "a shell": "$(touch SENTINEL) `touch SENTINEL`; touch SENTINEL | touch SENTINEL & touch SENTINEL",
    "a template": "{{ incident.id }} ${HOME} {% raw %} #{7*7}",
    "lines": "one\r\nHost: evil.example\r\n\r\nGET / HTTP/1.1\n",
    "dots": "../../v1/organizations?a=b#c",
    "a host": "//evil.example/x",
    "a user": "@evil.example",
    "an address": "https://evil.example/x",
    "long": "x" * 10_240,
}
WHOLE = " ".join(HOSTILE[name] for name in ("quotes", "a shell", "a template", "lines", "dots", "a host"))
INSTEAD = {("app_admin.reset_sessions", "users"): "everyone", ("app_admin.notify_customers", "users"): "everyone",
           ("http.request", "form"): "json", ("supabase.set_pool", "percent"): "size",
           ("vercel.set_env", "secret"): "value"}  # fmt: skip
"""One of the two may be given."""
KEPT = {"target", "project", "vendor_severity"}
"""Labels that decide by their value whether something happens at all."""
BELOW = {"path", "url"}
"""What stands in an address by design: after the host, which the loader wants written out."""


def texts() -> list[tuple[str, str]]:
    """(action, parameter) of each that takes text that nobody has to write out."""
    return [
        (f"{family}.{name}", field)
        for family in sorted({each.partition(".")[0] for each in shipped.vendors().actions})
        for name, action in catalogue.action(family).ACTIONS.items()
        for field, kind in action.params.model_json_schema().get("properties", {}).items()
        if not kind.get("x-literal") and shaped(kind, "") is not None
    ]


def shaped(kind: Mapping[str, Any], text: str) -> Any:
    """A value of this JSON schema that holds the text; None where none can."""
    for each in (kind, *kind.get("anyOf", ())):
        if "enum" in each or "const" in each:
            continue
        if each.get("type") == "string":
            return text
        if each.get("type") == "array" and "enum" not in each.get("items", {}):
            return None if each.get("items", {}).get("type") == "integer" else [text]
        if each.get("type") == "object":
            return {"x": text, text: "x"}
    return (
        {"x": [text], text: "x"}
        if "type" not in kind and "anyOf" not in kind and "enum" not in kind
        else None
    )


def params(action: str, field: str, text: str) -> Any:
    """Raises ValidationError where the text does not pass."""
    family, _, name = action.partition(".")
    model = catalogue.action(family).ACTIONS[name].params
    schema = model.model_json_schema()
    needed = fitting(action, field, INSTEAD.get((action, field), ""))
    found = {**needed, field: shaped(schema["properties"][field], f"/{text}" if field in BELOW else text)}
    model.model_validate(found)
    return found


@pytest.fixture(scope="module")
def vendor() -> Iterator[VendorServer]:
    """Every vendor there is; it has nothing to say, and takes everything."""
    with VendorServer() as server:
        yield server


@pytest.fixture
def at(redis: Redis, vendor: VendorServer) -> Bench:
    """A worker whose every vendor is this one, with all credentials."""
    vendor.calls.clear()
    return bench(redis, actions=settings(vendor.url), max_running=100)


def done(at: Bench, vendor: VendorServer, action: str, given: Any) -> tuple[list[Call], Overheard]:
    """What reaches vendors, and what this machine does, when a worker takes this step."""
    vendor.calls.clear()
    at.client.flushall()
    effect = at.put(rollback(action=action, params=given, timeout_ms=2_000, mutates=mutates(action)))
    with overheard() as heard:
        remediate.carry_out(at, effect.id, effect.attempt)
    at.done()
    return list(vendor.calls), heard


def mutates(action: str) -> bool:
    return shipped.vendors().actions[action].mutates


def reached(calls: list[Call], text: str) -> list[Any]:
    """Where each call went and what it was made of, whatever the text is."""
    names = [sorted("text" if name == text else name for name in call.query) for call in calls]
    return [
        (call.method, call.headers["host"], call.path.count("/"), queried, len(call.headers), sql(call))
        for call, queried in zip(calls, names, strict=True)
    ]


def sql(call: Call) -> Any:
    """The text of SQL in a body."""
    try:
        body = json.loads(call.body)
    except ValueError:
        return None
    return body.get("query") if isinstance(body, dict) else None


def strays(calls: list[Call], heard: Overheard, host: str, text: str, *, below: bool = False) -> list[str]:
    """Where a text led that should lead nowhere. `below`: it is a path of the host's."""
    found = [f"connected to {name}" for name in heard.names if name not in {"127.0.0.1", "localhost"}]
    found += [f"asked {call.headers['host']}" for call in calls if call.headers["host"] != host]
    parts = [part for call in calls for part in call.path.split("/")]
    found += [f"a path with {part!r}" for part in parts if not below and part in {"..", "."}]
    found += [
        f"a path with {text!r}" for call in calls if not below and text in call.path and not text.isalnum()
    ]
    for program, *arguments in heard.programs:
        if text in program or any(text in each and text != each for each in arguments):
            found.append(f"{program} was told {arguments}")
    return found


@pytest.mark.parametrize(
    ("action", "field"), [each for each in texts() if not each[0].startswith("postgres.")]
)
def test_a_parameter_is_only_ever_a_value(
    at: Bench, vendor: VendorServer, tmp_path: Path, action: str, field: str
) -> None:
    host, sentinel = vendor.url.removeprefix("http://"), tmp_path / "sentinel"
    below = field in BELOW
    try:
        usual = reached(done(at, vendor, action, params(action, field, HARMLESS))[0], HARMLESS)
    except ValidationError:
        usual = None
    for said, template in HOSTILE.items():
        text = template.replace("SENTINEL", str(sentinel))
        try:
            given = params(action, field, text)
        except ValidationError:
            continue
        calls, heard = done(at, vendor, action, given)
        assert strays(calls, heard, host, text, below=below) == [], said
        # Some texts end a step sooner: they are longer, or not of the kind that is meant.
        assert usual is None or below or reached(calls, text) == usual[: len(calls)], said
    assert not sentinel.exists()


@pytest.mark.parametrize(("action", "field"), [each for each in texts() if each[0].startswith("postgres.")])
def test_what_reaches_a_database_is_bound_or_quoted(
    shop: Shop, tmp_path: Path, action: str, field: str
) -> None:
    """What is in the database afterwards is what was there before."""
    shop.owner.execute("CREATE TABLE sessions (who text)")
    shop.owner.execute("INSERT INTO sessions VALUES ('anna')")
    queries = {"queries": json.dumps({"who": "SELECT %(x)s::text AS said"})}
    refused: set[Outcome] = set()
    family = catalogue.action("postgres").ACTIONS[action.partition(".")[2]]
    for said, template in HOSTILE.items():
        text = template.replace("SENTINEL", str(tmp_path / "sentinel"))
        try:
            given = family.params.model_validate(params(action, field, text))
        except ValidationError:
            continue
        try:
            found = family.run(shop.step(settings=queries), given)
        except ActionError as error:
            refused.add(error.outcome)
        else:
            assert field != "values" or found["rows"] == [{"said": text}], said
        assert shop.owner.execute("SELECT who FROM sessions").fetchall() == [("anna",)], said
    assert refused <= {Outcome.PERMANENT}
    assert not (tmp_path / "sentinel").exists()


def longest(book: Runbook) -> RunbookTest:
    """Of the runbook's own tests, the one that goes furthest."""
    name = f"config/runbooks/{book.id}.yaml"
    tests = read_tests(name, shipped.files()[name], shipped.policy())
    return max(tests, key=lambda test: (test.ends in {"succeeded", "handed_over"}, len(test.changes)))


def taken(book: Runbook, text: str) -> list[Step]:
    """The steps of that test, when everything that a sender may write freely is this text."""
    test = longest(book)
    mode = "approve" if book.mode == "approve" else "auto"
    alone = replace(shipped.policy(), runbooks=(replace(book, mode=mode),), scheduled=())
    played = Played(alone, test.scenario)
    for happening in sorted(test.scenario.happenings, key=lambda each: each.after_ms):
        played.until(test.scenario.start_at + happening.after_ms)
        played.happen(replace(happening, what=spoken(happening.what, book, text)))
    runs = played.simulation.state.tables[Table.RUN]
    until = test.scenario.start_at + test.scenario.longest_ms
    while not all(
        isinstance(run, Run) and run.phase.over for run in runs.values()
    ) and played.simulation.step(until):
        pass
    return [each for _, each in played.simulation.effects if isinstance(each, Step)]


def spoken(entry: Any, book: Runbook, text: str) -> Any:
    """The same event in the sender's words. What a rule or a runbook matches by its whole value stays."""
    if not isinstance(entry, Signal):
        return entry
    labels = {name: text for name in {*entry.event.labels, *labels_of(book)} if name not in KEPT}
    kept = {name: value for name, value in entry.event.labels.items() if name in KEPT}
    event = msgspec.structs.replace(
        entry.event,
        labels={**labels, **kept},
        title=text,
        summary=text,
        details={"x": text},
        link=text,
        vendor_id=text,
    )
    return msgspec.structs.replace(entry, event=event)


def labels_of(book: Runbook) -> set[str]:
    """Labels of the incident that its file refers to."""
    return set(re.findall(r"incident\.labels\.(\w+)", shipped.files()[f"config/runbooks/{book.id}.yaml"]))


def put(value: Any, text: str, old: str = HARMLESS) -> Any:
    """The same with this text for the old one."""
    if isinstance(value, str):
        return value.replace(old, text)
    if isinstance(value, Mapping):
        return {name: put(each, text, old) for name, each in value.items()}
    return [put(each, text, old) for each in value] if isinstance(value, list | tuple) else value


BOOKS = {book.id: book for book in shipped.policy().runbooks}


@pytest.mark.parametrize("name", BOOKS)
def test_what_a_sender_writes_is_filled_in_once_and_never_read_again(name: str) -> None:
    book = BOOKS[name]
    usual = taken(book, HARMLESS)
    assert usual, "it never began: what it matches is among what was replaced"
    for said, text in HOSTILE.items():
        assert [told(each) for each in taken(book, text)] == [put(told(each), text) for each in usual], said


def told(step: Step) -> list[Any]:
    return [step.step, step.action, step.params, step.lock, step.idempotency_key]


@pytest.mark.parametrize("name", BOOKS)
def test_a_runbooks_steps_lead_nowhere_else_whatever_a_sender_writes(
    at: Bench, vendor: VendorServer, tmp_path: Path, name: str
) -> None:
    host, sentinel = vendor.url.removeprefix("http://"), tmp_path / "sentinel"
    for text in (WHOLE.replace("SENTINEL", str(sentinel)), HOSTILE["a host"], HOSTILE["dots"]):
        for step in {
            each.step: each for each in taken(BOOKS[name], text) if put(each.params, "", text) != each.params
        }.values():
            calls, heard = done(at, vendor, step.action, step.params)
            assert strays(calls, heard, host, text) == [], f"{step.step}: {text}"
    assert not sentinel.exists()
