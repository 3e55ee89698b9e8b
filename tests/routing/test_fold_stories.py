"""What the fold decides, told as stories under a simulated clock."""

import pytest
from small_policy import POLICY, START, World, deploy, failed_card, firing, resolved

from routing.audit import audit
from routing.decision import Table
from routing.delivery import Delivery, Purpose
from routing.effect import Deliver
from routing.entry import Answer, Command, Outcome, Receipt, SilenceSet, SwitchSet, Verb
from routing.incident import Incident, Phase
from routing.instant import HOUR, MINUTE, SECOND
from routing.severity import Severity
from routing.simulation import Simulation


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sim(world: World) -> Simulation:
    return Simulation(POLICY, START, world)


def only(sim: Simulation) -> Incident:
    (incident,) = sim.incidents()
    return incident


def pages(sim: Simulation) -> list[tuple[int, str, str]]:
    """Every page that left: seconds since the start, contact, channel."""
    return [
        ((at - START) // SECOND, effect.contact, effect.channel)
        for at, effect in sim.effects
        if isinstance(effect, Deliver) and effect.purpose is Purpose.PAGE
    ]


def updates(sim: Simulation) -> list[tuple[str, str]]:
    return [
        (effect.contact, effect.channel)
        for _, effect in sim.effects
        if isinstance(effect, Deliver) and effect.purpose is Purpose.UPDATE
    ]


def lines(sim: Simulation) -> list[str]:
    return [moment.what for _, moment in sim.moments]


def test_a_complete_outage_pages_and_repairs_at_the_same_time(sim: Simulation) -> None:
    sim.feed(deploy(START))
    sim.pass_time(START + 12 * MINUTE)
    sim.feed(firing(at=sim.now))
    incident = only(sim)
    assert incident.severity is Severity.SEV0
    assert [page[1:] for page in pages(sim)] == [("anna", "voice"), ("anna", "sms")]
    assert incident.runs == 1
    assert incident.suspect is not None
    assert incident.suspect.id == "dpl_bad"
    assert (incident.respond_by, incident.resolve_by) == (sim.now + 5 * MINUTE, sim.now + HOUR)
    assert any("12 min after production deploy dpl_bad by dora" in line for line in lines(sim))


def test_a_repaired_outage_is_resolved_and_the_paged_are_told_quietly(sim: Simulation, world: World) -> None:
    sim.feed(firing())
    sim.pass_time(START + 3 * MINUTE)
    incident = only(sim)
    assert incident.phase is Phase.RESOLVED
    assert incident.resolved_by == "runbook rollback"
    assert world.rolled_back == 1
    assert updates(sim) == [("anna", "sms")]
    assert incident.followups[0].text == "promote a fixed deployment again"


def test_a_major_failure_is_repaired_before_anybody_is_woken(sim: Simulation) -> None:
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 10 * MINUTE)
    assert only(sim).phase is Phase.RESOLVED
    assert pages(sim) == []
    assert updates(sim) == [("room", "mail")]


def test_the_page_goes_out_at_its_deadline_when_the_repair_does_not_help(
    sim: Simulation, world: World
) -> None:
    world.site_is_up_after_rollback = False
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 6 * MINUTE)
    assert pages(sim)[0] == (300, "anna", "voice")
    assert only(sim).phase is Phase.TRIGGERED


def test_the_page_goes_out_when_the_repairing_worker_dies(sim: Simulation, world: World) -> None:
    world.dead = {"vercel.rollback"}
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 6 * MINUTE)
    assert pages(sim)[0] == (300, "anna", "voice")


def test_a_guard_that_does_not_hold_stops_the_run_and_pages_at_once(sim: Simulation, world: World) -> None:
    world.deployment_age = 90
    sim.feed(firing("api-broken"))
    sim.pass_time(START + MINUTE)
    assert world.rolled_back == 0
    assert pages(sim)[0][0] < 2
    assert "a young deployment is needed" in only(sim).tried


