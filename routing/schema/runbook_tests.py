"""`tests` of a runbook: what its steps find, and how the run must end then. `tocsin check` plays them."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from routing.instant import HOUR
from routing.policy import Policy
from routing.schema.fields import Many, Some, Text
from routing.schema.part import Part, Spot
from routing.schema.refusal import Refusal
from routing.schema.scenario import HappeningPart, happenings, known_to
from routing.schema.yaml_marks import read
from routing.simulation.proving import RunbookTest
from routing.simulation.scenario import Answering, Behaviour, Scenario

_START_AT = round(datetime(2026, 1, 7, 12, tzinfo=UTC).timestamp() * 1000)
_LONGEST_MS = 12 * HOUR


class EndPart(Part):
    ends: Literal["succeeded", "stopped", "refused", "failed", "waiting", "handed_over"] = Field(
        description="how the run ends"
    )
    changes: Many[str] = Field(default=(), description="the steps that changed something, in order")
    because: str = Field(default="", description="words its reason holds")


class RunbookTestPart(Part):
    name: Text = Field(description="what is proven, like the alert has cleared already")
    happens: Some[HappeningPart] = Field(description="what starts it, as in a scenario")
    given: dict[str, Any] = Field(
        default={}, description="by step, what it gives, like health: {failures: 3}"
    )
    fails: dict[str, Annotated[Answering, Field(strict=False)]] = Field(
        default={}, description="by step, how it fails, like rollback: permanent"
    )
    expect: EndPart = Field(description="ends, and changes or because")


def missing(tests: tuple[RunbookTestPart, ...], *, hands_over: bool) -> list[Refusal]:
    """What every runbook has to prove of itself: that it helps, and that it does nothing where nothing is wrong.

    One that only hands over has to prove as well that it does so when nothing can be found out.
    """
    found, end = [], "handed_over" if hands_over else "succeeded"
    ends = [each for each in tests if each.expect.ends == end]
    if not ends:
        what = "it hands over" if hands_over else "it succeeds"
        found.append(Refusal(f"no test in which {what}", f"add one to tests: with expect: {{ends: {end}}}"))
    if hands_over and ends and not any(each.fails for each in ends):
        fix = "add one to tests: with fails: {<step>: permanent} and expect: {ends: handed_over}"
        found.append(Refusal("no test in which it hands over although a step fails", fix))
    if not any(each.expect.ends == "stopped" and not each.expect.changes for each in tests):
        fix = "add one to tests: with expect: {ends: stopped}, like the alert has cleared already"
        found.append(Refusal("no test in which there is nothing to do", fix))
    return found


def read_tests(file: str, text: str, policy: Policy) -> list[RunbookTest]:
    """The tests in a runbook's file, of which the policy was loaded."""
    document = read(file, text)
    data = document.data if isinstance(document.data, dict) else {}
    spot, found = Spot(document).at("tests"), []
    for number, item in enumerate(data.get("tests") or ()):
        part = RunbookTestPart.model_validate(item, context=known_to(policy))
        found.append(_build(part, spot.at(number), str(data.get("id", "")), policy))
    return found


def _build(part: RunbookTestPart, spot: Spot, runbook: str, policy: Policy) -> RunbookTest:
    gives = [Behaviour(origin=spot.origin, step=step, gives=output) for step, output in part.given.items()]
    fails = [Behaviour(origin=spot.origin, step=step, answers=how) for step, how in part.fails.items()]
    scenario = Scenario(
        name=f"{runbook}: {part.name}",
        title=part.name,
        timezone="UTC",
        start_at=_START_AT,
        longest_ms=_LONGEST_MS,
        exactly=False,
        happenings=tuple(
            each
            for number, happening in enumerate(part.happens)
            for each in happenings(happening, spot.at("happens", number), policy, _START_AT)
        ),
        world=(*fails, *gives),
    )
    expected = part.expect
    return RunbookTest(runbook, scenario, expected.ends, expected.changes, expected.because, spot.origin)
