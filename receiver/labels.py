"""Label sets as Prometheus and Alertmanager send them."""

from hashlib import blake2b
from typing import Any

from routing.errors import Unreadable

_MOST = 64
"""Labels and annotations kept of one alert; what identifies the alert is computed from all of them."""
_LONGEST = 2048


def read(holder: dict[str, Any], name: str, where: str = "") -> dict[str, str]:
    """A set of labels or annotations; empty values mean "no such label". Raises Unreadable."""
    found = holder.get(name)
    place = f"{where}.{name}" if where else name
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Unreadable("expected an object of names and strings", place)
    kept = {}
    for key, value in found.items():
        if not isinstance(value, str):
            raise Unreadable("expected a string", f"{place}.{key[:80]}")
        if value:
            kept[key] = value
    return kept


def bounded(labels: dict[str, str]) -> dict[str, str]:
    """At most 64 of them, none endless."""
    if len(labels) <= _MOST and max(map(len, labels.values()), default=0) <= _LONGEST:
        return labels
    return {key: labels[key][:_LONGEST] for key in sorted(labels)[:_MOST]}


def identity(labels: dict[str, str]) -> str:
    """16 hex digits that name a label set."""
    return blake2b(_flat(labels), digest_size=8).hexdigest()


def prometheus_fingerprint(labels: dict[str, str]) -> str:
    """What Alertmanager itself calls the fingerprint: FNV-1a, 64 bits, over sorted names and values.

    https://github.com/prometheus/common, model/signature.go
    """
    number = 0xCBF29CE484222325
    for byte in _flat(labels):
        number = ((number ^ byte) * 0x100000001B3) & 0xFFFF_FFFF_FFFF_FFFF
    return f"{number:016x}"


def _flat(labels: dict[str, str]) -> bytes:
    """Names and values, each ended by a byte that no UTF-8 text contains."""
    parts = [part.encode() for pair in sorted(labels.items()) for part in pair]
    return b"\xff".join(parts) + b"\xff" if parts else b""
