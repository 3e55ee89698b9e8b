"""Tasks: a runbook that repairs nothing finds out what there is, and hands over to a person."""

from dataclasses import replace
from typing import Any

import pytest
import shipped
from small_policy import HERE, POLICY, ROLLBACK, START, World, firing, resolved
from telling import do, lines, only, pages, told

from routing.audit import audit
from routing.calendar.hours import Hours, Span
from routing.decision import Table
from routing.effect import Deliver, Step
from routing.entry import Outcome, SwitchSet, Verb
from routing.errors import Fault
from routing.incident import Phase
from routing.instant import DAY, HOUR, MINUTE
from routing.load import load
from routing.policy import Guard, Policy, Runbook, Task
from routing.run import Run
from routing.schema.runbook_tests import read_tests
from routing.severity import Severity
from routing.simulation import Simulation
from routing.simulation.proving import prove

TASK = Task("look at {{ deployments.current.uid }}", (("contact", "cto"),), 4 * HOUR, HERE)
LOOK = replace(
    ROLLBACK, id="look", title="Look at the deployment", remediate=(), verify=None, followups=(), task=TASK,
    guards=(ROLLBACK.guards[0],), when_severity=(), target="site:{{ incident.id }}",
)  # fmt: skip


def policy(*books: Runbook, **more: Any) -> Policy:
    return replace(POLICY, runbooks=books or (LOOK,), **more)


def began(policy: Policy, world: World | None = None, after_ms: int = MINUTE) -> Simulation:
    sim = Simulation(policy, START, world or World())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + after_ms)
    return sim


def run(sim: Simulation) -> Run:
    found = sim.state.tables[Table.RUN]["INC-1-r1"]
    assert isinstance(found, Run)
    return found


def test_the_page_waits_for_no_task_and_the_paged_learn_what_was_found() -> None:
    sim = began(policy())
    assert pages(sim)[0] == (0, "anna", "voice")
    assert str(run(sim).phase) == "handed_over"
    assert run(sim).why == (
        "to Cto: look at dpl_bad (found: health, deployments; see: tocsin incidents show INC-1)"
    )
    assert ("cto", "Task of INC-1: look at dpl_bad") in told(sim)
    assert [who for who, text in told(sim) if text.startswith("Runbook look handed over to Cto")] == ["anna"]
    assert len([text for _, text in told(sim) if text.startswith("Runbook look")]) == 1
    sim.pass_time(START + 6 * MINUTE)
    later = [
        each.message.body for _, each in sim.effects if isinstance(each, Deliver) and each.contact == "bob"
    ]
    assert "Tried: Look at the deployment: handed over, to Cto: look at dpl_bad (found:" in later[0]


@pytest.mark.parametrize(("book", "apart"), [(LOOK, True), (ROLLBACK, False)])
def test_its_steps_wait_apart_so_that_no_repair_waits_behind_them(book: Runbook, apart: bool) -> None:
    sim = began(policy(book))
    steps = [each for _, each in sim.effects if isinstance(each, Step)]
    assert len(steps) > 1
    assert {each.evidence for each in steps} == {apart}


def test_it_neither_resolves_the_incident_nor_counts_as_a_failure() -> None:
    sim = began(policy())
    assert only(sim).phase is Phase.TRIGGERED
    records = sim.state.tables[Table.TARGET].values()
    assert {getattr(record, "failures", None) for record in records} == {0}
    assert not any("failed" in line for line in lines(sim))
    assert audit(sim.state, sim.now) == []


def test_whoever_has_it_is_reminded_until_it_is_done_though_the_incident_is_over() -> None:
    sim = began(policy())
    sim.pass_time(START + 9 * HOUR)
    sim.feed(resolved("api-broken", at=sim.now))
    reminders = [who for who, text in told(sim) if text == "Still to do after INC-1: look at dpl_bad"]
    assert reminders == ["cto"] * 2
    sim.pass_time(START + 9 * HOUR + 3 * DAY)
    # One was planned before it was over; from then on it is daily.
    assert len([text for _, text in told(sim) if text.startswith("Still to do")]) == 2 + 1 + 2
    do(sim, Verb.DONE, text="INC-1-r1-task", by="cto")
    sim.pass_time(START + 5 * DAY)
    assert len([text for _, text in told(sim) if text.startswith("Still to do")]) == 5
    (task,) = only(sim).followups
    assert (task.to, task.run, bool(task.done_at)) == ([("contact", "cto")], "INC-1-r1", True)


def test_a_task_for_nobody_is_everyones() -> None:
    gone = replace(TASK, targets=(("schedule", "gone"),))
    sim = began(policy(replace(LOOK, task=gone)))
    assert "Task of INC-1: look at dpl_bad" in [text for who, text in told(sim) if who == "anna"]


