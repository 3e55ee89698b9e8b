"""Standing: the firing alerts by what they mean for others, so that none of them has to be searched for."""

from collections import defaultdict
from collections.abc import Mapping

from routing.incident import Alert
from routing.policy import Policy, Relation, Tie

Place = tuple[str, ...]


class Standing:
    """Fingerprints of firing alerts, by side of each relation and the equal values, and by service.

    An alert may fire in an incident that a person has closed; whoever asks looks at that.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy
        self._found: defaultdict[Place, set[str]] = defaultdict(set)
        self._places: dict[str, tuple[Place, ...]] = {}
        self._needed_by = _reversed(policy) if policy else {}
        self._idle = policy is None or not (policy.noise.relations or policy.services)

    def follows(self, policy: Policy) -> bool:
        known = self._policy
        return known is policy or (
            known is not None and known.noise is policy.noise and known.services is policy.services
        )

    def put(self, old: Alert | None, new: Alert) -> None:
        """Take in an alert as it is now; `old` is how it was."""
        if self._idle or (old is not None and old.firing is new.firing and old.labels is new.labels):
            return
        if old is not None:
            self.drop(old)
        if new.firing and (places := tuple(self._places_of(new.labels))):
            self._places[new.fingerprint] = places
            for place in places:
                self._found[place].add(new.fingerprint)

    def drop(self, alert: Alert) -> None:
        for place in self._places.pop(alert.fingerprint, ()):
            found = self._found[place]
            found.discard(alert.fingerprint)
            if not found:
                del self._found[place]

    def sources(self, relation: Relation, labels: Mapping[str, str]) -> list[str]:
        """Alerts that match the relation's source and share the equal values, by fingerprint."""
        return self._at(("source", relation.key, *values(relation, labels)))

    def only_sources(self, relation: Relation, labels: Mapping[str, str]) -> list[str]:
        """Those of them that do not match the relation's target as well."""
        return self._at(("only source", relation.key, *values(relation, labels)))

    def targets(self, relation: Relation, labels: Mapping[str, str]) -> list[str]:
        return self._at(("target", relation.key, *values(relation, labels)))

    def of_service(self, service: str) -> list[str]:
        return self._at(("service", service))

    def needed_by(self, service: str) -> tuple[str, ...]:
        """The services that depend on this one directly."""
        return self._needed_by.get(service, ())

    def _at(self, place: Place) -> list[str]:
        return sorted(self._found.get(place, ()))

    def _places_of(self, labels: Mapping[str, str]) -> list[Place]:
        policy = self._policy
        if policy is None:
            return []
        noise = policy.noise
        sources, targets = noise.by_source.matching(labels), noise.by_target.matching(labels)
        places: list[Place] = [("source", each.key, *values(each, labels)) for each in sources]
        places += [("target", each.key, *values(each, labels)) for each in targets if each.tie is Tie.CAUSES]
        places += [
            ("only source", each.key, *values(each, labels))
            for each in sources
            if each.tie is Tie.INHIBITS and each not in targets
        ]
        service = labels.get("service", "")
        if service in policy.services:
            places.append(("service", service))
        return places


def values(relation: Relation, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in relation.equal)


def _reversed(policy: Policy) -> dict[str, tuple[str, ...]]:
    needed_by: defaultdict[str, list[str]] = defaultdict(list)
    for service in policy.services.values():
        for need in service.depends_on:
            needed_by[need].append(service.name)
    return {need: tuple(sorted(found)) for need, found in needed_by.items()}
