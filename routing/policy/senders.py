"""Who may send us events."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.policy.routes import Matcher
from routing.policy.secret import Secret, Setting
from routing.reason import Origin
from routing.severity import Severity


@dataclass(frozen=True, slots=True)
class Source:
    """A configured sender. `vendor` names its module; `secrets` verify it, all of them valid at once."""

    name: str
    vendor: str
    secrets: tuple[Secret | str, ...]
    origin: Origin
    team: str = ""
    service: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    urgent_kinds: tuple[Matcher, ...] = ()
    """Events matched by any of these travel in the urgent lane, the others in bulk."""
    max_bytes: int = 1_048_576
    tolerance_ms: int = 300_000
    dedup_ms: int = 259_200_000
    """How long a vendor's event id is remembered: at least as long as the vendor retries."""
    fingerprint: tuple[str, ...] = ()
    """Labels that make the fingerprint of its alerts; none: the vendor's key does."""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Label -> its value -> the service an event with it is about, whatever it says itself."""
    networks: tuple[str, ...] = ()
    """Where it may send from, as CIDR; none: from anywhere."""
    rate: int = 0
    """Requests a second that are taken, a burst of ten seconds' worth at once; 0: as many as there is room for."""
    vendor_severities: Mapping[str, Severity] = field(default_factory=dict)
    """What this sender's own words for severity, in lower case, mean; before what all of them mean."""
    quiet_ms: int | None = 0
    """After how long a silence it has gone quiet; 0: when it is silent against its own rhythm; None: never."""
    poll: Mapping[str, Setting] = field(default_factory=dict)
    """How its vendor is asked for what we missed. Not for who takes in."""
    bodies_ms: int | None = None
    """How long its requests are kept as they came; None: as long as all others' are."""
