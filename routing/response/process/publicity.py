"""Publicity: what the status page says about an incident, by itself from its texts, or in a person's words.

A text of the page names a component and a state, never anything that an event or an operator said elsewhere.
"""

from collections.abc import Sequence

import msgspec

from routing import duration
from routing.course import Passage
from routing.decision import Table
from routing.delivery import Message
from routing.draft import Draft
from routing.entry import Published
from routing.incident import Incident, Phase
from routing.instant import HOUR
from routing.language.template import fill
from routing.policy import StatusPage
from routing.public import Health, Public, Said, Word, health_of
from routing.reason import Reason
from routing.reminding import spaced
from routing.response import callees, notify, sending
from routing.timer import Wake

# Named once, as in `routing.draft`: asked for again and again.
_PUBLIC = Table.PUBLIC
_RESOLVED = Phase.RESOLVED

MOST_WORDS = 60
"""Updates of one incident that are kept: the first, and the latest."""
_GOOD_NEWS = frozenset({Said.MONITORING, Said.RESOLVED})
ELSEWHERE = "This is handled together with another report on this page."


def review(draft: Draft) -> None:
    """Look at every incident this entry changed."""
    page = _page(draft)
    if page is None:
        return
    for incident in draft.changed_incidents():
        if not incident.drill:
            _follow(draft, page, incident)


def published(draft: Draft, entry: Published) -> None:
    """A person's word. Without components it is about those of before, or of the incident."""
    incident, page, by = draft.incident(entry.incident), _page(draft), entry.by or "operator"
    if incident is None:
        return
    if page is None:
        draft.note(incident.id, f"{by} had a word for the status page, and process.yaml has none", by=by)
        return
    known = _of(draft, incident.id)
    names = _names(page, entry.components) or (known.names if known else _components(page, incident))
    if not names:
        there = ", ".join(page.components)
        draft.note(
            incident.id, f"{by} had a word for the status page, of no component; there are {there}", by=by
        )
        return
    health = entry.health or _health(incident, entry.said)
    public = known or _new(draft, page, incident, names)
    public = msgspec.structs.replace(public, names=dict(names))
    _say(draft, page, incident, public, Word(at=draft.now, said=entry.said, text=entry.text, by=by), health)


def due(draft: Draft, incident: Incident) -> None:
    """A public word was owed by now: whoever owes it is reminded. What was left open by a resolve is ended."""
    page, public = _page(draft), _of(draft, incident.id)
    if page is None:
        return
    if public is None:
        _follow(draft, page, incident)
    elif incident.phase is _RESOLVED:
        _follow(draft, page, incident)
        if (left := _of(draft, incident.id)) is not None and left.is_open:
            _expect(draft, page, incident)
    elif public.is_open:
        _remind(draft, page, incident, public)
        _expect(draft, page, incident, draft.now - public.last.at)


def forget(draft: Draft, key: str) -> None:
    """It is shown no longer."""
    public = _of(draft, key)
    if public is not None and not public.is_open:
        draft.drop(_PUBLIC, key)


def _page(draft: Draft) -> StatusPage | None:
    return draft.policy.process.status_page if draft.policy.process else None


def _of(draft: Draft, incident: str) -> Public | None:
    return draft.find(_PUBLIC, incident, Public)


def _follow(draft: Draft, page: StatusPage, incident: Incident) -> None:
    public, resolved = _of(draft, incident.id), incident.phase is _RESOLVED
    if public is None:
        if _speaks_by_itself(page, incident):
            _open(draft, page, incident)
    elif incident.merged_into:
        _hand_on(draft, page, incident, public)
    elif resolved:
        _end(draft, page, incident, public)
    elif incident.reopened > public.reopened and public.last.said in _GOOD_NEWS:
        _by_itself(draft, page, incident, public, Said.INVESTIGATING)


def _speaks_by_itself(page: StatusPage, incident: Incident) -> bool:
    """Not while a silence or a repair holds its page, and not of what another incident causes."""
    return (
        incident.severity in page.severities
        and bool(incident.paged)
        and incident.phase is not _RESOLVED
        and not incident.cause
        and bool(_components(page, incident))
    )


def _open(draft: Draft, page: StatusPage, incident: Incident) -> None:
    if draft.timer(Wake.WORD, incident.id) is not None:
        return
    lately = [each for each in _every(draft) if each.by_itself and each.began_at > draft.now - HOUR]
    if len(lately) >= page.per_hour:
        why = Reason(text=f"at most {page.per_hour} an hour", rule="status_page", origin=str(page.origin))
        draft.note(
            incident.id,
            f"the status page says nothing by itself: it has said {len(lately)} things within the hour",
            why,
        )
        _expect(draft, page, incident)
        return
    public = _new(draft, page, incident, _components(page, incident))
    public = msgspec.structs.replace(public, by_itself=True)
    _by_itself(draft, page, incident, public, Said.INVESTIGATING)


def _end(draft: Draft, page: StatusPage, incident: Incident, public: Public) -> None:
    """While it is watched for a regression it is not called mended, unless a person has done so."""
    if not public.is_open:
        return
    course = incident.course
    if course is None or course.passage is Passage.CLOSED:
        _by_itself(draft, page, incident, public, Said.RESOLVED)
    elif public.last.said is not Said.MONITORING:
        _by_itself(draft, page, incident, public, Said.MONITORING)


