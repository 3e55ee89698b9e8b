"""The channel `statuspage` against a stand-in as strict as the vendor: one incident for each of ours, and every refusal."""

from collections.abc import Iterator
from typing import Any

import pytest
from notices import HOSTILE, notice
from statuspage_standin import COMPONENTS, KEY, PAGE, StatuspageStandin
from vendor_server import Misbehaviour

from routing.delivery import Purpose
from routing.entry import Outcome
from routing.errors import DeliveryError
from routing.ports import Notification, Sent
from routing.public import Health, Public, Said, Word
from workers.channels import statuspage
from workers.channels.statuspage import Settings

AT = 1_764_000_000_000


@pytest.fixture
def vendor() -> Iterator[StatuspageStandin]:
    with StatuspageStandin() as made:
        yield made


def public(*said: tuple[Said, str], health: Health = Health.MAJOR, **changes: Any) -> Public:
    words = [Word(at=AT + number, said=state, text=text) for number, (state, text) in enumerate(said)]
    known = {"id": "6924-1", "title": "Trouble with Website", "names": {"site": "Website"}}
    return Public(**{**known, **changes}, began_at=AT, health=health, words=words)


def about(found: Public | None, to: str = PAGE) -> Notification:
    return notice(to=to, purpose=Purpose.PUBLIC, public=found, ack_url="")


def say(vendor: StatuspageStandin, found: Public | None, to: str = PAGE, **settings: Any) -> Sent:
    return statuspage.send(about(found, to), Settings(**vendor.settings(**settings)), 5)


OPEN = (Said.INVESTIGATING, "We know of it.")
FOUND = (Said.IDENTIFIED, "We have found it.")
OVER = (Said.RESOLVED, "It is over.")


def test_an_incident_is_opened_updated_and_resolved_with_its_components(vendor: StatuspageStandin) -> None:
    first = say(vendor, public(OPEN))
    assert (first.provider_id, vendor.health[COMPONENTS["site"]]) == ("inc1", "major_outage")
    assert vendor.incidents[0]["impact_override"] == "critical"
    assert say(vendor, public(OPEN, FOUND, health=Health.DEGRADED)).provider_id == "inc1"
    assert vendor.health[COMPONENTS["site"]] == "degraded_performance"
    assert say(vendor, public(OPEN, FOUND, OVER, health=Health.OPERATIONAL)).provider_id == "inc1"
    (incident,) = vendor.incidents
    assert [each["status"] for each in incident["incident_updates"]] == [
        "resolved",
        "identified",
        "investigating",
    ]
    assert (incident["status"], vendor.health[COMPONENTS["site"]]) == ("resolved", "operational")


def test_what_comes_back_days_later_goes_on_in_the_same_incident(vendor: StatuspageStandin) -> None:
    for words in ((OPEN,), (OPEN, OVER), (OPEN, OVER, OPEN)):
        say(vendor, public(*words))
    assert len(vendor.incidents) == 1


def test_two_incidents_of_ours_are_two_of_theirs(vendor: StatuspageStandin) -> None:
    say(vendor, public(OPEN))
    say(vendor, public(OPEN, id="6924-2", names={"checkout": "Payments"}))
    assert [each["id"] for each in vendor.incidents] == ["inc2", "inc1"]


def test_a_repeat_after_a_lost_answer_opens_no_second_one_and_tells_nobody_again(
    vendor: StatuspageStandin,
) -> None:
    vendor.misbehave(Misbehaviour(method="POST", hang_up=True))
    with pytest.raises(DeliveryError) as failed:
        say(vendor, public(OPEN))
    assert failed.value.outcome is Outcome.UNKNOWN
    assert say(vendor, public(OPEN)).answer == "it says so already"
    assert (len(vendor.incidents), vendor.told) == (1, 1)


def test_a_component_the_page_does_not_have_is_left_out(vendor: StatuspageStandin) -> None:
    say(
        vendor,
        public(OPEN, names={"site": "Website", "mail": "Mail"}),
        components={"site": COMPONENTS["site"]},
    )
    assert vendor.health[COMPONENTS["site"]] == "major_outage"


