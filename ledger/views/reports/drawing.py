"""The timeline of an incident, drawn: inline SVG whose places are percentages, so that a phone shows it as well.

Without colour it says the same: hatched is a time in which nobody had it, shapes differ, and every line has its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.views.markup import Markup, el
from ledger.views.reports.incident import Shown
from ledger.views.reports.wording import moment, times
from routing.duration import span
from routing.instant import DAY, MINUTE, iso, parse_iso

_LANE = 46
_TOP = 34
_MOST = 6
"""Alerts, people and runs that have a lane each; further ones are told in the text alone."""
_LEAD_MS = 120 * MINUTE
"""A deployment this long before is drawn too."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From and to, in ms."""

    begin: int
    end: int

    def at(self, instant: int) -> str:
        """Its place, as SVG takes it."""
        share = (min(max(instant, self.begin), self.end) - self.begin) / (self.end - self.begin)
        return f"{share * 100:.2f}%"

    def width(self, begin: int, end: int) -> str:
        share = (min(end, self.end) - max(begin, self.begin)) / (self.end - self.begin)
        return f"{max(0.6, share * 100):.2f}%"


@dataclass(frozen=True, slots=True)
class Lane:
    """A name, and what is drawn below it at a height that is filled in."""

    name: str
    marks: tuple[Markup, ...]


def timeline(shown: Shown, zone: str) -> Markup:
    """All of it in one picture; its text alternative is the report's own text."""
    axis = _axis(shown)
    lanes = list(_lanes(shown, axis))
    height = _TOP + _LANE * len(lanes) + 6
    return el(
        "svg",
        hatch(),
        *_ticks(axis, zone, height),
        *_limits(shown, axis, height),
        *(
            el(
                "svg",
                el("text", lane.name, x=0, y=14),
                *lane.marks,
                y=_TOP + number * _LANE,
                width="100%",
                height=_LANE,
                overflow="visible",
            )
            for number, lane in enumerate(lanes)
        ),
        class_="plot",
        height=height,
        role="img",
        aria_label=f"Timeline of {shown['incident']}",
    )


def _axis(shown: Shown) -> Axis:
    opened, ended = parse_iso(shown["opened_at"]), parse_iso(shown["ended_at"])
    begins = [at for each in shown["deploys"] if (at := parse_iso(each["at"])) >= opened - _LEAD_MS]
    ends = [parse_iso(each["ended_at"]) for each in shown["automatic"] if each["ended_at"]]
    begin, end = min([opened, *begins]), max([ended, *(at for at in ends if at < ended + DAY)])
    room = max(end - begin, MINUTE) // 40
    return Axis(begin - room, end + room)


def _lanes(shown: Shown, axis: Axis) -> Iterator[Lane]:
    if shown["deploys"]:
        marks = (_diamond(axis, parse_iso(each["at"])) for each in shown["deploys"])
        names = ", ".join(each["id"] for each in shown["deploys"][:2])
        yield Lane(f"Deployment {_short(names)}", tuple(marks))
    yield _standing(shown, axis)
    for alert in shown["alerts"][:_MOST]:
        begin, end = parse_iso(alert["began_at"]), parse_iso(alert["ended_at"] or shown["ended_at"])
        yield Lane(f"Alert: {_short(alert['title'])}", (_bar(axis, begin, end, "hole"),))
    yield from _people(shown, axis)
    for run in shown["automatic"][:_MOST]:
        begin, end = parse_iso(run["began_at"]), parse_iso(run["ended_at"] or shown["ended_at"])
        yield Lane(f"Runbook {_short(run['runbook'])}: {run['ended']}", (_bar(axis, begin, end, "fill", 6),))


def _standing(shown: Shown, axis: Axis) -> Lane:
    opened, ended = parse_iso(shown["opened_at"]), parse_iso(shown["ended_at"])
    taken = parse_iso(shown["acknowledged_at"]) if shown["acknowledged_at"] else 0
    if not taken:
        return Lane(f"Nobody had it, for {span(ended - opened)}", (_bar(axis, opened, ended, "hatched"),))
    marks = (_bar(axis, opened, taken, "hatched"), _bar(axis, taken, ended, "fill"))
    return Lane(f"Taken by {_short(shown['acknowledged_by'])} after {span(taken - opened)}", marks)


def _people(shown: Shown, axis: Axis) -> Iterator[Lane]:
    """A stripe for each page, a dot for the answer."""
    names = list(dict.fromkeys(page["contact"] for page in shown["people"]))
    for name in names[:_MOST]:
        pages = [page for page in shown["people"] if page["contact"] == name]
        marks = [_stripe(axis, parse_iso(page["at"])) for page in pages]
        answered = next((page for page in pages if page["answered_at"]), None)
        if answered:
            marks.append(_dot(axis, parse_iso(answered["answered_at"])))
        end = f"answered after {span(answered['after_ms'])}" if answered else "no answer"
        yield Lane(f"{_short(name)} paged {times(len(pages))}, {end}", tuple(marks))


def _ticks(axis: Axis, zone: str, height: int) -> Iterator[Markup]:
    form = "%H:%M" if axis.end - axis.begin < DAY else "%d %b %H:%M"
    for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = iso(round(axis.begin + share * (axis.end - axis.begin)))
        place = f"{share * 100:g}%"
        yield el("line", x1=place, x2=place, y1=18, y2=height, class_="rule")
        yield el("text", moment(at, zone, form), x=place, y=12, text_anchor=anchor, class_="faint")


def _limits(shown: Shown, axis: Axis, height: int) -> Iterator[Markup]:
    """Where the times to respond and to resolve ended, if the picture reaches so far."""
    for target in shown["targets"]:
        at = parse_iso(target["by"])
        if axis.begin < at < axis.end:
            title = el("title", f"{target['what']} was due")
            yield el("line", title, x1=axis.at(at), x2=axis.at(at), y1=18, y2=height, class_="limit")


def _bar(axis: Axis, begin: int, end: int, kind: str, height: int = 12) -> Markup:
    return el(
        "rect", x=axis.at(begin), width=axis.width(begin, end), y=27 - height / 2, height=height, class_=kind
    )


def _stripe(axis: Axis, at: int) -> Markup:
    return el("line", x1=axis.at(at), x2=axis.at(at), y1=20, y2=34, class_="stripe")


def _dot(axis: Axis, at: int) -> Markup:
    return el("circle", cx=axis.at(at), cy=27, r=5, class_="hole")


def _diamond(axis: Axis, at: int) -> Markup:
    return el(
        "svg",
        el("path", d="M0 -7 L7 0 L0 7 L-7 0 Z", class_="fill"),
        x=axis.at(at),
        y=27,
        overflow="visible",
    )


def hatch() -> Markup:
    """Diagonal lines."""
    return el(
        "defs",
        el(
            "pattern",
            el("path", d="M-1 1 L1 -1 M0 6 L6 0 M5 7 L7 5", class_="edge"),
            id="hatch",
            width=6,
            height=6,
            patternUnits="userSpaceOnUse",
        ),
    )


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
