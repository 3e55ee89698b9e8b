"""Fingerprints: which condition an event is about, as "v1:<16 hex>".

The version goes first, so that the algorithm may change without mistaking old alerts for new ones.
"""

from collections.abc import Sequence
from hashlib import blake2b

from routing.event import Event


def fingerprint(event: Event, service: str, by: Sequence[tuple[str, str]] = ()) -> str:
    """By source and key; an event whose vendor gave it no key goes by source, kind and service.

    `by`: the labels and values that its source's configuration chose instead.
    """
    if by:
        return _digest("labels", event.source, *(part for pair in by for part in pair))
    if event.key:
        return _digest("key", event.source, event.key)
    return _digest("kind", event.source, event.kind, service)


def of_threshold(name: str, by_values: Sequence[str]) -> str:
    """Of the alert that a threshold raises, one for each combination of the labels it counts by."""
    return _digest("threshold", name, *by_values)


def _digest(*fields: str) -> str:
    # Each field is preceded by its length: no value can pretend to be two.
    joined = "".join([f"{len(field)}:{field}" for field in fields])
    return f"v1:{blake2b(joined.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
