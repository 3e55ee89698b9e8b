"""Hold what a scenario brought against what it expects."""

from collections.abc import Iterator
from dataclasses import dataclass

from routing import duration
from routing.decision import Table
from routing.delivery import Purpose
from routing.errors import Fault
from routing.incident import Incident, Phase
from routing.policy import Policy
from routing.reason import Origin
from routing.run import Run
from routing.simulation.play import Played, Sent
from routing.simulation.scenario import Expectation, Scenario, Subject


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold: where it is written, what it says, what was found instead."""

    origin: Origin
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.origin}: expected {self.expected}; found: {self.found}"

    @property
    def fault(self) -> Fault:
        """The same among the faults of the configuration."""
        found = f"expected {self.expected}, and found: {self.found}"
        fix = f"mend the policy or the expectation; see how it came: tocsin simulate {self.origin.file}"
        return Fault(self.origin.file, self.origin.line, 1, "expect", found, fix)


@dataclass(frozen=True, slots=True)
class Judged:
    played: Played
    failures: tuple[Failure, ...]


def rehearse(policy: Policy, scenario: Scenario) -> Judged:
    """Play the scenario under the policy, and judge every expectation at its instant."""
    played, failures = Played(policy, scenario), list[Failure]()
    looks = [each for each in scenario.expectations if each.until_ms is not None]
    marks = [(each.after_ms, 0, each) for each in scenario.happenings]
    marks += [(each.until_ms or 0, 1, each) for each in looks]  # type: ignore[misc]
    for after_ms, _, mark in sorted(marks, key=lambda each: each[:2]):
        played.until(scenario.start_at + after_ms)
        if isinstance(mark, Expectation):
            failures += _judge(played, mark)
        else:
            played.happen(mark)
    played.finish()
    for each in scenario.expectations:
        if each.until_ms is None:
            failures += _judge(played, each)
    failures += [
        Failure(each.origin, "somebody who was paged to answer", "nobody had paged them")
        for each in played.unanswered
    ]
    return Judged(played, tuple(sorted(failures, key=lambda each: (each.origin.file, each.origin.line))))


def _judge(played: Played, expectation: Expectation) -> Iterator[Failure]:
    found = _FINDERS[expectation.subject](played, expectation)
    if found:
        yield Failure(expectation.origin, _said(expectation), found)


def _messages(played: Played, expectation: Expectation) -> str:
    """What was found instead; empty when it is as expected."""
    paged = expectation.subject is Subject.PAGED
    of_contact = [each for each in played.sent
                  if each.contact == expectation.name and (each.purpose is Purpose.PAGE) is paged]  # fmt: skip
    hits = [each for each in of_contact if _within(played.scenario, expectation, each.at)
            and expectation.channel in {"", each.channel}]  # fmt: skip
    if bool(hits) is not expectation.never:
        return ""
    told = ", ".join(_when(played.scenario, each) for each in (hits or of_contact)[:5])
    return told or f"{expectation.name} was not {expectation.subject} by then"


def _when(scenario: Scenario, sent: Sent) -> str:
    return f"{sent.channel} after {duration.text(sent.at - scenario.start_at)}"


def _order(played: Played, expectation: Expectation) -> str:
    pages = [each for each in played.sent if each.purpose is Purpose.PAGE
             and _within(played.scenario, expectation, each.at)]  # fmt: skip
    order = tuple(dict.fromkeys(each.contact for each in pages))
    return "" if order == expectation.names else (", then ".join(order) or "nobody paged")


def _runs(played: Played, expectation: Expectation) -> str:
    runs = [each for each in played.simulation.state.tables[Table.RUN].values() if isinstance(each, Run)
            and each.runbook == expectation.name]  # fmt: skip
    hits = [each for each in runs if _within(played.scenario, expectation, each.started_at)
            and expectation.ends in {"", str(each.phase)}]  # fmt: skip
    if bool(hits) is not expectation.never:
        return ""
    return (
        ", ".join(f"{each.id} {each.phase}: {each.why}" for each in runs) or f"{expectation.name} did not run"
    )


def _incident(played: Played, expectation: Expectation) -> str:
    incidents = played.simulation.incidents()
    hits = [each for each in incidents if _is(each, expectation)]
    if bool(hits) is not expectation.never:
        return ""
    return "; ".join(_facts(each) for each in incidents) or "no incident"


def _incidents(played: Played, expectation: Expectation) -> str:
    incidents = played.simulation.incidents()
    if len(incidents) == expectation.count:
        return ""
    return f"{len(incidents)}: " + ("; ".join(_facts(each) for each in incidents) or "none")


def _is(incident: Incident, expectation: Expectation) -> bool:
    wanted = (
        (expectation.status, str(incident.phase)),
        (expectation.service, incident.service),
        (expectation.title, incident.title),
        (expectation.name, incident.id),
    )
    level = expectation.severity
    return (level is None or incident.severity is level) and all(a in {"", b} for a, b in wanted)


def _facts(incident: Incident) -> str:
    by = f" by {incident.resolved_by}" if incident.phase is Phase.RESOLVED else ""
    return f"{incident.id} {incident.severity} {incident.phase}{by}: {incident.title} ({incident.service})"


def _within(scenario: Scenario, expectation: Expectation, at: int) -> bool:
    after = at - scenario.start_at
    return expectation.from_ms <= after and (expectation.until_ms is None or after <= expectation.until_ms)


def _said(each: Expectation) -> str:
    no = "not " if each.never else ""
    facts = (each.name, " then ".join(each.names), each.status, str(each.severity or ""), each.service, each.title,
             each.ends, "" if each.count is None else str(each.count))  # fmt: skip
    what = " ".join(fact for fact in facts if fact)
    by = f" by {each.channel}" if each.channel else ""
    since = f" after {duration.text(each.from_ms)}" if each.from_ms else ""
    until = f" within {duration.text(each.until_ms)}" if each.until_ms is not None else ""
    return f"{no}{each.subject.value.replace('_', ' ')} {what}{by}{since}{until}"


_FINDERS = {
    Subject.PAGED: _messages,
    Subject.TOLD: _messages,
    Subject.PAGED_IN_ORDER: _order,
    Subject.RAN: _runs,
    Subject.INCIDENT: _incident,
    Subject.INCIDENTS: _incidents,
}
