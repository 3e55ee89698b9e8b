"""The status page's documents: what they show, in which order, and that nothing in them is ever markup."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from notices import HOSTILE
from published import PAGE, policy, publish, trouble
from telling import do

from ledger.views.status_page import NAMES, board, documents, facts
from routing.decision import Table
from routing.entry import Verb
from routing.instant import DAY, HOUR
from routing.public import Health, Public, Said, Word

NOW = 1_764_000_000_000


def feed(content: bytes) -> ET.Element:
    """Raises ParseError where it is no XML."""
    return ET.fromstring(content)  # noqa: S314  # our own document


def public(key: str, began: int, health: Health = Health.MAJOR, ended: int = 0, **changes: Any) -> Public:
    said = Said.RESOLVED if ended else Said.INVESTIGATING
    known: dict[str, Any] = {
        "id": key, "title": f"Trouble {key}", "names": {"site": "Website"}, "words": [Word(at=began, said=said, text="text")],
    }  # fmt: skip
    return Public(**{**known, **changes}, began_at=began, ended_at=ended, health=health)


def test_without_trouble_all_is_good() -> None:
    found = board(PAGE, {}, NOW)
    assert (found.sentence, found.indicator) == ("All systems operational", "none")
    assert dict(found.components) == {"Website": Health.OPERATIONAL, "Payments": Health.OPERATIONAL}
    html = documents(PAGE, {}, NOW)["index.html"].decode()
    assert "All systems operational" in html
    assert "Nothing to report." in html


@pytest.mark.parametrize(
    ("health", "indicator"),
    [(Health.DEGRADED, "minor"), (Health.PARTIAL, "major"), (Health.MAJOR, "critical")],
)
def test_a_component_does_as_the_worst_that_is_said_of_it(health: Health, indicator: str) -> None:
    said = {"INC-1": public("a", NOW, Health.DEGRADED), "INC-2": public("b", NOW, health)}
    found = board(PAGE, said, NOW)
    assert (dict(found.components)["Website"], found.indicator) == (health, indicator)
    assert dict(found.components)["Payments"] is Health.OPERATIONAL


def test_what_is_mended_and_watched_is_told_as_such() -> None:
    assert (
        board(PAGE, {"INC-1": public("a", NOW, Health.OPERATIONAL)}, NOW).sentence
        == "Mended, and being watched"
    )


def test_what_is_over_is_shown_for_its_time() -> None:
    said = {
        "INC-1": public("old", NOW - 100 * DAY, ended=NOW - 91 * DAY),
        "INC-2": public("new", NOW - 100 * DAY, ended=NOW - 89 * DAY),
    }
    assert [each.id for each in board(PAGE, said, NOW).over] == ["new"]


def test_the_newest_comes_first_in_every_document() -> None:
    said = {f"INC-{number}": public(str(number), NOW + number, ended=NOW + HOUR) for number in (1, 3, 2)}
    found = documents(PAGE, said, NOW + HOUR)
    assert [each["name"] for each in json.loads(found["index.json"])["history"]] == [
        "Trouble 3",
        "Trouble 2",
        "Trouble 1",
    ]
    html = found["index.html"].decode()
    assert html.index("Trouble 3") < html.index("Trouble 2") < html.index("Trouble 1")
    titles = [each.text for each in feed(found["index.rss"]).iter("title")]
    assert titles == ["Shop status", "Trouble 3: resolved", "Trouble 2: resolved", "Trouble 1: resolved"]


def test_the_story_of_an_incident_is_told_from_its_first_word_to_its_last() -> None:
    sim = trouble()
    publish(sim, Said.IDENTIFIED, "It is the database.")
    do(sim, Verb.RESOLVE)
    sim.pass_time(sim.now + 2 * HOUR)
    said: Any = sim.state.tables[Table.PUBLIC]
    (incident,) = facts(board(PAGE, said, sim.now))["history"]
    assert [each["status"] for each in incident["updates"]] == [
        "resolved",
        "monitoring",
        "identified",
        "investigating",
    ]
    assert incident["components"] == ["Website"]
    found = feed(documents(PAGE, said, sim.now)["index.rss"])
    assert len({each.text for each in found.iter("guid")}) == 4


def test_nothing_internal_is_in_any_document() -> None:
    sim = trouble(policy())
    publish(sim, Said.IDENTIFIED)
    said: Any = sim.state.tables[Table.PUBLIC]
    for content in documents(PAGE, said, sim.now).values():
        for secret in ("INC-1", "site-down", "10.0.0.7", "platform", "press", "carol", "anna"):
            assert secret not in content.decode()


def test_a_text_is_shown_as_it_is_and_never_obeyed() -> None:
    said = {
        "INC-1": public("a", NOW, title=HOSTILE, words=[Word(at=NOW, said=Said.IDENTIFIED, text=HOSTILE)])
    }
    found = documents(PAGE, said, NOW)
    assert set(found) == set(NAMES)
    html = found["index.html"].decode()
    assert "<script" not in html
    assert "<Dial" not in html
    assert json.loads(found["index.json"])["incidents"][0]["name"] == HOSTILE  # JSON quotes it
    assert "日本" in found["index.rss"].decode()
    feed(found["index.rss"])
