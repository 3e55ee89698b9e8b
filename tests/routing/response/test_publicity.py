"""What the status page says about an incident: when by itself, in which words, and never more than that."""

import pytest
from published import policy, public, publish, to_pages, trouble, words
from small_policy import START, World, firing, resolved
from telling import do, lines, told

from routing.decision import Table
from routing.entry import Graded, Verb
from routing.incident import Phase
from routing.instant import DAY, HOUR, MINUTE
from routing.public import Health, Said
from routing.record import encode
from routing.response.process.publicity import MOST_WORDS
from routing.severity import Severity
from routing.simulation import Simulation


def test_an_outage_opens_the_page_by_itself_from_the_template() -> None:
    sim = trouble()
    assert words(sim) == [("investigating", "")]
    assert public(sim).health is Health.MAJOR
    assert to_pages(sim) == [(
        "page:abc", "Trouble with Website",
        "Website does not work as it should. We know of it and are looking for the cause.",
    )]  # fmt: skip


def test_nothing_internal_is_in_what_is_public() -> None:
    sim = trouble()
    kept = encode(public(sim)).decode()
    for secret in ("site-down", "10.0.0.7", "platform", "anna"):
        assert secret not in kept
        assert not any(secret in part for said in to_pages(sim) for part in said)


@pytest.mark.parametrize(("kind", "opens"), [("api-broken", True), ("deployment.error", False)])
def test_only_what_is_bad_enough_speaks_by_itself(kind: str, opens: bool) -> None:
    assert bool(to_pages(trouble(kind=kind))) == opens


def test_a_service_customers_know_nothing_of_opens_nothing() -> None:
    sim = trouble(policy(components={"checkout": "Payments"}))
    assert to_pages(sim) == []
    publish(sim, Said.INVESTIGATING)
    assert "press had a word for the status page, of no component; there are checkout" in lines(sim)


def test_a_person_says_how_it_stands_in_own_words_or_those_of_the_template() -> None:
    sim = trouble(kind="deployment.error")
    publish(sim, Said.INVESTIGATING, "Pages are slow. We are on it.")
    publish(sim, Said.IDENTIFIED)
    assert words(sim) == [("investigating", "press"), ("identified", "press")]
    assert [text for _, _, text in to_pages(sim)] == [
        "Pages are slow. We are on it.",
        "We have found the cause of the trouble with Website and are mending it.",
    ]
    assert public(sim).health is Health.DEGRADED


def test_a_person_can_name_other_components_and_how_bad_it_is() -> None:
    sim = trouble()
    publish(sim, Said.IDENTIFIED, components=["checkout", "unheard-of"], health=Health.PARTIAL)
    assert (list(public(sim).names.values()), public(sim).health) == (["Payments"], Health.PARTIAL)


def test_what_is_resolved_is_watched_in_public_too_and_then_called_mended() -> None:
    sim = trouble()
    do(sim, Verb.RESOLVE)
    assert words(sim)[-1] == ("monitoring", "")
    assert public(sim).health is Health.OPERATIONAL
    sim.pass_time(sim.now + 2 * HOUR)
    assert [said for said, _ in words(sim)] == ["investigating", "monitoring", "resolved"]
    assert not public(sim).is_open


def test_without_phases_it_is_called_mended_at_once() -> None:
    sim = trouble(policy(conducted=False))
    do(sim, Verb.RESOLVE)
    assert words(sim)[-1] == ("resolved", "")


def test_what_a_person_called_mended_is_not_said_again() -> None:
    sim = trouble()
    publish(sim, Said.RESOLVED, "It was us. Sorry.")
    do(sim, Verb.RESOLVE)
    sim.pass_time(sim.now + 3 * HOUR)
    assert [said for said, _ in words(sim)] == ["investigating", "resolved"]


def test_what_comes_back_is_said_anew() -> None:
    sim = trouble()
    sim.feed(resolved(at=sim.now))
    sim.pass_time(sim.now + MINUTE)
    sim.feed(firing(at=sim.now))
    sim.pass_time(sim.now + MINUTE)
    assert [said for said, _ in words(sim)] == ["investigating", "monitoring", "investigating"]
    assert public(sim).is_open