def test_subscribers_are_left_alone_where_the_operator_wants_it(vendor: StatuspageStandin) -> None:
    say(vendor, public(OPEN), notify=False)
    assert vendor.told == 0


def test_texts_are_cut_and_arrive_as_they_are(vendor: StatuspageStandin) -> None:
    say(vendor, public((Said.INVESTIGATING, HOSTILE * 500), title=HOSTILE * 10))
    (incident,) = vendor.incidents
    assert len(incident["name"]) <= 250
    assert incident["incident_updates"][0]["body"].startswith(HOSTILE[:40])


REFUSALS = [
    (400, Outcome.PERMANENT, 0),
    (401, Outcome.PERMANENT, 0),
    (403, Outcome.PERMANENT, 0),
    (404, Outcome.PERMANENT, 0),
    (409, Outcome.TEMPORARY, 60_000),
    (420, Outcome.TEMPORARY, 60_000),
    (422, Outcome.PERMANENT, 0),
    (429, Outcome.TEMPORARY, 60_000),
    (500, Outcome.TEMPORARY, 0),
    (502, Outcome.UNKNOWN, 0),
    (503, Outcome.TEMPORARY, 0),
]


@pytest.mark.parametrize(("status", "outcome", "wait"), REFUSALS)
def test_every_refusal_has_its_class(
    vendor: StatuspageStandin, status: int, outcome: Outcome, wait: int
) -> None:
    vendor.misbehave(Misbehaviour(method="POST", status=status))
    with pytest.raises(DeliveryError, match=f"Statuspage answered {status}: scripted") as failed:
        say(vendor, public(OPEN))
    assert (failed.value.outcome, failed.value.retry_after_ms) == (outcome, wait)
    assert KEY not in str(failed.value)


def test_it_waits_as_long_as_it_is_asked_to(vendor: StatuspageStandin) -> None:
    vendor.misbehave(Misbehaviour(status=429, retry_after="7"))
    with pytest.raises(DeliveryError) as failed:
        say(vendor, public(OPEN))
    assert failed.value.retry_after_ms == 7_000


@pytest.mark.parametrize(
    "how", [Misbehaviour(method="POST", garbage=True), Misbehaviour(method="POST", not_ok=True)]
)
def test_an_answer_that_makes_no_sense_may_have_been_taken(
    vendor: StatuspageStandin, how: Misbehaviour
) -> None:
    vendor.misbehave(how)
    with pytest.raises(DeliveryError) as failed:
        say(vendor, public(OPEN))
    assert failed.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "how", [Misbehaviour(method="GET", garbage=True), Misbehaviour(method="GET", not_ok=True)]
)
def test_a_page_that_cannot_be_read_is_not_written_to(vendor: StatuspageStandin, how: Misbehaviour) -> None:
    vendor.misbehave(how)
    with pytest.raises(DeliveryError) as failed:
        say(vendor, public(OPEN))
    assert (failed.value.outcome, vendor.incidents) == (Outcome.TEMPORARY, [])


@pytest.mark.parametrize("change", [{"api_key": "another"}, {"to": "unknown-page"}])
def test_a_wrong_key_or_page_is_told_with_what_to_check(
    vendor: StatuspageStandin, change: dict[str, str]
) -> None:
    with pytest.raises(DeliveryError, match="check ") as failed:
        say(vendor, public(OPEN), **change)
    assert failed.value.outcome is Outcome.PERMANENT


def test_what_was_not_meant_for_everybody_is_not_said(vendor: StatuspageStandin) -> None:
    with pytest.raises(DeliveryError, match="nothing public"):
        say(vendor, None)
    assert vendor.calls == []


def test_a_preview_shows_what_would_be_said_and_no_key(vendor: StatuspageStandin) -> None:
    shown = statuspage.preview(about(public(OPEN)), Settings(**vendor.settings()))
    assert (shown["Status"], shown["Page"]) == ("investigating", PAGE)
    assert KEY not in str(shown)
