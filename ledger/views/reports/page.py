"""A report on one incident as one HTML file that needs nothing beside it."""

from collections.abc import Iterator, Sequence

from ledger.views import sheet
from ledger.views.markup import Inside, Markup, el
from ledger.views.reports.drawing import timeline
from ledger.views.reports.incident import Shown, by_instant, is_open
from ledger.views.reports.markdown import TITLES
from ledger.views.reports.wording import UNWRITTEN, clock, moment, people, sentence, times, took, verdict
from routing.duration import span

_VERDICTS = {"kept": "good", "missed": "bad", "still running": "warn"}


def summary(shown: Shown, zone: str) -> str:
    """For management."""
    kind = "Incident so far" if is_open(shown) else "Incident summary"
    return sheet.page(
        f"{shown['incident']}: {shown['title']}",
        _head(shown, zone, kind),
        _figures(shown),
        _reviewed(shown, ("impact", "root_cause", "measures")),
        sheet.section("What was done", _done(shown)),
        _followups(shown, zone),
        _foot(shown, zone),
    )


def post_incident(shown: Shown, zone: str) -> str:
    """For engineers, with the timeline drawn."""
    return sheet.page(
        f"{shown['incident']}: {shown['title']}",
        _head(shown, zone, "Incident so far" if is_open(shown) else "Post-incident report"),
        _figures(shown),
        _reviewed(shown, ("impact", "root_cause")),
        sheet.section("How it went", timeline(shown, zone), _legend()),
        sheet.section("What ran by itself", _rows(_runs(shown, zone), "Nothing.")),
        sheet.section("Who was paged", _rows(_pages(shown, zone), "Nobody.")),
        _listed("Deployments before it", _deploys(shown, zone)),
        _listed("Alerts", _alerts(shown, zone)),
        _reviewed(shown, ("measures",)),
        _followups(shown, zone),
        sheet.section("What happened when", _log(shown, zone)),
        _foot(shown, zone),
    )


def _head(shown: Shown, zone: str, kind: str) -> Markup:
    where = " · ".join(filter(None, (shown["service"], shown["team"])))
    return el(
        "header",
        el("p", f"{kind} · {shown['incident']}", class_="kicker"),
        el("h1", shown["title"]),
        el(
            "p",
            el("span", shown["severity"], class_="chip"), " ", el("span", shown["status"], class_="chip"), " ",
            el("span", where, class_="soft"),
        ),
        el("p", _sentence(shown, zone), class_="lead"),
    )  # fmt: skip


def _sentence(shown: Shown, zone: str) -> str:
    """As `incident.sentence`, in the reader's zone."""
    opened = moment(shown["opened_at"], zone)
    lasted = span(shown["open_ms"])
    if is_open(shown):
        return f"Opened {opened}, and open for {lasted}."
    return f"It lasted {lasted}, from {opened} to {moment(shown['resolved_at'], zone, '%H:%M %Z')}."


def _figures(shown: Shown) -> Markup:
    targets = [
        (each["what"].capitalize(), took(each).split(" of ")[0], _judged(each)) for each in shown["targets"]
    ]
    repaired = [run for run in shown["automatic"] if run["ended"] == "succeeded"]
    ran = f"{len(repaired)} of {len(shown['automatic'])}" if shown["automatic"] else "none"
    names = {page["contact"] for page in shown["people"]}
    whom = f"to {people(len(names))}" if names else "nobody was woken"
    return sheet.facts(
        *targets,
        ("Pages", str(len(shown["people"])), whom),
        ("Repairs by itself", ran, "that worked" if shown["automatic"] else "nothing ran"),
    )


def _judged(target: Shown) -> Inside:
    word = verdict(target)
    return el("span", f"{word}, of {span(target['allowed_ms'])}", class_=_VERDICTS[word])


def _reviewed(shown: Shown, parts: Sequence[str]) -> list[Markup]:
    return [sheet.section(TITLES[part], _prose(shown["review"][part])) for part in parts]


def _prose(text: str) -> list[Markup]:
    if not text.strip():
        return [el("p", UNWRITTEN, class_="soft")]
    return [el("p", each.strip()) for each in text.strip().split("\n\n")]


