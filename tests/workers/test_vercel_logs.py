"""What builds and deployments at Vercel say, bounded in size and in time."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from vendor_server import Misbehaviour
from vercel_standin import VercelStandin

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import vercel


@pytest.fixture
def standin() -> Iterator[VercelStandin]:
    with VercelStandin() as server:
        yield server


def run(name: str, standin: VercelStandin, timeout_s: float = 1.0, **params: Any) -> dict[str, Any]:
    step = Step(settings=standin.settings(), timeout_s=timeout_s, idempotency_key="", now=0)
    action = vercel.ACTIONS[name]
    found: dict[str, Any] = action.run(step, action.params(deployment="dpl_bad", **params))
    return found


def said(number: int, kind: str, text: str) -> dict[str, Any]:
    """One half of Vercel's events have a payload, the other half do not."""
    event: dict[str, Any] = {"type": kind, "created": number}
    return {**event, "payload": {"text": text}} if number % 2 else {**event, "text": text, "info": {}}


def told(at: int, level: str, message: str, status: int = 200) -> dict[str, Any]:
    return {
        "level": level, "message": message, "rowId": f"r{at}", "source": "serverless", "timestampInMs": at,
        "domain": "site.example", "messageTruncated": False, "requestMethod": "GET", "requestPath": "/book",
        "responseStatusCode": status,
    }  # fmt: skip


def test_the_end_of_a_build_is_read_in_the_order_it_was_said(standin: VercelStandin) -> None:
    standin.project.deployments[0].events = [
        said(1, "command", "npm run build"), said(2, "stdout", "compiling"), said(3, "stderr", "Error: no such module"),
        said(4, "exit", ""),
    ]  # fmt: skip
    found = run("build_log", standin)
    assert [line["text"] for line in found["lines"]] == [
        "npm run build",
        "compiling",
        "Error: no such module",
    ]
    assert (found["count"], found["errors"]) == (3, 1)
    assert [line["at"] for line in run("build_log", standin, limit=3, show=1)["lines"]] == [3]
    assert run("build_log", standin, contains="module")["count"] == 1


def test_a_long_build_is_cut_to_what_is_asked_for(standin: VercelStandin) -> None:
    standin.project.deployments[0].events = [said(number, "stdout", "x" * 5_000) for number in range(150)]
    found = run("build_log", standin, limit=120, show=10)
    assert (found["count"], len(found["lines"]), len(found["lines"][0]["text"])) == (120, 10, 500)


def test_a_running_deployment_is_listened_to_for_a_while(standin: VercelStandin) -> None:
    standin.project.deployments[0].runtime = [
        told(1, "info", "start"), told(2, "error", "out of memory", 500), told(3, "warning", "slow", 504),
    ]  # fmt: skip
    began = time.monotonic()
    found = run("runtime_log", standin, project="prj_1")
    assert time.monotonic() - began < 5, "the stream has no end of its own"
    assert (found["count"], found["errors"], found["failed"]) == (3, 1, 2)
    assert found["lines"][1] == {
        "at": 2,
        "level": "error",
        "text": "out of memory",
        "path": "/book",
        "status": 500,
    }
    assert run("runtime_log", standin, project="prj_1", levels=["error"])["count"] == 1


def test_failed_answers_are_counted_by_where_they_fail(standin: VercelStandin) -> None:
    paths = ["/api/book", "/", "/api/book", "/api/pay", "/", "/", "/", "/"]
    standin.project.deployments[0].runtime = [
        {**told(at, "info", "answered", 500 if path.startswith("/api") else 200), "requestPath": path}
        for at, path in enumerate(paths)
    ] + [told(9, "info", "no answer yet", 0)]
    found = run("runtime_log", standin, project="prj_1")
    assert (found["failed"], found["failed_percent"]) == (3, 37.5)
    assert found["paths"] == {"/api/book": 2, "/api/pay": 1}


def test_a_line_that_was_cut_off_is_left_out(standin: VercelStandin) -> None:
    standin.project.deployments[0].runtime = [told(1, "info", "a"), told(2, "info", "b" * 2_000_000)]
    assert [line["text"] for line in run("runtime_log", standin, project="prj_1")["lines"]] == ["a"]


def test_a_deployment_that_says_nothing_is_no_failure(standin: VercelStandin) -> None:
    assert run("runtime_log", standin, project="prj_1")["count"] == 0
    assert run("build_log", standin)["count"] == 0


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        (Misbehaviour(status=401), Outcome.PERMANENT),
        (Misbehaviour(status=404), Outcome.PERMANENT),
        (Misbehaviour(status=429), Outcome.TEMPORARY),
        (Misbehaviour(status=503), Outcome.TEMPORARY),
        (Misbehaviour(hang_up=True), Outcome.TEMPORARY),
        (Misbehaviour(delay_s=30), Outcome.TEMPORARY),
    ],
    ids=["401", "404", "429", "503", "hangs up", "30 s"],
)
@pytest.mark.parametrize(("name", "params"), [("build_log", {}), ("runtime_log", {"project": "prj_1"})])
def test_every_refusal_has_its_class(
    standin: VercelStandin, name: str, params: dict[str, str], how: Misbehaviour, outcome: Outcome
) -> None:
    standin.misbehave(how)
    with pytest.raises(ActionError) as failed:
        run(name, standin, 0.4 if how.delay_s else 5.0, **params)
    assert failed.value.outcome is outcome
