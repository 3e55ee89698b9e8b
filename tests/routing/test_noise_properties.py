"""What holds whatever holds pages back: no end is lost, and a report that is repeated changes nothing."""

from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from noisy import ACKS, CONDITIONS, FLAPPING, SILENCES, report
from small_policy import START, World

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Purpose
from routing.effect import Deliver
from routing.entry import AnyEntry
from routing.incident import Alert, Incident, Phase
from routing.instant import HOUR, SECOND
from routing.simulation import Simulation

STEPS = st.lists(
    st.tuples(st.one_of(CONDITIONS, SILENCES, ACKS), st.booleans(), st.integers(0, 15 * 60)), max_size=25
)


@given(STEPS)
@examples(60)
def test_a_suppressed_alerts_resolve_is_never_lost(
    log: list[tuple[AnyEntry | tuple[str, str], bool, int]],
) -> None:
    """Promise 6: whatever silences, inhibits, explains or holds it, who was paged hears of the end."""
    sim = Simulation(FLAPPING, START, World())
    for what, fires, wait in log:
        if isinstance(what, tuple):
            report(sim, what, fires=fires)
        else:
            sim.feed(what)
        sim.pass_time(sim.now + wait * SECOND)
        assert audit(sim.state, sim.now) == []
    for alert in list(sim.state.tables[Table.ALERT].values()):
        if isinstance(alert, Alert) and alert.firing:
            report(sim, (alert.kind, alert.labels["service"]), fires=False)
    sim.pass_time(sim.now + HOUR)
    assert [each.id for each in sim.incidents() if each.phase is not Phase.RESOLVED] == []
    assert [
        each.fingerprint
        for each in sim.state.tables[Table.ALERT].values()
        if isinstance(each, Alert) and each.firing
    ] == []
    for incident in sim.incidents():
        assert set(incident.paged) <= told_of_the_end(sim, incident), incident.id


def told_of_the_end(sim: Simulation, incident: Incident) -> set[str]:
    """Contacts that were sent a message when or after it was resolved."""
    return {
        effect.contact
        for at, effect in sim.effects
        if isinstance(effect, Deliver)
        and effect.purpose is Purpose.UPDATE
        and at >= incident.resolved_at
        and effect.message.title.startswith(f"[{incident.id}] Resolved")
    }


@given(st.lists(st.tuples(CONDITIONS, st.booleans(), st.integers(0, 15 * 60)), max_size=20))
@examples(60)
def test_a_report_that_comes_twice_changes_nothing(log: list[tuple[tuple[str, str], bool, int]]) -> None:
    once, twice = (_said(log, times) for times in (1, 2))
    assert twice == once


def _said(log: list[tuple[tuple[str, str], bool, int]], times: int) -> tuple[object, ...]:
    """Which alert is in which incident and whether it fires, how incidents stand, and every message."""
    sim = Simulation(FLAPPING, START, World())
    for what, fires, wait in log:
        for _ in range(times):
            report(sim, what, fires=fires)
        sim.pass_time(sim.now + wait * SECOND)
    alerts = [each for each in sim.state.tables[Table.ALERT].values() if isinstance(each, Alert)]
    return (
        [(each.fingerprint, each.incident, each.firing, each.flapping) for each in alerts],
        [
            (each.id, each.title, each.phase, each.firing, each.cause, each.silenced_by)
            for each in sim.incidents()
        ],
        [(at, each.contact, each.message.title) for at, each in sim.effects if isinstance(each, Deliver)],
    )
