"""Whether a text is whole, and where its events stand: the parser drops what is cut off, and knows no lines."""

from collections.abc import Iterator

from routing.oncall.importing.appointments import CalendarError

MOST_EVENTS = 20_000
_SHOWN = 40


def event_lines(text: str) -> list[int]:
    """The line of each BEGIN:VEVENT, counted from 1. Raises CalendarError unless the text is whole."""
    open_: list[tuple[str, int]] = []
    found: list[int] = []
    for number, line in _content(text):
        word, _, name = (part.strip().upper() for part in line.partition(":"))
        if not open_ and (word, name) != ("BEGIN", "VCALENDAR"):
            raise CalendarError(
                f"line {number}: {_short(line.strip())} where BEGIN:VCALENDAR is expected; is it a calendar?"
            )
        if word == "BEGIN":
            open_.append((name, number))
            found += [number] if name == "VEVENT" else []
        elif word == "END":
            _close(open_, name, number)
    if open_:
        name, number = open_[-1]
        raise CalendarError(f"it ends within the {name} that begins in line {number}; get the whole of it")
    return _few(found)


def _content(text: str) -> Iterator[tuple[int, str]]:
    """Content lines with their numbers; a line that goes on an earlier one begins with a blank."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and line[0] not in " \t":
            yield number, line


def _close(open_: list[tuple[str, int]], name: str, number: int) -> None:
    last, since = open_.pop()
    if last != name:
        raise CalendarError(
            f"line {number}: END:{_short(name)} within the {last} that begins in line {since}"
        )


def _few(found: list[int]) -> list[int]:
    if len(found) > MOST_EVENTS:
        raise CalendarError(
            f"it has {len(found)} events, at most {MOST_EVENTS} are read; use a smaller calendar"
        )
    return found


def _short(line: str) -> str:
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")
