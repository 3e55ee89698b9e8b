"""Event: what a source reported, once, in one shape for every vendor."""

from enum import StrEnum

from routing.record import Record


class Status(StrEnum):
    FIRING = "firing"
    RESOLVED = "resolved"
    INFO = "info"
    """Neither opens nor closes anything by itself: a deployment went live, a card was declined."""


class Event(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One report of one source, normalised.

    `key` names the condition within the source ("deployment:prj_1:production"); together with the source
    it makes the fingerprint. `labels` are what rules match on; `details` are extra facts for people.
    """

    source: str
    """Name of the configured source, not of the vendor."""
    vendor: str
    kind: str
    """The vendor's own event type: "deployment.error", "payment_intent.payment_failed", an alert's name."""
    status: Status
    key: str
    title: str
    summary: str = ""
    vendor_id: str = ""
    """The vendor's id of this event, where it has one."""
    vendor_severity: str = ""
    labels: dict[str, str] = {}
    details: dict[str, str] = {}
    starts_at: int = 0
    """When it happened by the vendor's clock, ms; 0 where the vendor does not say."""
    ends_at: int = 0
    link: str = ""
    partial: bool = False
    """The vendor tells the rest only when it is asked."""

    def attributes(self) -> dict[str, str]:
        """What matchers see: the labels, and the event's own source, vendor, kind and status over them."""
        return {
            **self.labels,
            "source": self.source,
            "vendor": self.vendor,
            "kind": self.kind,
            "status": self.status.value,
            "vendor_severity": self.vendor_severity,
        }


def whole_of(vendor_id: str) -> str:
    """What the whole of an event is called, of which a hint is called so by its vendor."""
    return f"{vendor_id}#whole"