def _hand_on(draft: Draft, page: StatusPage, incident: Incident, public: Public) -> None:
    """What it was merged into answers for it; in public too, if it has not spoken itself."""
    if not public.is_open:
        return
    survivor = draft.incident(incident.merged_into)
    if survivor is not None and _of(draft, survivor.id) is None and survivor.phase is not _RESOLVED:
        draft.drop(_PUBLIC, incident.id)
        draft.unwake(Wake.WORD, incident.id)
        draft.put(_PUBLIC, survivor.id, public)
        draft.note(survivor.id, f"what the status page says about {incident.id} is about this one now")
        _expect(draft, page, survivor)
        return
    word = Word(at=draft.now, said=Said.RESOLVED, text=ELSEWHERE)
    _say(draft, page, incident, public, word, Health.OPERATIONAL)


def _by_itself(draft: Draft, page: StatusPage, incident: Incident, public: Public, said: Said) -> None:
    _say(draft, page, incident, public, Word(at=draft.now, said=said, text=""), _health(incident, said))


def _say(
    draft: Draft, page: StatusPage, incident: Incident, public: Public, word: Word, health: Health
) -> None:
    """The word is on the page from now on, and on its way to the pages of others."""
    if not word.text:
        word = msgspec.structs.replace(word, text=_filled(page, page.texts[word.said], word.said, public))
    over = word.said is Said.RESOLVED
    words = [*public.words, word]
    public = msgspec.structs.replace(
        public,
        words=words if len(words) <= MOST_WORDS else [words[0], *words[-MOST_WORDS + 1 :]],
        health=health,
        reopened=incident.reopened,
        ended_at=draft.now if over else 0,
    )
    draft.put(_PUBLIC, incident.id, public)
    who = f", by {word.by}" if word.by else ", by itself"
    why = Reason(text="what the status page says", rule="status_page", origin=str(page.origin))
    draft.note(incident.id, f"status page: {word.said}{who}: {word.text}", why, by=word.by)
    if over:
        draft.unwake(Wake.WORD, incident.id)
        draft.wake(
            Wake.EXPIRE, f"public:{incident.id}", draft.now + page.history_ms, what="show it no longer"
        )
    else:
        draft.unwake(Wake.EXPIRE, f"public:{incident.id}")
        _expect(draft, page, incident)
    _tell_pages(draft, page, incident, public)


def _tell_pages(draft: Draft, page: StatusPage, incident: Incident, public: Public) -> None:
    message = Message(title=public.title, body=public.last.text, speech=public.last.said.value)
    for callee in callees.resolve(draft, page.places).people:
        method = callee.contact.methods[0]
        incident = sending.publish(
            draft, incident, callee.contact, method, message, f"status page: {public.last.said}"
        )


def _expect(draft: Draft, page: StatusPage, incident: Incident, silent_ms: int = 0) -> None:
    what = "remind of the status page"
    at = draft.now + spaced(page.update_ms, silent_ms)
    draft.wake(Wake.WORD, incident.id, at, incident=incident.id, what=what)


def _remind(draft: Draft, page: StatusPage, incident: Incident, public: Public) -> None:
    held = incident.course.roles if incident.course else {}
    others = (held.get(page.update_from, ""), incident.acknowledged_by, *incident.paged)
    owes = next((each for each in others if each in draft.policy.contacts), "")
    since = duration.text((draft.now - public.last.at) // 1000 * 1000)
    draft.note(incident.id, f"nothing new on the status page for {since}; reminded {owes or 'nobody'}")
    said = f"Nothing new on the status page for {since}: tocsin status-page update {incident.id} --status ..."
    notify.tell_each(draft, incident, [owes] if owes else [], said)


def _new(draft: Draft, page: StatusPage, incident: Incident, names: dict[str, str]) -> Public:
    public = Public(
        id=f"{draft.now // 1000:x}-{incident.number}", title="", began_at=incident.opened_at,
        names=names, health=Health.DEGRADED, words=[],
    )  # fmt: skip
    title = _filled(page, page.heading, Said.INVESTIGATING, public)
    return msgspec.structs.replace(public, title=title)


def _filled(page: StatusPage, text: str, said: Said, public: Public) -> str:
    context = {
        "component": _listed(list(public.names.values())), "status": said.value, "every": duration.text(page.update_ms),
    }  # fmt: skip
    return str(fill(text, context))


def _listed(names: Sequence[str]) -> str:
    """In words: "Booking", "Booking and Payments"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _components(page: StatusPage, incident: Incident) -> dict[str, str]:
    return _names(page, [incident.service, *incident.services])


def _names(page: StatusPage, services: Sequence[str]) -> dict[str, str]:
    return {service: page.components[service] for service in services if service in page.components}


def _health(incident: Incident, said: Said) -> Health:
    return Health.OPERATIONAL if said in _GOOD_NEWS else health_of(incident.severity)


def _every(draft: Draft) -> list[Public]:
    return [each for each in draft.state.tables[_PUBLIC].values() if isinstance(each, Public)]
