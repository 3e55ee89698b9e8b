"""What each person wants: by which methods they are paged at this hour, and what may wait for their digest."""

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from routing.calendar.wall import EPOCH, instant_of, minute_of
from routing.draft import Draft
from routing.instant import DAY
from routing.policy import AtHours, Contact, Digest, Method
from routing.response import stages
from routing.severity import Severity

NINE = 9 * 60
"""The minute of the day at which people begin, who have not said otherwise."""


def methods(
    draft: Draft, contact: Contact, severity: Severity, *, urgent: bool
) -> tuple[tuple[Method, ...], str]:
    """The methods to page by now, and why these, where it is not what the contact's `page` says.

    `urgent`: nobody else is left to ask, so quiet hours do not count; they never count for SEV-0.
    """
    found, why = _by_rule(draft, contact, severity)
    if severity is Severity.SEV0 or urgent or not _is_quiet(draft, contact):
        return found, why
    silent = at_once(_silent(draft, found)) or contact.quiet or found
    return silent, f"these are {contact.title}'s quiet hours" if silent != found else why


def quietly(contact: Contact, severity: Severity) -> Method:
    """How to tell a contact, who has quiet methods, of an incident: by the first that pages them for such, too.

    Who is paged by mail alone for what can wait need not get a text about how it went on.
    """
    pages = contact.by_severity.get(severity, contact.methods)
    for method in contact.quiet:
        for page in pages:
            if page.address == method.address and page.channel == method.channel:
                return method
    return contact.quiet[0]


def fallbacks(draft: Draft, contact: Contact, severity: Severity) -> tuple[Method, ...]:
    """All methods to try when one failed for good, the ones that suit the hour first."""
    if severity is Severity.SEV0 or not _is_quiet(draft, contact):
        return contact.methods
    return tuple(dict.fromkeys((*_silent(draft, contact.methods), *contact.methods)))


def digest_at(digest: Digest, now: int) -> int:
    """The next instant (ms) after `now` at which the digest is told."""
    return _next(digest.minute, digest.timezone, now)


def morning(contact: Contact, now: int) -> int:
    """The next instant (ms) after `now` at which the contact reads what was collected: at the hour of their digest, or
    at nine by their own clock.
    """
    if contact.digest is not None:
        return digest_at(contact.digest, now)
    return _next(NINE, contact.timezone, now)


def _next(minute: int, timezone: str, now: int) -> int:
    return next(at for at in _about(minute, timezone, now // DAY) if at > now)


@lru_cache(maxsize=1024)
def _about(minute: int, timezone: str, day: int) -> tuple[int, ...]:
    """The instants (ms) of that minute by a clock in the zone, from the day before a UTC day (since the epoch) on."""
    first = EPOCH.date() + timedelta(days=day - 1)
    return tuple(instant_of(minute_of(first + timedelta(days=days), minute), timezone) for days in range(5))


def at_once(found: tuple[Method, ...]) -> tuple[Method, ...]:
    """The first of them waits for no method that has no turn now."""
    first = min((method.after_ms for method in found), default=0)
    return tuple(replace(method, after_ms=method.after_ms - first) for method in found)


def at_hours(draft: Draft, at: AtHours) -> bool:
    """Whether it is these hours now; hours that are not configured any more never are."""
    return at.hours in draft.policy.hours and stages.in_hours(draft, at.hours) is not at.outside


def _by_rule(draft: Draft, contact: Contact, severity: Severity) -> tuple[tuple[Method, ...], str]:
    for rule in contact.by_hour:
        if severity in rule.by_severity and at_hours(draft, rule.at):
            where = "outside" if rule.at.outside else "during"
            return rule.by_severity[severity], f"so {contact.title} wants it {where} {rule.at.hours}"
    return contact.by_severity.get(severity) or contact.methods, ""


def _is_quiet(draft: Draft, contact: Contact) -> bool:
    return contact.quiet_hours is not None and at_hours(draft, contact.quiet_hours)


def _silent(draft: Draft, found: tuple[Method, ...]) -> tuple[Method, ...]:
    channels = draft.policy.channels
    return tuple(
        method for method in found if method.channel in channels and not channels[method.channel].voice
    )
