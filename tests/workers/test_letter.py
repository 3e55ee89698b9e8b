"""A letter as people see it: what it says, in colours everybody can read, and nothing a payload could do to it."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notices import HOSTILE, notice

from routing.delivery import Message, Purpose
from routing.incident import Incident, Phase
from routing.severity import Severity
from workers import letter, letter_page

FROM = "tocsin@example.com"


def write(**changes: Any) -> letter.Letter:
    return letter.write(notice(**{"to": "anna@example.com", **changes}), FROM)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_is_21_to_1() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21.0


@pytest.mark.parametrize("colours", [letter_page.LIGHT, letter_page.DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "faint"])
def test_every_text_is_read_easily(colours: dict[str, str], ink: str) -> None:
    assert contrast(colours[ink], colours["sheet"]) >= 4.5


@pytest.mark.parametrize("colour", [*letter_page.BANDS.values(), letter_page.WELL])
def test_so_is_what_stands_on_a_band_or_a_button(colour: str) -> None:
    assert contrast(letter_page.ON_BAND, colour) >= 4.5


@pytest.mark.parametrize("severity", list(Severity))
def test_how_bad_it_is_is_said_in_words_not_by_colour_alone(severity: Severity) -> None:
    assert f">{severity}<" in write(severity=severity).html


def test_the_link_says_what_it_is_for() -> None:
    asked = write(purpose=Purpose.APPROVAL)
    assert "Approve or deny: https://tocsin.example/a/token" in asked.text
    assert ">Approve or deny</a>" in asked.html
    assert "<a " not in write(ack_url="").html


@pytest.mark.parametrize(("purpose", "kind"), [(Purpose.TEST, "Test"), (Purpose.NOTICE, "Notice")])
def test_what_is_about_no_incident_is_of_no_severity(purpose: Purpose, kind: str) -> None:
    html = write(purpose=purpose, incident="").html
    assert f">{kind}<" in html
    assert letter_page.BANDS[Severity.SEV0] not in html
    assert (">Confirm</a>" in html) is (purpose is Purpose.TEST)


def test_what_the_title_says_already_is_not_said_again() -> None:
    assert write().text.count("Site is down") == 1
    assert re.sub("<title>.*?</title>", "", write().html).count("Site is down") == 1


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


KNOWN = {"html", "head", "meta", "title", "style", "body", "div", "h1", "p", "em", "a"}


@given(title=st.text(max_size=400), body=st.text(max_size=2000))
def test_no_text_makes_a_tag(title: str, body: str) -> None:
    found = tags(write(message=Message(title=title, body=body)).html).found
    assert {tag for tag, _ in found} <= KNOWN
    assert [each["href"] for tag, each in found if tag == "a"] == ["https://tocsin.example/a/token"]


def test_what_somebody_wrote_who_means_harm_stays_text() -> None:
    written = write(message=Message(title=HOSTILE, body=HOSTILE), repeat=True)
    assert {tag for tag, _ in tags(written.html).found} <= KNOWN
    assert "\u202e" not in written.html + written.text + written.subject
    assert not set("\r\n") & set("".join([written.subject, *written.headers.values()]))


def test_nothing_is_loaded_from_anywhere() -> None:
    html = write().html
    assert not {"src", "background", "action"} & {name for _, attrs in tags(html).found for name in attrs}
    assert "url(" not in html
    assert "@import" not in html


def test_rules_of_mail_programs_find_it_by_its_list() -> None:
    assert write().headers["List-Id"] == "Tocsin <tocsin.example.com>"


def test_nobody_can_guess_what_a_mail_is_called() -> None:
    first, second = letter.name(notice()), letter.name(notice())
    assert first.startswith("INC-1-d1.a1.")
    assert first != second


def test_how_it_stands_is_said_unless_it_tells_of_several() -> None:
    over = Incident(
        id="INC-1", number=1, title="Site is down", severity=Severity.SEV0, phase=Phase.RESOLVED, group="site",
        opened_at=1, changed_at=1,
    )  # fmt: skip
    assert ">SEV-0 · resolved<" in write(standing=over).html
    assert letter_page.WELL in write(standing=over).html
    assert ">SEV-0<" in write(standing=over, together=True).html
