"""The description and the application are one: what it lists is served, and answers say what it says, no more."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from api_world import World, furnish
from described import keeping, labels, tried
from examples import examples
from hypothesis import HealthCheck
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from console.api.declared import PREFIX
from console.api.openapi import document, operations

pytestmark = [pytest.mark.xdist_group("api")]
KNOWN = {
    "id": ["INC-1", "dl-refused", "dl-lost", "slow-site", "rollback"], "run": ["INC-1-r1"], "delivery": ["INC-1-d1"],
    "name": ["stripe", "vercel", "site-health"], "contact": ["anna", "ben"], "channel": ["sms", "email"],
    "user": ["zoe", "ben"],
}  # fmt: skip
"""What is there, for each parameter of a path."""
UNTRIED = [*(PREFIX + each.path for each in operations() if each.streams), PREFIX + "/policy/compare"]
"""What goes on for long: streams, and a week that is played twice for each incident that is open."""
READS = [each for each in operations() if not each.writes and each.answer is not None and not each.streams]


@pytest.fixture(scope="module")
def places(at: World) -> dict[str, str]:
    return furnish(at)


def placed(path: str, places: dict[str, str]) -> str:
    names = {
        "/silences/{id}": "silence", "/oncall/overrides/{id}": "override", "/dead/{id}": "letter",
        "/runbooks/{id}": "runbook", "/trials/{id}": "trial",
    }  # fmt: skip
    name = names.get(path, "id")
    found = {**places, "runbook": "slow-site"}
    return path.replace("{id}", found[name]).format(**places)


@pytest.mark.parametrize("operation", READS, ids=lambda each: each.name)
def test_what_is_read_is_what_the_description_says(operation: Any, at: World, places: dict[str, str]) -> None:
    answer = at.get(placed(operation.path, places))
    operation.answer.model_validate(answer)


@pytest.mark.parametrize("path", ["/incidents/INC-1", "/dead/dl-refused", "/outbox", "/incidents"])
def test_what_came_from_outside_is_quoted_and_nothing_more(
    path: str, at: World, places: dict[str, str]
) -> None:
    with at.client(at.admin) as client:
        answer = client.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert "\x1b" not in answer.text
    assert "<script>" in str(answer.json())


def map_path_parameters(_: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Half of the time about something that is there."""
    found = dict(path_parameters or {})
    for name, value in found.items():
        if len(str(value)) % 2 and name in KNOWN:
            found[name] = KNOWN[name][len(str(value)) // 2 % len(KNOWN[name])]
    return found or path_parameters


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with keeping() as found:
        yield found


def nothing_makes_it_fail(case: Case[Any], at: World, session: requests.Session) -> None:
    told = {"authorization": f"Bearer {at.admin}"}
    response = case.call(base_url=at.seen.url, headers=told, session=session)
    case.validate_response(
        response,
        checks=[
            not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
            negative_data_rejection, unsupported_method,
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def trials() -> dict[str, Any]:
    schema = schemathesis.openapi.from_dict(document()).exclude(path=UNTRIED)
    schema.hook(map_path_parameters)
    few = examples(2, suppress_health_check=list(HealthCheck), derandomize=True)
    return tried(schema, nothing_makes_it_fail, few)


@pytest.mark.usefixtures("places")
@pytest.mark.parametrize("operation", [each for each in labels(document()) if each.split()[1] not in UNTRIED])
def test_nothing_that_is_sent_makes_it_fail(
    operation: str, trials: dict[str, Any], at: World, session: requests.Session
) -> None:
    trials[operation](at=at, session=session)
