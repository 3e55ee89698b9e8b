"""Alerts that fire in open incidents, each with what mutes it now: as those are asked who watch from outside."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.views.store import Store
from routing.calendar.hours import contains
from routing.decision import Table
from routing.entry import SilenceSet
from routing.incident import Alert, Incident, Phase
from routing.language.matchers import all_match
from routing.noise import silences
from routing.noise.standing import Standing
from routing.policy import Policy, Tie


@dataclass(frozen=True, slots=True)
class Firing:
    """`silenced_by` are ids of silences, `inhibited_by` fingerprints of alerts, `muted_by` names of maintenance."""

    alert: Alert
    incident: Incident
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()

    @property
    def suppressed(self) -> bool:
        return bool(self.silenced_by or self.inhibited_by or self.muted_by)


def firing(store: Store, policy: Policy, now: int) -> list[Firing]:
    """All of them, by fingerprint. `now` in ms. Raises redis.RedisError.

    An incident that is held because of its cause is inhibited by what fires in that.
    """
    live = [
        each
        for each in store.records(Table.INCIDENT, Incident).values()
        if each.phase is not Phase.RESOLVED and each.firing
    ]
    owned = store.owned([(each, False) for each in live], Table.ALERT, Alert)
    found = [(alert, each) for each in live for alert in owned[each.id] if alert.firing]
    muting = _Muting(store, policy, now, [alert for alert, _ in found])
    return sorted((muting.judged(*each) for each in found), key=lambda each: each.alert.fingerprint)


class _Muting:
    """What mutes, in force at one instant."""

    def __init__(self, store: Store, policy: Policy, now: int, alerts: Sequence[Alert]) -> None:
        set_ = store.records(Table.SILENCE, SilenceSet).values()
        self._silences = silences.index(each for each in set_ if each.from_at <= now < each.until_at)
        self._noise = policy.noise
        self._now = now
        self._standing = Standing(policy)
        self._of_incident: dict[str, list[str]] = {}
        for alert in alerts:
            self._standing.put(None, alert)
            self._of_incident.setdefault(alert.incident, []).append(alert.fingerprint)

    def judged(self, alert: Alert, incident: Incident) -> Firing:
        silenced = tuple(sorted(each.id for each in self._silences.matching(alert.labels)))
        muted = tuple(
            each.name
            for each in self._noise.by_maintenance.matching(alert.labels)
            if contains(each.hours, self._now)
        )
        return Firing(alert, incident, silenced, tuple(self._inhibitors(alert, incident)), muted)

    def _inhibitors(self, alert: Alert, incident: Incident) -> list[str]:
        found: set[str] = set()
        for rule in self._noise.by_target.matching(alert.labels):
            if rule.tie is Tie.INHIBITS:
                both = all_match(rule.source, alert.labels)
                found.update(
                    (self._standing.only_sources if both else self._standing.sources)(rule, alert.labels)
                )
        if incident.cause and incident.silenced_by == f"cause/{incident.cause}":
            found.update(self._of_incident.get(incident.cause, ()))
        return sorted(found)
