"""Runbooks prove themselves: their own tests are played, and what does not hold is a fault at its line."""

import pytest
import shipped

from routing.load import RUNBOOKS, load
from routing.policy import Policy
from routing.schema.runbook_tests import read_tests
from routing.simulation.proving import Proved, RunbookTest, prove
from routing.simulation.scenario import Answering

NAME = "runbooks/rollback.yaml"


def read_all(files: dict[str, str], policy: Policy) -> list[RunbookTest]:
    return [
        each for name, text in files.items() if RUNBOOKS in name for each in read_tests(name, text, policy)
    ]


def proved(old: str, new: str) -> list[Proved]:
    """The tests of the shipped rollback with one text replaced."""
    files = shipped.spoilt(NAME, old, new)
    policy = load(files, shipped.vendors())
    return [prove(policy, each) for each in read_all(files, policy) if each.runbook == "rollback"]


ALL = read_all(shipped.files(), shipped.policy())


@pytest.mark.parametrize("test", ALL, ids=lambda each: each.scenario.name)
def test_a_shipped_runbook_does_what_it_says_of_itself(test: RunbookTest) -> None:
    assert prove(shipped.policy(), test).failure == ""


@pytest.mark.parametrize("runbook", [each.id for each in shipped.policy().runbooks])
def test_every_shipped_runbook_is_shown_to_help_to_do_nothing_to_be_stopped_and_to_fail(runbook: str) -> None:
    """One that hands over: with all it looks for, with nothing to hand over, and where a step finds nothing."""
    own = [each for each in ALL if each.runbook == runbook]
    if next(each for each in shipped.policy().runbooks if each.id == runbook).task is not None:
        failing = [
            {each.step for each in test.scenario.world if each.answers is not Answering.OK} for test in own
        ]
        handed = [bool(steps) for test, steps in zip(own, failing, strict=True) if test.ends == "handed_over"]
        assert {*handed} == {True, False}
        assert any(each.ends in {"stopped", "refused"} for each in own)
        assert not any(each.changes for each in own)
        return
    assert any(each.ends == "succeeded" and each.changes for each in own)
    assert len([each for each in own if each.ends in {"stopped", "refused"} and not each.changes]) >= 2
    assert any(each.ends == "failed" and each.changes for each in own)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("expect: {ends: succeeded, changes: [rollback]}", "expect: {ends: succeeded}",
         "expected changes by none, and found rollback"),
        ('require: "health.failures >= `3`"', 'require: "health.failures >= `4`"',
         "expected it succeeded, and it stopped; expected changes by rollback, and found none"),
        ("because: must fail its health check", "because: it was tuesday", 'expected "it was tuesday" in its reason'),
        ("kind: SiteDown}}", "kind: SiteSlow}}", "it did not run: nothing that happens fits its match and severity"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_a_fault_at_the_line_of_its_test(old: str, new: str, found: str) -> None:
    (failed, *_) = [each for each in proved(old, new) if each.failure]
    assert found in failed.failure
    assert failed.fault.file == f"config/{NAME}"
    line = shipped.files()[f"config/{NAME}"].splitlines()[failed.fault.line - 1]
    assert failed.test.scenario.title in line
    assert "tocsin runbook test rollback" in failed.fault.fix


def test_a_step_that_a_test_does_not_mention_fails_and_one_may_be_made_to() -> None:
    (failed, *_) = [each for each in proved("      rollback: {requested: true}\n", "") if each.failure]
    assert "the scenario does not say what it gives" in failed.failure
    (failed, *_) = [
        each
        for each in proved("    given:\n", "    fails: {health: permanent}\n    given:\n")
        if each.failure
    ]
    assert "expected it succeeded, and it stopped" in failed.failure


@pytest.mark.parametrize("mode", ["off", "dry_run"])
def test_a_runbook_that_is_off_or_a_dry_run_is_proven_as_if_it_acted(mode: str) -> None:
    mode = f'"{mode}"' if mode == "off" else mode
    assert [each.failure for each in proved("mode: auto", f"mode: {mode}")] == [""] * 5


@pytest.mark.parametrize(
    ("cut_from", "found"),
    [
        ("\ntests:", "no test in which it succeeds"),
        ("  - name: the site answers again by the time", "no test in which there is nothing to do"),
    ],
)
def test_a_runbook_that_does_not_prove_the_least_is_refused(cut_from: str, found: str) -> None:
    files = shipped.files()
    text = files[f"config/{NAME}"]
    files[f"config/{NAME}"] = text[: text.index(cut_from)] + "\n"
    assert found in [each.found for each in shipped.faults(files)]
