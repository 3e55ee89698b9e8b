"""The report on a while as Markdown."""

from collections.abc import Iterator

from ledger.views.reports.period import Shown
from ledger.views.reports.wording import counted, inert, moment, percent, span_or_none

MOST_PEOPLE = 50


def text(shown: Shown, zone: str) -> str:
    return "\n".join(_lines(shown, zone)).rstrip() + "\n"


def _lines(shown: Shown, zone: str) -> Iterator[str]:
    form = "%d %b %Y"
    yield from (
        f"# Alarms from {moment(shown['from'], zone, form)} to {moment(shown['until'], zone, form)}",
        "",
    )
    yield from (_sentence(shown), "")
    yield from ("| | mean | median | nine of ten within |", "|---|---|---|---|")
    for name, key in (("acknowledged (MTTA)", "acknowledged"), ("resolved (MTTR)", "resolved")):
        found = shown[key]
        lengths = " | ".join(span_or_none(found[each]) for each in ("mean_ms", "median_ms", "p90_ms"))
        yield f"| {name} | {lengths} |"
    yield from ("", "## Promises", "", "| | responded in time | resolved in time |", "|---|---|---|")
    for each in shown["promises"]:
        yield f"| {each['severity']} | {held(each['response'])} | {held(each['resolution'])} |"
    yield from ("", "## Pages", "", "| who | pages | at night | zone |", "|---|---|---|---|")
    for each in shown["pages"]["people"][:MOST_PEOPLE]:
        yield f"| {inert(each['contact'])} | {each['pages']} | {each['at_night']} | {each['timezone']} |"
    yield from ("", "By the hour, each in their own zone:", "", *_hours(shown), "")
    yield from ("## Noise", "", *noise(shown), "", "## Repaired by itself", "", *automation(shown), "")
    yield from (
        "## Where",
        "",
        *(f"- {inert(each['service'])}: {each['incidents']}" for each in shown["services"]),
    )


def _sentence(shown: Shown) -> str:
    found = shown["incidents"]
    worst = ", ".join(f"{many} {name}" for name, many in found["by_severity"].items() if many)
    more = f" ({worst})" if worst else ""
    return (
        f"{counted(found['all'], 'incident')}{more}, {found['open']} still open; "
        f"{counted(shown['pages']['all'], 'page')}."
    )


def held(found: Shown) -> str:
    """In words: "12 of 13 (92%), 1 still running"."""
    whole = found["kept"] + found["missed"]
    running = f"{found['running']} not due" if found["running"] else ""
    done = f"{found['kept']} of {whole} ({percent(found['share'])})" if whole else ""
    return ", ".join(filter(None, (done, running))) or "-"


def _hours(shown: Shown) -> Iterator[str]:
    hours = shown["pages"]["hours"]
    for hour, many in enumerate(hours):
        if many:
            yield f"- {hour:02}:00 {'#' * max(1, round(30 * many / max(hours)))} {many}"


def noise(shown: Shown) -> Iterator[str]:
    found = shown["noise"]
    idle = f"{found['without_action']} of {found['paged']} incidents that paged ({percent(found['share'])})"
    yield f"- {idle} ended without anybody's doing; {counted(found['pages_without_action'], 'page')} for those."
    yield f"- {counted(found['ended_by_itself'], 'incident')} ended without anybody; {found['flapping']} flapped."


def automation(shown: Shown) -> Iterator[str]:
    found = shown["automation"]
    repaired = f"{found['repaired']} of {found['over']} incidents that are over ({percent(found['share'])})"
    yield f"- {repaired} were repaired by a runbook, without a person; {found['repaired_unseen']} of them paged nobody."
    runs = ", ".join(f"{many} {ended}" for ended, many in found["runs"].items())
    yield f"- Something was tried for {counted(found['tried'], 'incident')}. Runs: {runs or 'none'}."