def test_what_a_person_called_mended_is_said_anew_once_it_comes_back() -> None:
    sim = trouble()
    publish(sim, Said.RESOLVED)
    sim.feed(resolved(at=sim.now))
    sim.feed(firing(at=sim.now + 1))
    assert words(sim)[-1] == ("investigating", "")


def test_who_owes_the_next_word_is_reminded_until_it_comes() -> None:
    sim = trouble()
    sim.pass_time(START + 32 * MINUTE)
    reminders = [text for who, text in told(sim) if who == "carol" and "status page" in text]
    assert reminders == [
        "Nothing new on the status page for 30m: tocsin status-page update INC-1 --status ..."
    ]
    publish(sim, Said.IDENTIFIED)
    sim.pass_time(sim.now + 29 * MINUTE)
    assert len([text for _, text in told(sim) if "Nothing new on the status page" in text]) == 1


def test_a_flood_of_outages_is_not_posted_by_itself() -> None:
    sim = Simulation(policy(per_hour=2), START, World())
    for number in range(4):
        sim.feed(firing("api-broken", at=sim.now, key=f"k{number}", summary="x"))
        sim.pass_time(sim.now + MINUTE)
        do(sim, Verb.RESOLVE, f"INC-{number + 1}")
        sim.pass_time(sim.now + 2 * HOUR if number == 2 else sim.now + MINUTE)
    assert list(sim.state.tables[Table.PUBLIC]) == ["INC-1", "INC-2", "INC-4"]
    assert "the status page says nothing by itself: it has said 2 things within the hour" in lines(sim)


def test_what_it_was_merged_into_speaks_for_it() -> None:
    sim = trouble()
    sim.feed(firing("deployment.error", at=sim.now, key="other"))
    other = next(each.id for each in sim.incidents() if each.id != "INC-1")
    do(sim, Verb.MERGE, "INC-1", to=other)
    assert public(sim, other).is_open
    assert list(sim.state.tables[Table.PUBLIC]) == [other]


def test_what_both_have_said_is_said_to_be_handled_together() -> None:
    sim = trouble()
    sim.feed(firing("deployment.error", at=sim.now, key="other"))
    other = next(each.id for each in sim.incidents() if each.id != "INC-1")
    publish(sim, Said.INVESTIGATING, incident=other)
    do(sim, Verb.MERGE, "INC-1", to=other)
    assert public(sim).last.text == "This is handled together with another report on this page."
    assert public(sim, other).is_open


def test_what_is_over_is_shown_for_its_time_whatever_becomes_of_the_incident() -> None:
    sim = trouble(policy(conducted=False))
    do(sim, Verb.RESOLVE)
    sim.pass_time(sim.now + 30 * DAY)
    assert sim.incidents() == []
    assert not public(sim).is_open
    sim.pass_time(sim.now + 61 * DAY)
    assert sim.state.tables[Table.PUBLIC] == {}


def test_it_keeps_the_first_and_the_latest_of_very_many_words() -> None:
    sim = trouble()
    for number in range(MOST_WORDS + 20):
        publish(sim, Said.IDENTIFIED, f"word {number}")
    kept = public(sim).words
    assert (len(kept), kept[0].said, kept[-1].text) == (
        MOST_WORDS,
        Said.INVESTIGATING,
        f"word {MOST_WORDS + 19}",
    )


def test_what_is_held_back_by_a_silence_is_not_said() -> None:
    from routing.entry import SilenceSet

    sim = Simulation(policy(), START, World())
    sim.feed(
        SilenceSet(
            at=START, by="anna", id="s", matchers=['kind="site-down"'], until_at=START + HOUR, from_at=START
        )
    )
    sim.feed(firing())
    sim.pass_time(START + 5 * MINUTE)
    assert to_pages(sim) == []


def test_what_gets_worse_is_said_once_it_is_bad_enough() -> None:
    sim = trouble(kind="deployment.error")
    assert to_pages(sim) == []
    sim.feed(Graded(at=sim.now, by="anna", incident="INC-1", severity=Severity.SEV0.value))
    assert words(sim) == [("investigating", "")]


def test_without_a_page_a_word_for_it_says_so() -> None:
    from small_policy import POLICY

    sim = trouble(POLICY, kind="deployment.error")
    publish(sim, Said.INVESTIGATING)
    assert any("process.yaml has none" in line for line in lines(sim))
    assert sim.incidents()[0].phase is not Phase.RESOLVED