@pytest.mark.parametrize(("failing", "found"), [
    ("vercel.deployments", "(found: health; deployments permanent: vercel.deployments says no"),
    ("http.probe", "(found: deployments; health permanent: http.probe says no"),
])  # fmt: skip
def test_what_cannot_be_found_out_stops_no_task(failing: str, found: str) -> None:
    world = World()
    world.refuses[failing] = Outcome.PERMANENT
    sim = began(policy(), world)
    assert str(run(sim).phase) == "handed_over"
    assert found in run(sim).why
    assert only(sim).followups[0].text == (
        "look at (not known)" if failing == "vercel.deployments" else "look at dpl_bad"
    )


def test_a_step_that_needs_what_was_not_found_is_left_out_and_the_next_is_asked() -> None:
    needs = replace(LOOK.diagnose[1], id="needs", params={"project": "{{ health.project }}"})
    sim = began(policy(replace(LOOK, diagnose=(LOOK.diagnose[0], needs, LOOK.diagnose[1]))))
    assert [(each.id, each.outcome) for each in run(sim).steps] == [
        ("health", "ok"), ("needs", "permanent"), ("deployments", "ok"),
    ]  # fmt: skip
    assert str(run(sim).phase) == "handed_over"


@pytest.mark.parametrize("how", ["dead", "asleep"])
def test_workers_that_give_no_answer_do_not_keep_the_task_back_longer_than_the_run_may_take(how: str) -> None:
    world = World()
    getattr(world, how).add("vercel.deployments")
    sim = began(policy(), world, LOOK.timeout_ms + MINUTE)
    assert str(run(sim).phase) == "handed_over"
    assert "(found: health" in run(sim).why
    assert "look: its time was up during diagnose, so it hands over what was found by then" in lines(sim)


def test_where_a_guard_says_that_there_is_nothing_to_do_there_is_no_task() -> None:
    world = World()
    world.health_failures = 0
    sim = began(policy(), world)
    assert str(run(sim).phase) == "stopped"
    assert only(sim).followups == []


def test_a_dry_run_says_what_it_would_have_handed_over() -> None:
    sim = began(policy(replace(LOOK, mode="dry_run")))
    assert run(sim).why.startswith("dry run: would have handed over: look at")
    assert only(sim).followups == []


def test_what_repairs_goes_before_what_only_hands_over_which_follows_where_nothing_was_repaired() -> None:
    def runbooks(later: Runbook) -> list[str]:
        sim = began(policy(LOOK, later), after_ms=10 * MINUTE)
        return [getattr(each, "runbook", "") for each in sim.state.tables[Table.RUN].values()]

    assert runbooks(replace(ROLLBACK, id="later")) == ["later"]
    never = Guard("`false`", "never", "stop", HERE)
    assert runbooks(replace(ROLLBACK, id="later", guards=(never,))) == ["later", "look"]


@pytest.mark.parametrize(("done", "tasks"), [(False, 1), (True, 2)])
def test_what_comes_back_is_the_same_task_until_that_is_done(done: bool, tasks: int) -> None:
    sim = began(policy())
    if done:
        do(sim, Verb.DONE)
    sim.feed(resolved("api-broken", at=sim.now))
    sim.pass_time(sim.now + 12 * MINUTE)
    sim.feed(firing("api-broken", at=sim.now))
    sim.pass_time(sim.now + MINUTE)
    assert only(sim).reopened == 1
    assert len(only(sim).followups) == tasks
    said = "runbook look not run: its task is still to be done: tocsin incidents done INC-1 INC-1-r1-task"
    assert (said in lines(sim)) is not done


def test_a_person_may_ask_for_the_evidence_anew_though_the_task_is_open() -> None:
    sim = began(policy(), after_ms=11 * MINUTE)
    do(sim, Verb.RUN, text="look")
    sim.pass_time(sim.now + MINUTE)
    assert [each.run for each in only(sim).followups] == ["INC-1-r1", "INC-1-r2"]


def test_one_that_can_look_at_nothing_hands_over_at_once_and_no_other_does() -> None:
    needs = replace(LOOK.diagnose[1], params={"project": "{{ incident.labels.nothing }}"})
    blind = replace(LOOK, diagnose=(needs,), guards=())
    sim = began(policy(blind, replace(blind, id="other")))
    assert [each.runbook for each in sim.state.tables[Table.RUN].values() if isinstance(each, Run)] == [
        "look"
    ]
    assert str(run(sim).phase) == "handed_over"
    assert pages(sim)[0][:2] == (0, "anna")


def test_a_page_that_waits_for_its_group_waits_on_when_a_task_is_handed_over() -> None:
    route = replace(POLICY.route, group_wait_ms=2 * MINUTE, at_once=Severity.SEV0)
    sim = began(policy(route=route))
    assert str(run(sim).phase) == "handed_over"
    assert pages(sim) == []
    sim.pass_time(START + 2 * MINUTE)
    assert pages(sim)[0] == (120, "anna", "voice")
    (page,) = {
        each.message.body for _, each in sim.effects if isinstance(each, Deliver) and each.channel == "voice"
    }
    assert "handed over, to Cto" in page


