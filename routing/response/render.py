"""What people read and hear: what broke, how bad, since when, what was tried, what to do now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from routing.delivery import Message
from routing.incident import Deploy, Incident, Phase
from routing.instant import MINUTE
from routing.policy import Contact

NEWS = 3
"""So many of the latest of one incident are said in a message for several."""


def page(incident: Incident, contact: Contact, why: str) -> Message:
    """The message that asks somebody to act."""
    if incident.drill:
        return _drill(incident, why)
    lines = [*facts(incident, contact.timezone), *([why] if why else [])]
    return Message(
        title=f"[{incident.id}] {incident.severity} {incident.title}",
        body="\n".join(lines),
        speech=_speech(incident),
    )


def _drill(incident: Incident, why: str) -> Message:
    """The same for a fire drill: nobody may take it for the real thing, or look for what is broken."""
    said = "This is a drill: nothing is broken. Acknowledge it as you would; it is over then."
    return Message(
        title=f"[{incident.id}] {incident.title}",
        body="\n".join([f"{incident.severity}, {incident.title}", said, why]),
        speech=f"This is a drill. Nothing is broken. Incident {incident.number}. Please acknowledge it as you would.",
    )


def facts(incident: Incident, zone: str) -> list[str]:
    """How bad, what, since when, what was tried, until when: a line each, the first with its title."""
    found = [
        f"{incident.severity}: {incident.title}",
        incident.summary,
        f"Since {clock(incident.opened_at, zone)}. {_size(incident)}",
        _suspect(incident, zone),
        f"Tried: {incident.tried}" if incident.tried else "Nothing was tried automatically.",
        _clocks(incident, zone),
    ]
    return [fact for fact in found if fact]


def update(incident: Incident, contact: Contact, what: str) -> Message:
    """The message that only tells: acknowledged, resolved, repaired, a follow-up is due."""
    body = [what] if what else []
    if incident.summary:
        body.append(incident.summary)
    if incident.tried:
        body.append(f"Tried: {incident.tried}")
    if incident.resolved_at:
        minutes = max(1, round((incident.resolved_at - incident.opened_at) / 60_000))
        body.append(f"It lasted {minutes} min, from {clock(incident.opened_at, contact.timezone)}.")
    return Message(
        title=f"[{incident.id}] {what}",
        body="\n".join(body),
        speech=what,
    )


def updates(incident: str, news: Sequence[str]) -> Message:
    """Several of one incident at once; the last is what holds now."""
    return Message(title=f"[{incident}] {news[-1]}", body="\n".join(news), speech=news[-1])


def bundled_pages(incidents: Sequence[Incident], many: int, zone: str) -> Message:
    """Several at once, because they came faster than one contact can be told; `many` with those not named."""
    worst = incidents[0]
    speech = f"Tocsin. {many} incidents at once. The worst: severity {worst.severity.value}. {worst.title}."
    return _bundle(worst, many, "pages", _lines(incidents, many, zone), speech)


def bundled_updates(told: Sequence[tuple[Incident, Sequence[str]]], many: int) -> Message:
    """The same of what is only told: of each incident how it stands, and the last of what was to be said.

    An end is said in few words: a text message has room for all that are named.
    """
    lines = [_line(incident, news) for incident, news in told]
    worst = told[0][0]
    return _bundle(worst, many, "updates", _ended(lines, many - len(told)), f"{many} updates")


def left_to_do(told: Sequence[tuple[Incident, Sequence[str]]], many: int) -> Message:
    """What is left to do after incidents that are over; `many` with those not named."""
    named = [line for _, news in told for line in news]
    more = [f"and after {many - len(told)} more: tocsin incidents list"] if many > len(told) else []
    speech = f"Left to do after {many} incidents"
    return Message(
        title=f"{speech}, {told[0][0].id} the first", body="\n".join([*named, *more]), speech=speech
    )


def _bundle(worst: Incident, many: int, what: str, lines: list[str], speech: str) -> Message:
    count = f"{many} {what}"
    return Message(
        title=f"[{worst.id} and {many - 1} more] {count}, the worst {worst.severity}",
        body="\n".join([f"{count}, too many to send one by one:", *lines]),
        speech=speech,
    )


def _line(incident: Incident, news: Sequence[str]) -> str:
    if incident.phase is Phase.RESOLVED:
        return f"{incident.id} resolved: {incident.title}"
    who = f"{incident.acknowledged_by} has it" if incident.phase is Phase.ACKNOWLEDGED else "nobody has it"
    return f"{incident.id} {incident.severity} {incident.title}, {who}: {'; '.join(news[-NEWS:])}"


def digest(incidents: Sequence[Incident], many: int, zone: str) -> Message:
    """What was collected since the last digest; `many` with those not named."""
    noun = "incident" if many == 1 else "incidents"
    lines = [f"{many} open {noun} that can wait no longer than this digest:", *_lines(incidents, many, zone)]
    return Message(title=f"Digest: {many} {noun}", body="\n".join(lines), speech=f"Tocsin. {many} {noun}.")


def _lines(incidents: Sequence[Incident], many: int, zone: str) -> list[str]:
    named = [
        f"{each.id} {each.severity} {each.title}, since {clock(each.opened_at, zone)}" for each in incidents
    ]
    return _ended(named, many - len(incidents))


def _ended(lines: list[str], rest: int) -> list[str]:
    more = [f"and {rest} more: tocsin incidents list"] if rest > 0 else []
    return [*lines, *more, "An answer to this message is meant for those named here."]


def suspicion(incident: Incident, at: int) -> str:
    """In words: "12 min after production deploy dpl_x by anna"; empty when nothing is suspected."""
    deploy = incident.suspect
    if deploy is None:
        return ""
    first, *others = (_after(each, at) for each in (deploy, *incident.suspects))
    return f"{first}, or {', '.join(others)}" if others else first


def _after(deploy: Deploy, at: int) -> str:
    minutes = max(0, (at - deploy.at) // 60_000)
    by = f" by {deploy.by}" if deploy.by else ""
    what = f'the change "{deploy.change}"' if deploy.change else f"production deploy {deploy.id}"
    return f"{minutes} min after {what}{by}"


def _suspect(incident: Incident, zone: str) -> str:
    if incident.suspect is None:
        return ""
    live = clock(incident.suspect.at, zone)
    return f"Suspect: {suspicion(incident, incident.opened_at)} (live since {live})."


def _size(incident: Incident) -> str:
    if incident.alerts == 1 and incident.events == 1:
        return "One alert."
    return f"{incident.firing} of {incident.alerts} alerts firing, {incident.events} events."


def _clocks(incident: Incident, zone: str) -> str:
    parts = [f"Respond by {clock(incident.respond_by, zone)}"] if incident.respond_by else []
    if incident.resolve_by:
        parts.append(f"resolve by {clock(incident.resolve_by, zone)}")
    return ", ".join(parts) + "." if parts else ""


def _speech(incident: Incident) -> str:
    level = f"Severity {incident.severity.value}"
    tried = f" {incident.tried}." if incident.tried else ""
    suspect = f" It began {suspicion(incident, incident.opened_at)}." if incident.suspect else ""
    return f"Tocsin. {level}. Incident {incident.number}. {incident.title}.{suspect}{tried}"


def clock(at: int, zone: str) -> str:
    """An instant (ms) as a person in the zone reads it: "Tue 24 Nov 02:30 CET"."""
    return _minute(at // MINUTE * MINUTE, zone)


@lru_cache(maxsize=4096)
def _minute(at: int, zone: str) -> str:
    """Many incidents of one minute have the same clocks, and each says them to several people."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%a %d %b %H:%M %Z")