def test_a_failing_repair_pages_without_waiting_for_the_deadline(sim: Simulation, world: World) -> None:
    world.refuses = {"vercel.rollback": Outcome.PERMANENT}
    sim.feed(firing("api-broken"))
    sim.pass_time(START + MINUTE)
    assert pages(sim)[0][0] < 2
    assert "vercel.rollback says no" in only(sim).tried


def test_a_silent_worker_is_replaced_and_the_repeat_is_marked(sim: Simulation, world: World) -> None:
    world.refuses = {"http.probe": Outcome.PERMANENT}
    world.dead = {"voice"}
    sim.feed(firing())
    sim.pass_time(START + 20 * SECOND)
    calls = [effect for _, effect in sim.effects if isinstance(effect, Deliver) and effect.channel == "voice"]
    assert [(call.attempt, call.repeat) for call in calls] == [(1, False), (2, True)]


def test_an_effect_nobody_claims_is_dispatched_again_unchanged(sim: Simulation, world: World) -> None:
    world.asleep = {"voice"}
    sim.feed(firing())
    sim.pass_time(START + 5 * SECOND)
    calls = [effect for _, effect in sim.effects if isinstance(effect, Deliver) and effect.channel == "voice"]
    assert [(call.attempt, call.repeat) for call in calls] == [(1, False), (1, False)]


def test_nobody_acknowledges_so_it_goes_to_the_next_person_and_at_last_to_the_last_resort(
    sim: Simulation, world: World
) -> None:
    world.health_failures = 0
    sim.feed(firing())
    sim.pass_time(START + 2 * HOUR)
    people = [who for _, who, channel in pages(sim) if channel == "voice"]
    assert people[:5] == ["anna", "bob", "anna", "bob", "cto"]
    assert people.count("cto") > 3, "the last resort is called again and again"


def test_an_ack_stops_the_escalation_and_tells_everyone_who_was_paged(sim: Simulation, world: World) -> None:
    world.health_failures = 0
    sim.feed(firing())
    sim.pass_time(START + 6 * MINUTE)
    called = next(e for _, e in sim.effects if isinstance(e, Deliver) and e.contact == "bob")
    told_before = len(updates(sim))
    sim.feed(Answer(at=sim.now, channel="voice", text="4", delivery=called.id))
    incident = only(sim)
    assert (incident.phase, incident.acknowledged_by) == (Phase.ACKNOWLEDGED, "bob")
    before = len(pages(sim))
    sim.pass_time(START + 30 * MINUTE)
    assert len(pages(sim)) == before
    assert updates(sim)[told_before:] == [("anna", "sms"), ("bob", "sms")]


def test_an_ack_that_stays_unresolved_expires_and_pages_again(sim: Simulation, world: World) -> None:
    world.health_failures = 0
    sim.feed(firing())
    sim.feed(Command(at=START, incident="INC-1", verb=Verb.ACK, by="anna"))
    before = len(pages(sim))
    sim.pass_time(START + 31 * MINUTE)
    assert len(pages(sim)) > before
    assert any("expired" in line for line in lines(sim))


@pytest.mark.parametrize("text", ["ack", "1a", "ACK 1", "a"])
def test_an_sms_reply_acknowledges(sim: Simulation, world: World, text: str) -> None:
    world.health_failures = 0
    sim.feed(firing())
    address = POLICY.contacts["anna"].methods[1].address
    sim.feed(Answer(at=START, channel="sms", text=text, address=address))
    assert only(sim).phase is Phase.ACKNOWLEDGED


def test_key_6_resolves_and_key_5_escalates(sim: Simulation, world: World) -> None:
    world.health_failures = 0
    sim.feed(firing())
    sim.pass_time(START + SECOND)
    sim.feed(Answer(at=sim.now, channel="voice", text="5", delivery="INC-1-d1"))
    assert [who for _, who, channel in pages(sim) if channel == "voice"] == ["anna", "bob"]
    sim.feed(Answer(at=sim.now, channel="voice", text="6", delivery="INC-1-d1"))
    assert only(sim).phase is Phase.RESOLVED