def _done(shown: Shown) -> Markup:
    names = list(dict.fromkeys(page["contact"] for page in shown["people"]))
    paged = f"Paged: {', '.join(names)}." if names else "Nobody was paged."
    lines = [f"By itself, {run['runbook']}: {run['ended']}." for run in shown["automatic"]]
    return _rows([[paged], *([line] for line in lines or ["Nothing ran by itself."])], "")


def _legend() -> Markup:
    said = (
        "Hatched: nobody had it. Solid: somebody had it. Stripe: paged; ring: answered. Diamond: deployment. "
        "Dotted line: the time to respond or to resolve was over."
    )
    return el("p", said, class_="soft")


def _rows(rows: Sequence[Sequence[Inside]], empty: str) -> Markup:
    if not rows:
        return el("p", empty, class_="soft")
    return el("ul", *(el("li", *row) for row in rows), class_="rows")


def _listed(title: str, rows: Sequence[Sequence[Inside]]) -> Inside:
    return sheet.section(title, _rows(rows, "")) if rows else ""


def _line(zone: str, at: str | None, name: str, rest: str) -> list[Inside]:
    return [el("time", clock(at, zone), datetime=at), " ", el("b", name), " ", rest]


def _runs(shown: Shown, zone: str) -> list[list[Inside]]:
    return [_line(zone, run["began_at"], run["runbook"], _run(run)) for run in shown["automatic"]]


def _run(run: Shown) -> str:
    who = f"started by {run['started_by']}, " if run["started_by"] else ""
    agreed = f"approved by {', '.join(run['approved_by'])}, " if run["approved_by"] else ""
    lasted = f" after {span(run['took_ms'])}" if run["took_ms"] is not None else ""
    changed = f" It changed: {', '.join(run['changed'])}." if run["changed"] else ""
    return f"{who}{agreed}{run['ended']}{lasted}. {sentence(run['why'])}{changed}"


def _pages(shown: Shown, zone: str) -> list[list[Inside]]:
    return [_line(zone, page["at"], page["contact"], _page(page)) for page in shown["people"]]


def _page(page: Shown) -> str:
    ways = "; ".join(f"{way['channel']} {way['status']}" for way in page["ways"])
    if page["answer"] is None:
        return f"({ways}): no answer"
    return f"({ways}): {page['answer']}, {span(page['after_ms'])} later"


def _deploys(shown: Shown, zone: str) -> list[list[Inside]]:
    return [
        _line(zone, each["at"], each["id"],
              f"of {each['project']}{' by ' + each['by'] if each['by'] else ''}, {span(each['before_ms'])} before")
        for each in shown["deploys"]
    ]  # fmt: skip


def _alerts(shown: Shown, zone: str) -> list[list[Inside]]:
    return [
        _line(zone, each["began_at"], each["title"],
              f"{each['source']}, {each['severity']}, {times(each['count'])}, {each['status']}"
              f"{', flapping' if each['flapping'] else ''}")
        for each in shown["alerts"]
    ]  # fmt: skip


def _followups(shown: Shown, zone: str) -> Inside:
    return _listed("What is left to do", [_followup(each, zone) for each in shown["followups"]])


def _followup(each: Shown, zone: str) -> list[Inside]:
    done = [moment(each["done_at"], zone)] if each["done_at"] else []
    about = el("span", ", ".join([*each["to"], *done]), class_="soft")
    return [el("span", "done" if done else "open", class_="chip"), " ", each["text"], " ", about]


def _log(shown: Shown, zone: str) -> Markup:
    return el("ul", *_moments(shown, zone), class_="log")


def _moments(shown: Shown, zone: str) -> Iterator[Markup]:
    for at, what in by_instant(shown["timeline"]):
        time = el("time", moment(at, zone, "%d %b %H:%M:%S"), datetime=at)
        yield el("li", time, el("div", *(el("div", each) for each in what)))


def _foot(shown: Shown, zone: str) -> Markup:
    review = shown["review"]
    written = f" Written by {review['by']}, {moment(review['at'], zone)}." if review["at"] else ""
    return el("footer", f"Times in {zone}.{written} Everything else is what Tocsin recorded.")