def test_what_ends_before_its_group_s_wait_is_told_to_nobody_though_a_task_was_looked_into() -> None:
    world = World()
    world.asleep.add("vercel.deployments")
    sim = began(policy(route=replace(POLICY.route, group_wait_ms=2 * MINUTE, at_once=Severity.SEV0)), world)
    sim.feed(resolved("api-broken", at=sim.now))
    assert (str(run(sim).phase), told(sim)) == ("stopped", [])


def test_a_change_freeze_stops_no_task_and_the_kill_switch_does() -> None:
    always = Hours("sale", "UTC", (Span(frozenset(range(7)), 0, 1440),), frozenset(), HERE)
    assert str(run(began(policy(freeze=always))).phase) == "handed_over"
    sim = Simulation(policy(), START, World())
    sim.feed(SwitchSet(at=START, by="anna", name="kill", on=True))
    sim.feed(firing("api-broken"))
    assert str(run(sim).phase) == "refused"
    assert pages(sim)


FILE = "runbooks/look.yaml"
SOUND = """\
id: look
version: 1
title: Look at the site
match: ['kind="SiteDown"']
target: "site:{{ incident.id }}"
mode: auto
timeout: 5m
diagnose:
  - {id: health, action: http.probe, params: {url: /api/health-check}}
guards:
  - {require: "!(health.ok)", reason: the site must be down}
task:
  text: find out why {{ health.failures }} looks failed
  to: {contact: commander}
  remind: 24h
tests:
  - name: it is down
    happens: [{at: 0s, event: {source: alertmanager, kind: SiteDown}}]
    given: {health: {ok: false, failures: 3}}
    expect: {ends: handed_over, because: find out why 3 looks failed}
  - name: nobody can look
    happens: [{at: 0s, event: {source: alertmanager, kind: SiteDown}}]
    fails: {health: permanent}
    expect: {ends: handed_over, because: nothing was found}
  - name: it is up again
    happens: [{at: 0s, event: {source: alertmanager, kind: SiteDown}}]
    given: {health: {ok: true}}
    expect: {ends: stopped}
"""
REPAIR = """\
remediate:
  - {id: rollback, action: vercel.rollback, params: {project: prj, to: dpl}, recover: irreversible}
"""
VERIFY = "verify: {action: http.probe, params: {url: /}, until: ok, for: 1m}\n"


def faults(text: str) -> list[Fault]:
    return list(shipped.faults({**shipped.files(), f"config/{FILE}": text}))


def line(text: str, part: str) -> int:
    return next(number for number, each in enumerate(text.split("\n"), start=1) if part in each)


def test_a_runbook_with_a_task_needs_no_verify() -> None:
    assert faults(SOUND) == []
    loaded = load({**shipped.files(), f"config/{FILE}": SOUND}, shipped.vendors())
    assert [prove(loaded, each).failure for each in read_tests(FILE, SOUND, loaded)] == ["", "", ""]


@pytest.mark.parametrize(("text", "at", "found", "fix"), [
    (SOUND + REPAIR, "- {id: rollback", "both a task and a repair", "write remediate and verify, or a task"),
    (SOUND.replace("task:", "task_:"), "", "neither a repair nor a task", "write remediate and verify, or a task"),
    (SOUND + VERIFY, "verify:", "verify of a task, which repairs nothing", "remove it"),
    (SOUND + "followups: [{text: tidy up, remind: 1d}]\n", "followups:", "followups of a task", "into the task's text"),
    (SOUND.replace("mode: auto", "mode: approve\napproval: {from: [{contact: cto}], within: 5m}"), "text: find",
     "mode approve, and a task", "write mode: auto"),
    (SOUND.replace("health.failures }} looks", "helth.failures }} looks"), "text: find", 'no step "helth" before it', "did you mean"),
    (SOUND.replace("contact: commander", "contact: nobody_known"), "to: {contact", 'no contact "nobody_known"', ""),
    (SOUND.replace("fails: {health: permanent}", "given: {health: {}}"), "- name: it is down",
     "no test in which it hands over although a step fails", "fails: {<step>: permanent}"),
    (SOUND.replace("ends: handed_over", "ends: failed"), "- name: it is down", "no test in which it hands over", "ends: handed_over"),
    (SOUND.replace("ends: stopped", "ends: refused"), "- name: it is down", "no test in which there is nothing to do", "ends: stopped"),
])  # fmt: skip
def test_what_is_neither_a_task_nor_a_repair_is_refused_at_its_line(
    text: str, at: str, found: str, fix: str
) -> None:
    told_ = [each for each in faults(text) if each.found.startswith(found)]
    assert len(told_) == 1, [str(each) for each in faults(text)]
    assert (told_[0].file, fix in told_[0].fix) == (f"config/{FILE}", True)
    assert told_[0].line == (line(text, at) if at else 1)
