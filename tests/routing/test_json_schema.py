"""What editors check the configuration by takes what we take, and shows what a person would write."""

from collections.abc import Iterator
from typing import Any

import pytest
import shipped
from jsonschema import Draft202012Validator

from ledger import policies
from routing.json_schema import SHAPES, file_of, json_schema, purpose
from routing.schema.yaml_marks import read

FILES = shipped.files() | policies.read_tests(shipped.FOLDER)


def told(file: str, data: Any) -> list[str]:
    return [
        error.message
        for error in Draft202012Validator(json_schema(file, shipped.vendors())).iter_errors(data)
    ]


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in it."""
    if isinstance(schema, dict):
        yield schema
    for each in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from parts(each)


@pytest.mark.parametrize("file", SHAPES)
def test_every_file_has_a_sound_schema_that_says_what_it_is_for(file: str) -> None:
    schema = json_schema(file, shipped.vendors())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["title"], schema["description"]) == (file, purpose(file))
    assert schema["description"]
    assert "$id" not in schema
    assert schema["additionalProperties"] is False
    assert schema == json_schema(file, shipped.vendors())


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_file_fits(name: str) -> None:
    file = file_of(name)
    assert file
    assert told(file, read(name, FILES[name]).data) == []


@pytest.mark.parametrize("file", SHAPES)
def test_every_field_says_what_it_is(file: str) -> None:
    """An editor shows it where the field is written."""
    schema = json_schema(file, shipped.vendors())
    for name, part in {"": schema, **schema.get("$defs", {})}.items():
        silent = [field for field, form in part.get("properties", {}).items() if not form.get("description")]
        assert silent == [], name


@pytest.mark.parametrize("file", SHAPES)
def test_what_it_shows_can_be_written(file: str) -> None:
    """Each default and each example fits what it stands beside."""
    schema = json_schema(file, shipped.vendors())
    shown = [part for part in parts(schema) if isinstance(part.get("examples"), list) or "default" in part]
    for part in shown:
        own = Draft202012Validator(part | {"$defs": schema.get("$defs", {})})
        for value in [*part.get("examples", ()), *([part["default"]] if "default" in part else ())]:
            assert list(own.iter_errors(value)) == [], value


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("routes.yaml", "routes.yaml"),
        ("routes", "routes.yaml"),
        ("config/routes.yaml", "routes.yaml"),
        ("/etc/tocsin/oncall.yaml", "oncall.yaml"),
        ("config/runbooks/rollback.yaml", "runbooks/*.yaml"),
        ("runbooks/*.yaml", "runbooks/*.yaml"),
        ("runbooks", "runbooks/*.yaml"),
        ("tests/sunday-night.yaml", "tests/*.yaml"),
        ("config/runbooks/routes.yaml", "runbooks/*.yaml"),
        ("rotues.yaml", None),
        ("", None),
    ],
)
def test_a_file_is_known_by_the_end_of_its_path(path: str, file: str | None) -> None:
    assert file_of(path) == file


MATCH = {"name": "x", "severity": "SEV-2"}


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("severity.yaml", {"rules": [MATCH | {"match": 'kind="a", team!="b"'}]}),
        ("severity.yaml", {"rules": [MATCH | {"match": ['kind="a"', "team!~b.*"]}]}),
        ("severity.yaml", {"rules": [MATCH | {"match": {"kind": "a", "team": ["b", "c"]}}]}),
        ("severity.yaml", {"rules": [MATCH | {"match": 'kind="a"', "when": {"cel": "labels.env == 'prod'"}}]}),
        ("severity.yaml", {"vendor_severity": {"Anything At All": "SEV-1"}}),
        ("calendar.yaml", {"hours": {"late": {"timezone": "UTC", "weekly": ["Mon - Wed, SUN 22:00-06:00"]}}}),
        ("process.yaml", {"updates": {"every": "1h5m", "from": "commander"}}),
        *[("oncall.yaml", {"schedules": {"x": {"timezone": "UTC", "rotation": {
            "contacts": ["a", ["b", "c"]], "start": "2026-01-05T09:00", "every": every}}}})
          for every in ("1w", "12h", "monthly", "3 months", ["1 month", "monthly"], ["weekly", "5d"])],
        *[("tocsin.yaml", {"levels": {f"SEV-{n}": {"meaning": "m", "respond": "5m", "resolve": resolve}
                                      for n in range(5)}}) for resolve in ("4h", "next sprint", "this sprint", None)],
        ("oncall.yaml", {"contacts": {"a": {"title": "A", "methods": {"m": {"channel": "c", "address": "d"}},
                                            "page": {"default": ["m", {"method": "m", "after": "3m"}]}}}}),
        ("channels.yaml", {"channels": {"x": {"vendor": "email", "settings": {"port": 587, "host": "${SMTP_HOST:-}"}}}}),
    ],
)  # fmt: skip
def test_short_forms_and_other_names_are_taken(file: str, data: Any) -> None:
    assert [message for message in told(file, data) if "required property" not in message] == []


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("severity.yaml", {"rules": [MATCH | {"match": []}]}),
        ("severity.yaml", {"rules": [MATCH | {"match": {"a b": "c"}}]}),
        ("severity.yaml", {"rules": [MATCH | {"match": 'a="b"', "when": {"rego": "x"}}]}),
        (
            "severity.yaml",
            {"rules": [MATCH | {"match": 'a="b"', "scope": {"value": "labels.x", "bands": {"x1": "y"}}}]},
        ),
        ("severity.yaml", {"vendor_severity": {"critical": "SEV-0"}}),
        ("calendar.yaml", {"holidays": {"poland": ["2026-13-01"]}}),
        ("calendar.yaml", {"hours": {"late": {"timezone": "UTC", "weekly": ["mon 9:00-17:00"]}}}),
        ("calendar.yaml", {"hours": {"late": {"timezone": "UTC", "weekly": ["mo n 09:00-17:00"]}}}),
        ("services.yaml", {"services": {"site": {"tier": "1"}}}),
        (
            "oncall.yaml",
            {
                "schedules": {
                    "x": {"timezone": "UTC", "rotation": {"contacts": [], "start": "2026-01-05T09:00"}}
                }
            },
        ),
        ("tocsin.yaml", {"warn_at": "100%"}),
        ("routes.yaml", {"route": {"escalation": "x", "group_by": [], "at_once": "SEV-2"}}),
        ("channels.yaml", {"channels": {"Big One": {"vendor": "email"}}}),
        ("channels.yaml", {"channels": {"x": {"vendor": "email", "settings": {"host": "a${SMTP_HOST}"}}}}),
    ],
)
def test_what_is_written_wrong_is_refused(file: str, data: Any) -> None:
    assert [message for message in told(file, data) if "required property" not in message]


def step(**more: Any) -> dict[str, Any]:
    return {"diagnose": [{"id": "health", "action": "http.probe", **more}]}


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("channels.yaml", {"channels": {"x": {"vendor": "twilio_voice", "settings": {"rings": 3}}}}, "'rings' was unexpected"),
        ("channels.yaml", {"channels": {"x": {"vendor": "twilio_voice"}}}, "'settings' is a required property"),
        ("actions.yaml", {"actions": {"vercel": {"tokn": "${X}"}}}, "'tokn' was unexpected"),
        ("sources.yaml", {"sources": {"x": {"vendor": "strype", "secrets": ["${X}"]}}}, "'strype' is not one of"),
        ("runbooks/*.yaml", step(), "'params' is a required property"),
        ("runbooks/*.yaml", {"remediate": [{"id": "a", "action": "vercel.rollback", "params": {"project": "x", "to": "y"}}]},
         "'recover' is a required property"),
        ("runbooks/*.yaml", {"remediate": [{"id": "a", "action": "vercel.rollback", "undo": {"action": "vercel.promot"}}]},
         "{'action': 'vercel.promot'} is not valid"),
        ("runbooks/*.yaml", step(action="vercel.rollback"), "'vercel.rollback' is not one of"),
    ],
)  # fmt: skip
def test_it_knows_the_vendors_and_what_each_takes(file: str, data: Any, said: str) -> None:
    assert any(said in message for message in told(file, data)), told(file, data)


def test_a_value_a_vendor_takes_may_be_decided_later() -> None:
    settings = {
        "account_sid": "${A}",
        "api_key": "${B}",
        "api_secret": "${C}",
        "from_number": "${D}",
        "ring_s": "${E}",
    }
    data = {"channels": {"x": {"vendor": "twilio_voice", "settings": settings}}}
    assert told("channels.yaml", data) == []
