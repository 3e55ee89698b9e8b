"""Every page we make, in a real browser: on a phone and at a desk, light and dark, with texts that do their worst."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from notices import HOSTILE, notice
from past import OPENED, incident, repair
from published import policy, publish, trouble
from reported import bad_deployment, reviewed, shown
from telling import do

from ledger.views import sheet
from ledger.views.markup import el
from ledger.views.reports import page as incident_page
from ledger.views.reports import period_page
from ledger.views.reports.period import Case, measure
from ledger.views.status_page import documents
from routing.decision import Table
from routing.delivery import Message, Purpose
from routing.entry import Verb
from routing.instant import DAY, HOUR, MINUTE
from routing.public import Said
from routing.severity import Severity
from workers import letter_page

pytestmark = [pytest.mark.xdist_group("browser")]

try:
    from browser import CHROMIUM, DESK, PHONE, browsing, look
except ImportError:  # a checkout whose development packages are older
    CHROMIUM = ""
if not CHROMIUM:
    pytest.skip("no browser is installed", allow_module_level=True)

LONG = "a_word_that_nobody_can_break_" * 12
ZONE = "Europe/Warsaw"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


def report() -> str:
    return incident_page.post_incident(shown(reviewed(bad_deployment())), ZONE)


def summary() -> str:
    return incident_page.summary(shown(reviewed(bad_deployment())), ZONE)


def hostile_report() -> str:
    return incident_page.post_incident(shown(bad_deployment(HOSTILE + LONG, LONG)), ZONE)


def month() -> str:
    cases = []
    for number in range(1, 90):
        at = OPENED + number * 8 * HOUR
        by = "runbook rollback" if number % 5 == 0 else "anna"
        one = incident(
            number, at, severity=Severity(number % 5), resolved_by=by, resolved_at=at + HOUR, service=LONG if number == 1 else "site",
            acknowledged_at=at + number % 40 * MINUTE if by == "anna" else 0,
        )  # fmt: skip
        pages = tuple((name, at) for name in ("anna", "ben", LONG)[: number % 4])
        cases.append(Case(one, pages, len(pages), (repair(one.id, at),), flapped=False))
    zones = {"anna": ZONE, "ben": "America/New_York"}
    return period_page.page(measure(cases, OPENED, OPENED + 30 * DAY, OPENED + 31 * DAY, zones, ZONE), ZONE)


def empty_month() -> str:
    return period_page.page(measure([], OPENED, OPENED + DAY, OPENED + DAY, {}, ZONE), ZONE)


def status(*texts: str) -> str:
    """With something that is over, and something that goes on."""
    sim = trouble(policy(components={"site": "Website", "checkout": LONG, "mail": "Confirmations by e-mail"}))
    do(sim, Verb.RESOLVE)
    sim.pass_time(sim.now + 3 * HOUR)
    again = trouble()
    for text in texts:
        publish(again, Said.IDENTIFIED, text)
    said: Any = {
        "INC-1": sim.state.tables[Table.PUBLIC]["INC-1"],
        "INC-2": again.state.tables[Table.PUBLIC]["INC-1"],
    }
    rules = sim.policy.process
    assert rules is not None
    assert rules.status_page is not None
    return documents(rules.status_page, said, sim.now)["index.html"].decode()


def all_good() -> str:
    rules = policy().process
    assert rules is not None
    assert rules.status_page is not None
    return documents(rules.status_page, {}, OPENED)["index.html"].decode()


def letter(severity: Severity = Severity.SEV0, message: Message | None = None) -> Callable[[], str]:
    found = {"message": message} if message else {}
    return lambda: letter_page.html(
        notice(severity=severity, purpose=Purpose.PAGE, **found), "Acknowledge", ""
    )


def hostile_letter() -> str:
    return letter(message=Message(title=HOSTILE + LONG, body=f"{LONG}\n{HOSTILE}"))()


PAGES: dict[str, Callable[[], str]] = {
    "report": report, "summary": summary, "hostile report": hostile_report, "month": month, "empty month": empty_month,
    "status": lambda: status("We have found it."), "hostile status": lambda: status(HOSTILE, LONG), "all good": all_good,
    "mail": letter(), "minor mail": letter(Severity.SEV4), "hostile mail": hostile_letter,
}  # fmt: skip


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_every_text_stands_out(browser: Any, name: str, dark: bool) -> None:
    for width in (PHONE, DESK):
        seen = look(browser, PAGES[name](), width=width, dark=dark)
        assert seen.texts >= 3
        assert (seen.beyond, seen.faint) == (0, []), width
        assert (seen.asked, seen.said) == ([], [])


def test_what_is_too_wide_is_seen(browser: Any) -> None:
    assert look(browser, sheet.page("x", el("pre", LONG))).beyond > 0


def test_what_is_too_faint_is_seen(browser: Any) -> None:
    """Grey on the page's own ground; in SVG the fill counts."""
    grey = "<p style='color:#999'>faint</p><svg width=99 height=20><text y=15 fill='#aaa'>pale</text></svg>"
    seen = look(browser, f"<body style='background:#fff;color:#000'>{grey}<p>fine</p>")
    assert [each.split()[0] for each in seen.faint] == ["'faint'", "'pale'"]


def test_what_shines_through_and_what_stands_in_a_field_is_seen_as_it_comes_out(browser: Any) -> None:
    """Ink of which half is missing, a card that half covers the dark; what is switched off need not be read."""
    faint = (
        "<p style='opacity:.4'>washed out</p>"
        "<div style='background:#000'><p style='background:#fff8;color:#fff'>on glass</p></div>"
        "<input value='typed' style='color:#999;background:#fff'><input placeholder='asked' style='background:#fff'>"
        "<style>::placeholder { color: #aaa }</style>"
    )
    fine = "<p style='opacity:.9'>fine</p><p style='color:#000c'>fine</p><button disabled style='color:#ccc'>off</button>"
    seen = look(browser, f"<body style='background:#fff;color:#000'>{faint}{fine}")
    assert [each.split("'")[1] for each in seen.faint] == ["washed out", "on glass", "typed", "asked"]
