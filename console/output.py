"""How the console speaks: tables for people, JSON for programs, and nothing a payload says is ever obeyed.

Text from outside may hold terminal escapes, marks that turn the reading direction, or markup. `plain` takes
the first two out; the third is never interpreted, because only `rich.text.Text` is printed. JSON is ASCII,
so whatever it quotes stays quoted.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from ledger.views.times import iso
from routing.calendar.hours import FOREVER
from routing.duration import span

if TYPE_CHECKING:  # rich is imported when something is printed, not to show a help page
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "ago", "as_json", "clock", "facts", "heading", "iso", "one_line", "plain", "progress", "say", "span", "table",
    "wall_clock", "warn",
]  # fmt: skip

_WIDE = 10_000
"""Columns when nobody looks: a pipe gets whole lines."""

_STYLES: Mapping[str, str] = {
    "SEV-0": "bold white on red", "SEV-1": "bold red", "SEV-2": "yellow", "SEV-3": "cyan", "SEV-4": "dim",
    "triggered": "bold red", "acknowledged": "yellow", "resolved": "green",
    "failed": "red", "answered": "green", "delivered": "green", "sent": "green", "succeeded": "green",
    "SANDBOX": "magenta",
}  # fmt: skip


def plain(text: object) -> str:
    """`text` without control, format and private characters; tabs and line breaks stay, as spaces would."""
    found = str(text)
    if found.isprintable():  # nearly everything is: a page asks this of thousands of texts
        return found
    return "\n".join(map(_plain_line, found.split("\n")))  # and nearly every line of what a command printed


def _plain_line(line: str) -> str:
    return line if line.isprintable() else "".join(map(_visible, line))


def one_line(text: object, most: int = 0) -> str:
    """`plain` on one line, cut to `most` characters when given."""
    line = " ".join(plain(text).split())
    return line if not most or len(line) <= most else line[: most - 1] + "…"


def _visible(char: str) -> str:
    if char in "\n\t":
        return char
    kind = unicodedata.category(char)
    if kind in {"Zl", "Zp"}:
        return " "
    return "" if kind in {"Cc", "Cf", "Cs", "Co"} else char


def clock(at: int) -> str:
    """Instant in ms for people: "2026-11-24 02:35:07 UTC"; "-" for 0."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "-"


def wall_clock(at: int, timezone: str) -> str:
    """Instant in ms as a person in the zone reads it: "2026-11-24 03:35 CET"; "-" for 0, and for never."""
    if not 0 < at < FOREVER:
        return "-"
    return datetime.fromtimestamp(at / 1000, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M %Z")


def ago(at: int, now: int) -> str:
    """Writes "3 min ago", "in 2 h"; "-" for 0."""
    if not at:
        return "-"
    return f"{span(now - at)} ago" if at <= now else f"in {span(at - now)}"


def as_json(value: object) -> None:
    """Print one JSON document, ASCII only."""
    click.echo(json.dumps(value, ensure_ascii=True, indent=2, default=str).replace("\x7f", "\\u007f"))


def say(text: object, style: str = "") -> None:
    """Print a line for people, made inert."""
    from rich.text import Text  # noqa: PLC0415  # see the module's head

    _console().print(Text(plain(text), style=style))


def heading(text: object) -> None:
    say("")
    say(text, "bold")


def warn(text: object) -> None:
    """Print a line to stderr, made inert."""
    click.echo(plain(text), err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "Nothing.") -> None:
    """Print rows under their column names; `empty` when there are none."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        cells = [one_line("-" if cell in (None, "") else cell) for cell in row]
        grid.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    if grid.row_count:
        _lay_out(grid)
    else:
        say(empty, "dim")


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values under each other; pairs without a value are left out."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, "", 0):
            text = plain(value)
            grid.add_row(Text(name), Text(text, style=_STYLES.get(text, "")))
    _lay_out(grid)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], Any]]:
    """A progress bar on stderr when a person looks at it; calls with the number of things just done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(plain(what), total=total)
        yield lambda done: bar.advance(task, done)


def _lay_out(grid: "Table") -> None:
    """A pipe gets no blanks at the ends of lines: the widest of them would lengthen all."""
    console = _console()
    if console.is_terminal:
        console.print(grid)
        return
    with console.capture() as shown:
        console.print(grid)
    click.echo("\n".join(line.rstrip() for line in shown.get().rstrip("\n").split("\n")))


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415

    person = sys.stdout.isatty()
    return Console(
        file=sys.stdout, width=None if person else _WIDE, color_system="auto" if person else None,
        markup=False, highlight=False, emoji=False, soft_wrap=not person,
    )  # fmt: skip
