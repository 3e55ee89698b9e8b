"""The report on a while as one HTML file, with its charts."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ledger.views import sheet
from ledger.views.markup import Inside, Markup, el
from ledger.views.reports.drawing import hatch
from ledger.views.reports.period import NIGHT, Shown
from ledger.views.reports.period_markdown import automation, held, noise
from ledger.views.reports.wording import moment, percent, span_or_none

_HEIGHT = 110
_FORM = "%d %b %Y"


def page(shown: Shown, zone: str) -> str:
    begin, end = moment(shown["from"], zone, _FORM), moment(shown["until"], zone, _FORM)
    return sheet.page(
        f"Alarms from {begin} to {end}",
        el("header", el("p", "Alarms and answers", class_="kicker"), el("h1", f"{begin} to {end}")),
        _figures(shown),
        sheet.section("Incidents by day", _days(shown)),
        sheet.section("Promises", *_promises(shown)),
        sheet.section("Pages by the hour", _hours(shown), el("p", _night(shown), class_="soft")),
        sheet.section("Pages by person", _people(shown)),
        sheet.section("Noise", _lines(noise(shown))),
        sheet.section("Repaired by itself", _lines(automation(shown))),
        sheet.section(
            "Where", _lines(f"{each['service']}: {each['incidents']}" for each in shown["services"])
        ),
        el("footer", f"Of incidents opened in this time. Days in {zone}; hours in each person's own zone."),
    )


def _figures(shown: Shown) -> Markup:
    found, taken, over = shown["incidents"], shown["acknowledged"], shown["resolved"]
    return sheet.facts(
        ("Incidents", str(found["all"]), f"{found['open']} open"),
        ("Acknowledged after", span_or_none(taken["mean_ms"]), f"median {span_or_none(taken['median_ms'])}"),
        ("Resolved after", span_or_none(over["mean_ms"]), f"median {span_or_none(over['median_ms'])}"),
        ("Pages", str(shown["pages"]["all"]), f"{shown['pages']['at_night']} at night"),
        ("Repaired by itself", percent(shown["automation"]["share"]), f"{shown['automation']['repaired']} incidents"),
        ("Noise", percent(shown["noise"]["share"]), "of what paged"),
    )  # fmt: skip


def _night(shown: Shown) -> str:
    return (
        f"Hatched: night, from 22:00 to 07:00. {shown['pages']['at_night']} of {shown['pages']['all']} pages."
    )


def _hours(shown: Shown) -> Markup:
    hours = shown["pages"]["hours"]
    kinds = ["hatched" if hour in NIGHT else "fill" for hour in range(24)]
    return _bars(hours, kinds, ("00", "06", "12", "18", "24"), "Pages by the hour")


def _days(shown: Shown) -> Markup:
    counts = list(_each_day(shown))
    if not counts:
        return el("p", "None.", class_="soft")
    first, last = counts[0][0], counts[-1][0]
    names = tuple(dict.fromkeys((first.strftime("%d %b"), last.strftime("%d %b"))))
    return _bars([many for _, many in counts], ["fill"] * len(counts), names, "Incidents by day")


def _each_day(shown: Shown) -> Iterator[tuple[date, int]]:
    """From the first with an incident to the last."""
    days = {date.fromisoformat(day): many for day, many in shown["days"].items()}
    day = min(days, default=date.max)
    while days and day <= max(days):
        yield day, days.get(day, 0)
        day += timedelta(days=1)


def _bars(values: Sequence[int], kinds: Sequence[str], names: Sequence[str], title: str) -> Markup:
    """Upright, with the tallest one's number above it, and names spread below."""
    most, step = max([*values, 1]), 100 / len(values)
    tallest = list(values).index(max(values))
    bars = (
        _bar(number * step, step, value / most, kind, str(value) if number == tallest else "")
        for number, (value, kind) in enumerate(zip(values, kinds, strict=True))
        if value
    )
    base = el("line", x1="0", x2="100%", y1=_HEIGHT, y2=_HEIGHT, class_="rule")
    return el(
        "svg", hatch(), base, *bars, *_names(names), class_="plot", height=_HEIGHT + 22, role="img", aria_label=title,
    )  # fmt: skip


def _bar(at: float, step: float, share: float, kind: str, told: str) -> Iterator[Markup]:
    height = max(2, share * (_HEIGHT - 20))
    x, width = f"{at + step * 0.12:.2f}%", f"{step * 0.76:.2f}%"
    yield el("rect", x=x, width=width, y=f"{_HEIGHT - height:.1f}", height=f"{height:.1f}", class_=kind)
    if told:
        middle = f"{at + step / 2:.2f}%"
        yield el("text", told, x=middle, y=f"{_HEIGHT - height - 5:.1f}", text_anchor="middle")


def _names(names: Sequence[str]) -> Iterator[Markup]:
    for number, name in enumerate(names):
        share = number / max(1, len(names) - 1)
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        yield el("text", name, x=f"{share:.2%}", y=_HEIGHT + 17, text_anchor=anchor, class_="faint")


def _promises(shown: Shown) -> Iterator[Markup]:
    for each in shown["promises"]:
        yield el("h3", each["severity"])
        for name, key in (("Responded in time", "response"), ("Resolved in time", "resolution")):
            yield _share(name, each[key])
    yield el("p", "Solid: kept. Hatched: missed.", class_="soft")


def _share(name: str, found: Shown) -> Markup:
    whole = found["kept"] + found["missed"]
    kept = found["kept"] / whole if whole else 0.0
    bars = (
        el("rect", x=0, y=20, height=10, width=f"{kept:.2%}", class_="fill"),
        el("rect", x=f"{kept:.2%}", y=20, height=10, width=f"{1 - kept:.2%}", class_="hatched"),
    )
    return el(
        "svg", hatch(), el("text", f"{name}: {held(found)}", x=0, y=13), *(bars if whole else ()), class_="plot",
        height=38, role="img", aria_label=f"{name}: {held(found)}",
    )  # fmt: skip


def _people(shown: Shown) -> Markup:
    names = ("Who", "Pages", "At night", "Zone")
    rows = (
        (each["contact"], each["pages"], each["at_night"], each["timezone"])
        for each in shown["pages"]["people"]
    )
    head = el("thead", el("tr", *(el("th", name) for name in names)))
    body = (
        el("tr", *(el("td", str(cell), data_name=name) for name, cell in zip(names, row, strict=True)))
        for row in rows
    )
    return el("table", head, el("tbody", *body), class_="cards")


def _lines(lines: Iterator[str]) -> Inside:
    return el("ul", *(el("li", line.removeprefix("- ")) for line in lines), class_="rows")
