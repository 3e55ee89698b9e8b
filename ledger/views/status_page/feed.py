"""The status page as RSS 2.0: one item for each word that was said."""

from email.utils import format_datetime

from ledger.views.markup import Markup, el, join
from ledger.views.status_page.board import Board
from routing.calendar.wall import EPOCH
from routing.public import Public, Word

MOST = 50


def feed(board: Board) -> str:
    words = sorted(
        ((word.at, public, word) for public in (*board.open, *board.over) for word in public.words),
        key=lambda each: each[0],
        reverse=True,
    )
    page = board.page
    channel = el(
        "channel",
        el("title", page.title),
        _element("link", page.url or "index.html"),
        el("description", f"What {page.title} tells of trouble, and of its end."),
        el("lastBuildDate", _date(board.now)),
        *(_item(board, public, word) for _, public, word in words[:MOST]),
    )
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + el("rss", channel, version="2.0") + "\n"


def _item(board: Board, public: Public, word: Word) -> Markup:
    return el(
        "item",
        el("title", f"{public.title}: {word.said.value}"),
        el("description", word.text),
        el("pubDate", _date(word.at)),
        el("guid", f"{public.id}-{word.at}-{word.said}", isPermaLink="false"),
        _element("link", board.page.url or "index.html"),
    )


def _element(name: str, text: str) -> Markup:
    """Of a name that HTML has without content."""
    return Markup(f"<{name}>{join(text)}</{name}>")


def _date(at: int) -> str:
    return format_datetime(EPOCH.fromtimestamp(at / 1000, EPOCH.tzinfo))
