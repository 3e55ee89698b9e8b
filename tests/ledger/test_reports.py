"""A report on an incident: what is in it, for whom, and that nothing an alert says gets out of its place."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from notices import HOSTILE
from reported import bad_deployment, reviewed, shown
from small_policy import POLICY, ROLLBACK, START, World, firing

from ledger.views.markup import Markup, el
from ledger.views.reports import markdown, page
from ledger.views.reports.incident import kept
from ledger.views.reports.wording import UNWRITTEN, inert
from routing.incident import Incident, Phase
from routing.instant import HOUR, MINUTE
from routing.severity import Severity
from routing.simulation import Simulation

ZONE = "Europe/Warsaw"
SHAPES = [markdown.post_incident, markdown.summary, page.post_incident, page.summary]


@pytest.fixture(scope="module")
def story() -> Simulation:
    return reviewed(bad_deployment())


def test_a_report_holds_the_times_against_their_targets(story: Simulation) -> None:
    response, resolution = shown(story)["targets"]
    assert (response["took_ms"], response["allowed_ms"], response["kept"]) == (
        7 * MINUTE,
        5 * MINUTE,
        False,
    )
    assert (resolution["took_ms"], resolution["allowed_ms"], resolution["kept"]) == (
        31 * MINUTE,
        HOUR,
        True,
    )
    text = markdown.post_incident(shown(story), ZONE)
    assert "| response | 7 min of 5 min | missed |" in text
    assert "| resolution | 31 min of 1 h | kept |" in text


def test_a_report_tells_who_was_paged_when_by_which_way_and_what_they_did(story: Simulation) -> None:
    anna, bob = shown(story)["people"]
    assert (anna["contact"], anna["answer"]) == ("anna", None)
    assert [way["channel"] for way in anna["ways"]] == ["voice", "sms", "mail"]
    assert anna["ways"][0]["status"] == "failed, voice says no"
    assert (bob["contact"], bob["answer"], bob["after_ms"]) == (
        "bob",
        "acknowledged by bob via sms",
        2 * MINUTE,
    )


@pytest.mark.parametrize(("mode", "changed"), [("auto", ["rollback"]), ("dry_run", [])])
def test_only_what_a_runbook_did_is_told_as_changed(mode: str, changed: list[str]) -> None:
    policy = replace(POLICY, runbooks=(replace(ROLLBACK, mode=mode),))
    sim = Simulation(policy, START, World())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 10 * MINUTE)
    (run,) = shown(sim)["automatic"]
    assert run["changed"] == changed


def test_a_report_tells_what_ran_by_itself_and_which_deployment_came_before(story: Simulation) -> None:
    (run,) = shown(story)["automatic"]
    assert (run["runbook"], run["ended"], run["changed"], run["started_by"]) == ("rollback", "failed", [], "")
    (deployed,) = shown(story)["deploys"]
    assert (deployed["id"], deployed["by"], deployed["before_ms"]) == ("dpl_bad", "dora", 12 * MINUTE)


def test_what_a_person_added_is_in_every_shape(story: Simulation) -> None:
    for shape in SHAPES:
        text = shape(shown(story), ZONE)
        assert "41 visitors left the checkout" in text
        assert "a column that the database did not have yet" in text
        assert "Migrations run before a release is promoted" in text
        assert UNWRITTEN not in text


def test_what_nobody_has_written_says_so() -> None:
    found = shown(bad_deployment())
    assert [shape(found, ZONE).count(UNWRITTEN) for shape in SHAPES] == [3, 3, 3, 3]


def test_management_reads_a_page_without_the_machine_room(story: Simulation) -> None:
    for shape in (markdown.summary, page.summary):
        text = shape(shown(story), ZONE)
        assert "7 min" in text
        assert "rollback: failed" in text
        assert not re.search(r"dpl_bad|sms|api-broken|accepted as|<svg", text)


def test_times_are_those_of_the_reader(story: Simulation) -> None:
    assert "24 Nov 2025 17:12 CET" in page.post_incident(shown(story), ZONE)
    assert "24 Nov 2025 16:12 UTC" in page.post_incident(shown(story), "UTC")


def test_nobodys_address_is_in_a_report(story: Simulation) -> None:
    for shape in SHAPES:
        assert not re.search(r"\+48|@example", shape(shown(story), ZONE))


def test_what_goes_on_is_told_as_such() -> None:
    sim = Simulation(replace(POLICY, runbooks=()), START, World())
    sim.feed(firing("api-broken"))
    sim.pass_time(START + 3 * MINUTE)
    found = shown(sim)
    assert (found["resolved_at"], found["targets"][0]["kept"]) == (None, None)
    assert "taken by nobody, open for 3 min." in found["sentence"]
    assert "Incident so far" in page.post_incident(found, ZONE)
    assert "| response | not yet of 15 min | still running |" in markdown.post_incident(found, ZONE)


class Tags(HTMLParser):
    """Names of all elements, and every attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= set(attrs)


@pytest.mark.parametrize("shape", [page.post_incident, page.summary])
def test_a_page_needs_nothing_beside_it(shape: object, story: Simulation) -> None:
    assert callable(shape)
    tags = Tags(shape(shown(story), ZONE))
    assert not tags.names & {"script", "link", "img", "iframe", "object", "form", "base"}
    assert not {name for name, _ in tags.attributes} & {"src", "href", "style", "onload"}


def test_what_an_alert_says_is_never_markup() -> None:
    found = shown(bad_deployment(HOSTILE, HOSTILE))
    for shape in (page.post_incident, page.summary):
        tags = Tags(shape(found, ZONE))
        assert not tags.names & {"say", "dial", "script"}
    text = markdown.post_incident(found, ZONE)
    assert "<script" not in text.replace("\\<", "")
    assert "日本" in text


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("# no\n## heading", "\\# no \\#\\# heading"),
        ("[a](javascript:x)", "\\[a\\](javascript:x)"),
        ("a | b", "a \\| b"),
        ("<b>", "\\<b\\>"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str, shows: str) -> None:
    assert inert(text) == shows


def test_an_element_escapes_what_is_no_markup() -> None:
    assert el("p", "a<b", Markup("<i>c</i>"), class_='"x"') == '<p class="&quot;x&quot;">a&lt;b<i>c</i></p>'


@pytest.mark.parametrize(
    ("acknowledged", "resolved", "now", "expected"),
    [
        (4, 30, 99, (True, True)),
        (6, 61, 99, (False, False)),
        (0, 3, 99, (True, True)),
        (0, 0, 3, (None, None)),
        (0, 0, 30, (False, None)),
        (4, 0, 61, (True, False)),
    ],
)
def test_a_promise_is_kept_missed_or_still_running(
    acknowledged: int, resolved: int, now: int, expected: tuple[bool | None, bool | None]
) -> None:
    """To be acknowledged within 5 min and resolved within 60; instants in minutes, 0 for never."""
    incident = Incident(
        id="INC-1", number=1, title="x", severity=Severity.SEV0, phase=Phase.TRIGGERED, group="", opened_at=1,
        changed_at=1, respond_by=5 * MINUTE, resolve_by=HOUR,
        acknowledged_at=acknowledged * MINUTE, resolved_at=resolved * MINUTE,
    )  # fmt: skip
    assert kept(incident, now * MINUTE) == expected


def test_the_timeline_of_a_long_story_is_told_in_part(story: Simulation) -> None:
    text = markdown.post_incident(shown(story), ZONE, most=6)
    assert re.search(r"- \.\.\. \d+ more in: tocsin incidents show INC-1\n", text)
    assert text.partition("## What happened when")[2].count("\n- 24 Nov") == 6
