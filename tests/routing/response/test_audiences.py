"""Who else hears of an incident: when it is bad enough, how it stands, that it is over; quietly, and once."""

from dataclasses import replace

from published import PROCESS, policy, trouble
from small_policy import HERE, ROLLBACK, START, firing
from telling import do, told
from threaded import Chat, chatting

from routing.decision import Table
from routing.entry import Graded, Verb
from routing.instant import HOUR, MINUTE
from routing.language import matchers
from routing.policy import Approvers, Audience
from routing.run import Run, RunPhase
from routing.severity import Severity
from routing.simulation import Simulation


def heard(sim: Simulation, who: str = "cto") -> list[str]:
    return [text for contact, text in told(sim) if contact == who]


def test_an_audience_hears_of_the_opening_each_status_and_the_end() -> None:
    sim = trouble()
    do(sim, Verb.STATUS, text="the database is being restored")
    do(sim, Verb.RESOLVE)
    sim.pass_time(sim.now + 3 * HOUR)
    assert heard(sim) == [
        "Open: SEV-0 site-down",
        "Status of site-down: the database is being restored (anna)",
        "Resolved: site-down",
    ]


def test_of_what_is_not_bad_enough_it_hears_nothing_until_it_is() -> None:
    sim = trouble(kind="api-broken")
    do(sim, Verb.STATUS, text="looking")
    assert heard(sim) == []
    sim.feed(Graded(at=sim.now, by="anna", incident="INC-1", severity=Severity.SEV0.value))
    assert heard(sim) == ["Open: SEV-0 api-broken"]


def test_who_hears_as_a_responder_hears_nothing_twice() -> None:
    sim = trouble()
    do(sim, Verb.REASSIGN, to="contact:cto")
    before = len(heard(sim))
    do(sim, Verb.RESOLVE)
    assert [text for text in heard(sim)[before:] if text.startswith("Resolved")] == [
        "Resolved: site-down (resolved by anna via the command line)"
    ]


def test_an_audience_in_a_chat_follows_the_incident_but_not_who_has_it() -> None:
    chats = chatting(policy())
    sim = Simulation(chats, START, Chat())
    sim.feed(firing("site-down", at=START))
    for verb in (Verb.ACK, Verb.ESCALATE, Verb.ACK, Verb.RESOLVE):
        sim.pass_time(sim.now + MINUTE)
        do(sim, verb)
    sim.pass_time(sim.now + MINUTE)
    assert heard(sim) == ["Open: SEV-0 site-down", "Resolved: site-down"]
    others = {text for who, text in told(sim) if who != "cto"}
    assert {"anna has it: site-down", "Escalated by anna: site-down"} <= others


def test_a_policy_without_audiences_tells_nobody_else() -> None:
    sim = trouble(replace(policy(), process=None))
    assert heard(sim) == []


def test_what_reaches_an_audience_may_be_a_runbook_which_asks_first() -> None:
    """Started once, by itself, and approved by whom it asks: nothing leaves before."""
    approval = Approvers((("contact", "carol"),), 1, HOUR, HERE)
    tell = replace(
        ROLLBACK, id="tell", mode="approve", approval=approval, matchers=matchers.parse_all('kind="never"')
    )
    customers = Audience("customers", (Severity.SEV0,), (), frozenset({"opened"}), HERE, runbook="tell")
    process = replace(PROCESS, audiences=(customers,))
    sim = trouble(replace(policy(), process=process, runbooks=(tell,)))
    sim.feed(firing(at=sim.now))
    (run,) = [each for each in sim.state.tables[Table.RUN].values() if isinstance(each, Run)]
    assert (run.runbook, run.requested_by, run.phase) == ("tell", "audience customers", RunPhase.WAITING)
    assert run.approval is not None
    assert run.approval.asked == ["carol"]
    assert heard(sim) == []
