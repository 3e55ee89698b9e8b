"""The status page as one HTML file: no script, light and dark, readable on a phone and by ear."""

from collections.abc import Iterator
from itertools import groupby

from ledger.views import sheet
from ledger.views.markup import Inside, Markup, el
from ledger.views.reports.wording import moment
from ledger.views.status_page.board import Board
from routing.instant import DAY, iso
from routing.public import Health, Public, Word

_SIGNS = {Health.OPERATIONAL: "✓", Health.DEGRADED: "▲", Health.PARTIAL: "■", Health.MAJOR: "✕"}
_TONES = {Health.OPERATIONAL: "good", Health.DEGRADED: "warn", Health.PARTIAL: "bad", Health.MAJOR: "bad"}


def page(board: Board) -> str:
    return sheet.page(
        board.page.title,
        el("header", el("p", board.page.title, class_="kicker"), _banner(board)),
        *(_current(board, each) for each in board.open),
        sheet.section("Components", _components(board)),
        sheet.section(f"The last {max(1, board.page.history_ms // DAY)} days", _history(board)),
        _foot(board),
        head=_feeds(board),
    )


def _banner(board: Board) -> Markup:
    sign = el("span", _SIGNS[board.worst], class_="sign", aria_hidden="true")
    return el("h1", sign, " ", board.sentence, class_=f"banner {_TONES[board.worst]}")


def _current(board: Board, public: Public) -> Markup:
    return sheet.section(public.title, _words(board, public))


def _words(board: Board, public: Public) -> Markup:
    return el("ul", *(_word(board, each) for each in reversed(public.words)), class_="rows")


def _word(board: Board, word: Word) -> Markup:
    head = el("p", el("b", word.said.value.capitalize()), " ", _time(board, word.at), class_="soft")
    return el("li", head, *_paragraphs(word.text))


def _paragraphs(text: str) -> Iterator[Markup]:
    return (el("p", each.strip()) for each in text.split("\n\n") if each.strip())


def _time(board: Board, at: int) -> Markup:
    return el("time", moment(iso(at), board.page.timezone, "%d %b %Y, %H:%M %Z"), datetime=iso(at))


def _components(board: Board) -> Markup:
    return el("ul", *(_component(name, health) for name, health in board.components), class_="rows pairs")


def _component(name: str, health: Health) -> Markup:
    sign = el("span", _SIGNS[health], class_="sign", aria_hidden="true")
    return el("li", el("b", name), el("span", sign, " ", health.words, class_=_TONES[health]))


def _history(board: Board) -> Inside:
    if not board.over:
        return el("p", "Nothing to report.", class_="soft")
    days = groupby(
        board.over, key=lambda each: moment(iso(each.began_at), board.page.timezone, "%A %d %B %Y")
    )
    return [part for day, some in days for part in (el("h3", day), *(_past(board, each) for each in some))]


def _past(board: Board, public: Public) -> Markup:
    """Its words are there for who wants them."""
    zone, begin, end = board.page.timezone, iso(public.began_at), iso(public.ended_at)
    same = moment(begin, zone, "%x") == moment(end, zone, "%x")
    lasted = (
        f"{moment(begin, zone, '%H:%M')} to {moment(end, zone, '%H:%M %Z' if same else '%d %b, %H:%M %Z')}"
    )
    title = el("summary", el("b", public.title), " ", el("span", lasted, class_="soft"))
    return el("details", title, _words(board, public))


def _foot(board: Board) -> Markup:
    return el(
        "footer",
        "As of ", _time(board, board.now), ". Also as ",
        el("a", "a feed", href="index.rss"), " and ", el("a", "JSON", href="index.json"), ".",
    )  # fmt: skip


def _feeds(board: Board) -> Inside:
    return (
        el("link", rel="alternate", type="application/rss+xml", title=board.page.title, href="index.rss"),
        el("meta", http_equiv="refresh", content="60"),
    )
