"""A report on one incident as Markdown: a page for management, or all of it for engineers."""

from collections.abc import Iterator, Sequence

from ledger.views.reports.incident import Shown, by_instant, is_open
from ledger.views.reports.wording import (
    UNWRITTEN,
    clock,
    inert,
    moment,
    paragraphs,
    people,
    sentence,
    times,
    took,
    verdict,
)
from routing.duration import span

MOST_LINES = 200
"""Of the timeline, the first and the last of it."""


def summary(shown: Shown, zone: str) -> str:
    """For management: what happened, whom it hit, how long, what prevents it."""
    head = "Incident so far" if is_open(shown) else "Incident summary"
    return _joined([
        f"# {head}: {inert(shown['title'])}", "", inert(shown["sentence"]), "",
        *_targets(shown),
        *_reviewed(shown, ("impact", "root_cause", "measures")),
        "## What was done", "", *_done_in_short(shown), "",
        *_followups(shown, zone),
    ])  # fmt: skip


def post_incident(shown: Shown, zone: str, most: int = MOST_LINES) -> str:
    """For engineers: all that the record tells, with the timeline."""
    return _joined([
        f"# {shown['incident']}: {inert(shown['title'])}", "", inert(shown["sentence"]), "",
        *(paragraph for each in paragraphs(shown["summary"]) for paragraph in (each, "")),
        *_targets(shown),
        *_reviewed(shown, ("impact", "root_cause")),
        "## What ran by itself", "", *(_runs(shown, zone) or ["Nothing."]), "",
        "## Who was paged", "", *(_pages(shown, zone) or ["Nobody."]), "",
        *_listed("Deployments before it", _deploys(shown, zone)),
        *_listed("Alerts", _alerts(shown, zone)),
        *_listed("Who had which role", [f"- {inert(role)}: {inert(who)}" for role, who in shown["roles"].items()]),
        "## What happened when", "", *_timeline(shown, zone, most), "",
        *_reviewed(shown, ("measures",)),
        *_followups(shown, zone),
    ])  # fmt: skip


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


TITLES = {
    "impact": "Who was affected, and how",
    "root_cause": "Root cause",
    "measures": "What prevents it",
}


def _reviewed(shown: Shown, parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        yield from (f"## {TITLES[part]}", "")
        for each in paragraphs(shown["review"][part]) or [UNWRITTEN]:
            yield from (each, "")


def _targets(shown: Shown) -> Iterator[str]:
    if shown["targets"]:
        yield from ("| target | took | |", "|---|---|---|")
        for each in shown["targets"]:
            yield f"| {each['what']} | {took(each)} | {verdict(each)} |"
        yield ""


def _done_in_short(shown: Shown) -> Iterator[str]:
    names = {page["contact"] for page in shown["people"]}
    yield f"- Paged: {people(len(names))}, {times(len(shown['people']))}." if names else "- Nobody was paged."
    for run in shown["automatic"]:
        yield f"- By itself, {inert(run['runbook'])}: {run['ended']}."
    if not shown["automatic"]:
        yield "- Nothing ran by itself."


def _runs(shown: Shown, zone: str) -> list[str]:
    return [f"- {clock(run['began_at'], zone)} {_run(run)}" for run in shown["automatic"]]


def _run(run: Shown) -> str:
    asked = f", started by {inert(run['started_by'])}" if run["started_by"] else ""
    agreed = f", approved by {inert(', '.join(run['approved_by']))}" if run["approved_by"] else ""
    lasted = f" after {span(run['took_ms'])}" if run["took_ms"] is not None else ""
    changed = f" It changed: {inert(', '.join(run['changed']))}." if run["changed"] else ""
    return f"{inert(run['runbook'])}{asked}{agreed}: {run['ended']}{lasted}. {inert(sentence(run['why']))}{changed}"


def _pages(shown: Shown, zone: str) -> list[str]:
    return [
        f"- {clock(page['at'], zone)} {inert(page['contact'])}, "
        f"{'; '.join(inert(way['channel'] + ' ' + way['status']) for way in page['ways'])}: {_answer(page)}"
        for page in shown["people"]
    ]


def _answer(page: Shown) -> str:
    if page["answer"] is None:
        return "no answer"
    return f"{inert(page['answer'])}, {span(page['after_ms'])} later"


def _deploys(shown: Shown, zone: str) -> list[str]:
    return [
        f"- {moment(each['at'], zone)} {inert(each['id'])} of {inert(each['project'])}"
        f"{' by ' + inert(each['by']) if each['by'] else ''}, {span(each['before_ms'])} before"
        for each in shown["deploys"]
    ]


def _alerts(shown: Shown, zone: str) -> list[str]:
    return [
        f"- {clock(each['began_at'], zone)} {inert(each['title'])} ({inert(each['source'])}, {each['severity']}), "
        f"{times(each['count'])}, {each['status']}{', flapping' if each['flapping'] else ''}"
        for each in shown["alerts"]
    ]


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from (f"## {title}", "", *lines, "")


def _followups(shown: Shown, zone: str) -> Iterator[str]:
    tasks = [
        f"- [{'x' if each['done_at'] else ' '}] {inert(each['text'])}"
        f"{' (' + inert(', '.join(each['to'])) + ')' if each['to'] else ''}"
        f"{', done ' + moment(each['done_at'], zone) if each['done_at'] else ''}"
        for each in shown["followups"]
    ]
    yield from _listed("What is left to do", tasks)


def _timeline(shown: Shown, zone: str, most: int) -> list[str]:
    lines = [
        f"- {moment(at, zone, '%d %b %H:%M:%S')} {'; '.join(map(inert, what))}"
        for at, what in by_instant(shown["timeline"])
    ]
    return in_part(lines, f"- ... {{}} more in: tocsin incidents show {shown['incident']}", most)


def in_part(lines: list[str], told: str, most: int) -> list[str]:
    """The first and the last of many, with how many `told` leaves out between them."""
    if len(lines) <= most:
        return lines
    half = most // 2
    return [*lines[:half], told.format(len(lines) - 2 * half), *lines[-half:]]
