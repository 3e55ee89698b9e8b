"""Reach: which steps of the escalation policies can ever be carried out, and whom anything leads to."""

from collections.abc import Iterator

from routing.escalation import When
from routing.policy.escalation import EscalationPolicy, EscalationStep
from routing.policy.policy import Policy
from routing.policy.schedules import RoundRobin, Schedule
from routing.severity import Severity

_SHIFTS = frozenset({"schedule", "next", "previous"})


def idle_policies(policy: Policy) -> list[EscalationPolicy]:
    """Those no route and no drill leads to, by itself or through another policy."""
    reached = {step.origin for each in _led_to(policy) for step in each.steps}
    return [
        each for each in policy.escalations.values() if all(step.origin not in reached for step in each.steps)
    ]


def idle_steps(policy: Policy) -> list[EscalationStep]:
    """Steps of policies that are led to, whose conditions never hold together, wherever they stand."""
    led_to = [step for each in _led_to(policy) for step in each.steps]
    reached = {step.origin for step in led_to if _can_hold(step)}
    return list({step.origin: step for step in led_to if step.origin not in reached}.values())


def idle_contacts(policy: Policy) -> list[str]:
    """Names of contacts nothing leads to: no step, schedule, team, route, role, service or runbook."""
    used = {policy.last_resort}
    for kind, name in _targets(policy):
        if kind in _SHIFTS and name in policy.schedules:
            used.update(_people(policy.schedules[name]))
        elif kind == "team" and name in policy.teams:
            used.update(policy.teams[name].contacts)
        else:
            used.add(name)
    return [name for name in policy.contacts if name not in used]


def _led_to(policy: Policy) -> list[EscalationPolicy]:
    names = dict.fromkeys(route.escalation for route in policy.routes.values())
    names |= dict.fromkeys(drill.escalation for drill in policy.drills)
    return [policy.escalations[name] for name in names]


def _targets(policy: Policy) -> Iterator[tuple[str, str]]:
    for each in _led_to(policy):
        for step in each.steps:
            yield from step.targets
    for route in policy.routes.values():
        yield from route.inform
    for drill in policy.drills:
        yield from drill.inform
    for role in policy.process.roles if policy.process else ():
        yield role.target
    if policy.process and policy.process.room:
        yield policy.process.room
    for service in policy.services.values():
        if service.owner:
            yield service.owner
    for runbook in policy.runbooks:
        yield from runbook.approval.targets if runbook.approval else ()
        yield from runbook.task.targets if runbook.task else ()


def _people(schedule: Schedule) -> Iterator[str]:
    for layer in schedule.layers:
        if isinstance(layer.people, RoundRobin):
            yield from layer.people.contacts
        else:
            for turn in layer.people.turns:
                yield from turn


def _can_hold(step: EscalationStep) -> bool:
    """Whether some incident fulfils all of it, as far as severities, services, teams and hours tell."""
    asked = [when for when in step.when if not when.negate]
    severities = {int(each) for each in Severity}
    for when in step.when:
        if when.negate and _is_only_severity(when):
            severities -= set(when.severities)
        elif when.severities and not when.negate:
            severities &= set(when.severities)
    inside = {when.during for when in asked if when.during}
    return bool(
        severities
        and _in_common([when.services for when in asked])
        and _in_common([when.teams for when in asked])
        and inside.isdisjoint(when.outside for when in asked)
    )


def _is_only_severity(when: When) -> bool:
    return bool(when.severities) and when == When(severities=when.severities, negate=True)


def _in_common(lists: list[list[str]]) -> bool:
    named = [set(each) for each in lists if each]
    return not named or bool(set.intersection(*named))
