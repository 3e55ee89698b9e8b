"""Options that every listing takes, and how times and pairs are written on the command line."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import click

from ledger.clock import now_ms
from routing import duration, instant
from routing.calendar.wall import instant_of, local

_TIME_OF_DAY = re.compile(r"\d\d:\d\d", re.ASCII)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

json_option: Decorator = click.option("--json", "json", is_flag=True, help="Print JSON, for programs.")
dry_run_option: Decorator = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, do nothing."
)


def paging(limit: int = 50) -> Decorator:
    """`--limit` and `--after`: the page's size, and the id the page before ended with."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option("--after", default="", metavar="ID", help="Go on after this one.")(command)
        return click.option(
            "--limit",
            default=limit,
            show_default=True,
            type=click.IntRange(1, 10_000),
            help="At most so many.",
        )(command)

    return add


class Duration(click.ParamType[int]):
    """Reads "90s", "30m", "1d12h" -> milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Instant(click.ParamType[int]):
    """ISO 8601 (UTC unless it says otherwise), "now", "+2h" or "-30m" -> milliseconds since the epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return _instant(value)
        except ValueError:
            self.fail(
                f"not a time: {value!r}; write 2026-11-24T02:30, 2026-11-24T02:30+01:00, +2h or now",
                param,
                ctx,
            )


def _instant(text: str) -> int:
    if text == "now":
        return now_ms()
    if text[:1] in {"+", "-"}:
        length = duration.parse(text[1:])
        return now_ms() + (length if text[0] == "+" else -length)
    return instant.parse_iso(text)


def local_instant(text: str, timezone: str, after: int) -> int:
    """As `Instant`, but in the local time of a zone where it names none; "18:00" is the next one after `after` (ms).

    Raises click.UsageError.
    """
    try:
        if _TIME_OF_DAY.fullmatch(text):
            return _next(time.fromisoformat(text), timezone, after)
        if text[:1].isdigit() and (wall := datetime.fromisoformat(text)).tzinfo is None:
            return instant_of(wall, timezone)
        return _instant(text)
    except ValueError as error:
        raise click.UsageError(
            f"not a time: {text!r}; write 2026-11-24T02:30, 18:00, 2026-11-24T02:30+01:00, +2h or now"
        ) from error


def _next(wall: time, timezone: str, after: int) -> int:
    today = local(after, timezone).date()
    days = (today + timedelta(days=more) for more in range(3))
    return next(at for day in days if (at := instant_of(datetime.combine(day, wall), timezone)) >= after)


class Pair(click.ParamType[tuple[str, str]]):
    """Reads "key=value" -> (key, value)."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, equals, rest = value.partition("=")
        if not key or not equals:
            self.fail(f"not a pair: {value!r}; write key=value", param, ctx)
        return key, rest
