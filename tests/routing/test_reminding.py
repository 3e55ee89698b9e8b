"""What is left undone is said again ever more rarely: nobody stops listening, and nothing is forgotten."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from published import policy as with_process
from small_policy import POLICY, START, firing
from telling import do, lines, only, simulate, told

from routing.entry import Verb
from routing.instant import DAY, HOUR, MINUTE
from routing.reminding import spaced
from routing.severity import Severity
from routing.simulation import Simulation

SPANS = st.integers(0, 60 * DAY)


@given(st.integers(1, 30 * DAY), SPANS, SPANS)
def test_reminders_never_come_sooner_than_asked_for_nor_later_than_a_day_or_that(
    every: int, lasted: int, longer: int
) -> None:
    assert every <= spaced(every, lasted) <= max(every, DAY)
    assert spaced(every, lasted) <= spaced(every, lasted + longer)


def test_a_week_of_silence_is_a_few_reminders_and_not_hundreds() -> None:
    process = with_process().process
    assert process is not None
    sim = simulate(replace(with_process(), process=replace(process, update_ms=15 * MINUTE)))
    sim.feed(firing("site-down"))
    do(sim, Verb.ACK)
    said = [each for each in lines_of_a_week(sim) if each.startswith("no status update for ")]
    assert said[:3] == [f"no status update for {each}; reminded carol" for each in ("15m", "30m", "45m")]
    assert 20 < len(said) < 40
    do(sim, Verb.STATUS, text="looking")
    sim.pass_time(sim.now + 15 * MINUTE)
    assert [each for each in lines(sim) if each.startswith("no status")][-1].startswith(
        "no status update for 15m"
    )


def lines_of_a_week(sim: Simulation) -> list[str]:
    sim.pass_time(START + 7 * DAY)
    return lines(sim)


def test_an_acknowledgement_of_what_lasts_long_holds_longer() -> None:
    levels = {
        key: replace(level, ack_expires_ms=None, resolve_ms=HOUR) for key, level in POLICY.levels.items()
    }
    sim = simulate(replace(POLICY, levels=levels, runbooks=()))
    sim.feed(firing("site-down"))
    do(sim, Verb.ACK)
    sim.pass_time(START + 8 * HOUR)
    do(sim, Verb.ACK)
    acknowledged = sim.now
    sim.pass_time(START + 20 * HOUR)
    expired = next(each.at for key, each in sim.moments if "expired" in each.what and each.at > acknowledged)
    assert expired == acknowledged + 2 * HOUR


def test_whoever_takes_it_again_is_no_news_to_others_until_somebody_else_is_asked() -> None:
    sim = asked_again()
    before = len(told(sim))
    do(sim, Verb.ACK, by="anna")
    assert told(sim)[before:] == [("anna", "anna acknowledged site-down")]
    assert only(sim).asked_again == []


def test_who_was_asked_again_hears_that_somebody_else_has_it_and_so_do_all_others() -> None:
    sim = asked_again()
    before = len(told(sim))
    do(sim, Verb.ACK, by="bob")
    assert {who for who, text in told(sim)[before:] if text == "bob acknowledged site-down"} == {
        "anna",
        "bob",
    }


def test_when_the_next_step_is_paged_the_acknowledgement_after_it_is_told_to_all() -> None:
    sim = asked_again()
    do(sim, Verb.ESCALATE)
    assert only(sim).asked_again == []
    before = len(told(sim))
    do(sim, Verb.ACK, by="anna")
    assert {who for who, _ in told(sim)[before:]} == {"anna", "bob"}


def asked_again() -> Simulation:
    """Anna and bob were paged, anna had it, and is asked whether she still has."""
    level = replace(POLICY.levels[Severity.SEV0], ack_expires_ms=30 * MINUTE)
    sim = simulate(replace(POLICY, levels={**POLICY.levels, Severity.SEV0: level}, runbooks=()))
    sim.feed(firing("site-down"))
    do(sim, Verb.REASSIGN, to="contact:bob")
    do(sim, Verb.REASSIGN, to="schedule:primary")
    do(sim, Verb.ACK, by="anna")
    sim.pass_time(START + 31 * MINUTE)
    assert only(sim).asked_again == ["anna"]
    return sim