def test_a_busy_phone_falls_to_the_next_method_and_then_to_the_next_person(
    sim: Simulation, world: World
) -> None:
    world.health_failures = 0
    world.refuses = {"sms": Outcome.PERMANENT, "mail": Outcome.PERMANENT}
    sim.feed(firing())
    sim.pass_time(START + SECOND)
    sim.feed(Receipt(at=sim.now, delivery="INC-1-d1", status="busy"))
    sim.pass_time(START + 2 * SECOND)
    assert ("bob", "voice") in [page[1:] for page in pages(sim)], "not after five minutes: at once"


def test_a_receipt_that_overtakes_our_own_record_of_the_call_is_not_undone_by_it(
    sim: Simulation, world: World
) -> None:
    world.health_failures = 0
    sim.feed(firing())
    sim.feed(Receipt(at=START, delivery="INC-1-d1", status="no-answer", provider_id="CA1"))
    sim.pass_time(START + SECOND)
    delivery = sim.state.get(Table.DELIVERY, "INC-1-d1")
    assert isinstance(delivery, Delivery)
    assert (delivery.progress, delivery.error) == ("failed", "no-answer")


def test_a_temporary_failure_is_retried_and_a_permanent_one_is_not(sim: Simulation, world: World) -> None:
    world.health_failures = 0
    world.refuses = {"voice": Outcome.TEMPORARY, "sms": Outcome.PERMANENT}
    sim.feed(firing())
    sim.pass_time(START + 40 * SECOND)
    anna = [channel for _, who, channel in pages(sim) if who == "anna"]
    assert anna.count("voice") == 3
    assert anna.count("sms") == 1
    assert "mail" in anna


def test_twenty_failed_cards_are_one_incident_with_one_page_and_one_wakes_nobody(
    sim: Simulation, world: World
) -> None:
    for number in range(19):
        sim.feed(failed_card(number))
    assert sim.incidents() == []
    sim.feed(failed_card(19))
    sim.feed(failed_card(20))
    incident = only(sim)
    assert (incident.severity, incident.events, incident.title) == (Severity.SEV1, 2, "Payments are failing")
    assert [page[1:] for page in pages(sim)] == [("anna", "voice"), ("anna", "sms")]


def test_a_threshold_resolves_when_it_stays_quiet(sim: Simulation) -> None:
    for number in range(20):
        sim.feed(failed_card(number))
    sim.pass_time(START + 9 * MINUTE)
    assert only(sim).phase is Phase.TRIGGERED
    sim.pass_time(START + 11 * MINUTE)
    assert only(sim).phase is Phase.RESOLVED


def test_firing_then_resolved_opens_and_resolves_and_a_repeat_is_only_counted(
    sim: Simulation, world: World
) -> None:
    world.health_failures = 0
    sim.feed(firing("worse", starts_at=START))
    sim.feed(firing("worse", at=START + 1, starts_at=START))
    assert only(sim).events == 2
    sim.feed(resolved("worse", at=START + 2, starts_at=START, ends_at=START + 2))
    assert only(sim).phase is Phase.RESOLVED
    assert len([page for page in pages(sim) if page[2] == "voice"]) == 1


def test_a_firing_that_comes_after_its_own_resolve_changes_nothing(sim: Simulation) -> None:
    sim.feed(resolved("worse", starts_at=START - 10, ends_at=START))
    sim.feed(firing("worse", at=START + 5, starts_at=START - 10))
    assert sim.incidents() == []


def test_it_reopens_within_the_window_and_is_a_new_incident_after_it(sim: Simulation) -> None:
    sim.feed(firing("worse", starts_at=START))
    sim.feed(resolved("worse", at=START + 10, ends_at=START + 10))
    sim.pass_time(START + 10 * MINUTE)
    sim.feed(firing("worse", at=sim.now, starts_at=sim.now))
    assert only(sim).reopened == 1
    sim.feed(resolved("worse", at=sim.now + 10, ends_at=sim.now + 10))
    sim.pass_time(sim.now + 31 * MINUTE)
    sim.feed(firing("worse", at=sim.now, starts_at=sim.now))
    assert [incident.id for incident in sim.incidents()] == ["INC-1", "INC-2"]


