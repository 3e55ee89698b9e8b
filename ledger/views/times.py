"""Instants as programs outside read them."""

from routing import instant


def iso(at: int) -> str | None:
    """Instant in ms as ISO 8601 UTC with milliseconds; None for 0, which means "never"."""
    return instant.iso(at) if at else None