def test_a_worse_alert_raises_the_incident_it_joins_and_pages_again(sim: Simulation, world: World) -> None:
    world.health_failures = 0
    sim.feed(firing("worse"))
    sim.feed(Command(at=START, incident="INC-1", verb=Verb.ACK, by="anna"))
    sim.feed(firing("site-down", key="other"))
    incident = only(sim)
    assert (incident.severity, incident.phase, incident.alerts) == (Severity.SEV0, Phase.TRIGGERED, 2)


def test_a_failed_build_goes_to_the_team_by_mail_and_is_not_rolled_back(
    sim: Simulation, world: World
) -> None:
    sim.feed(firing("deployment.error"))
    incident = only(sim)
    assert (incident.severity, incident.runs) == (Severity.SEV3, 0)
    assert [page[1:] for page in pages(sim)] == [("room", "mail")]


def test_a_silenced_incident_pages_when_the_silence_ends_and_its_resolve_gets_through(
    sim: Simulation, world: World
) -> None:
    silence = SilenceSet(
        at=START, by="bob", id="s-1", matchers=['kind="worse"'], until_at=START + HOUR, reason="works"
    )
    sim.feed(silence)
    sim.feed(firing("worse"))
    assert pages(sim) == []
    assert any("silenced by bob" in line for line in lines(sim))
    sim.pass_time(START + HOUR)
    assert pages(sim)[0][0] == 3600
    sim.feed(resolved("worse", at=sim.now))
    assert ("anna", "sms") in updates(sim)


def test_ending_a_silence_early_pages_at_once(sim: Simulation, world: World) -> None:
    matchers = ['kind="worse"']
    sim.feed(SilenceSet(at=START, id="s-1", matchers=matchers, until_at=START + HOUR))
    sim.feed(firing("worse"))
    sim.pass_time(START + MINUTE)
    sim.feed(SilenceSet(at=sim.now, id="s-1", matchers=matchers, until_at=sim.now))
    sim.pass_time(sim.now + 1)
    assert pages(sim) != []


def test_the_kill_switch_keeps_the_runbook_from_starting_and_the_page_goes_out(sim: Simulation) -> None:
    sim.feed(SwitchSet(at=START, name="kill", on=True))
    sim.feed(firing("api-broken"))
    assert pages(sim) != []
    assert "kill switch" in only(sim).tried


def test_the_breaker_opens_after_two_failed_repairs(sim: Simulation, world: World) -> None:
    world.site_is_up_after_rollback = False
    for round_ in range(3):
        sim.feed(firing("api-broken", at=sim.now, key=f"k{round_}", starts_at=sim.now))
        sim.pass_time(sim.now + 11 * MINUTE)
        sim.feed(resolved("api-broken", at=sim.now, key=f"k{round_}", ends_at=sim.now))
        sim.pass_time(sim.now + MINUTE)
    assert world.rolled_back == 2
    assert any("breaker open" in line for line in lines(sim))


def test_a_cooldown_keeps_a_flapping_alert_from_making_a_loop(sim: Simulation, world: World) -> None:
    for _ in range(10):
        sim.feed(firing("api-broken", at=sim.now, starts_at=sim.now))
        sim.pass_time(sim.now + 20 * SECOND)
        sim.feed(resolved("api-broken", at=sim.now, ends_at=sim.now))
        sim.pass_time(sim.now + SECOND)
    assert world.rolled_back == 1


def test_the_auditor_finds_nothing_at_any_instant_of_a_long_night(sim: Simulation, world: World) -> None:
    world.health_failures = 0
    world.asleep = {"voice"}
    sim.feed(firing())
    for _ in range(300):
        sim.pass_time(sim.now + MINUTE)
        assert audit(sim.state, sim.now) == []


def test_an_incident_is_retired_after_its_time(sim: Simulation) -> None:
    sim.feed(firing("worse"))
    sim.feed(resolved("worse", at=START + 5))
    sim.pass_time(START + 8 * 24 * HOUR)
    assert sim.incidents() == []
    assert not sim.state.owned
