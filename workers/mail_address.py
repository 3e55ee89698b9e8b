"""A mail address: one bare one, as the configuration names it."""

from typing import Final

PATTERN: Final = r"^[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+$"
"""Nothing that could make it two, or a header of its own."""


def domain_of(address: str) -> str:
    """In a preview without settings the address is "(unset SMTP_FROM)"."""
    return address.rpartition("@")[2] if "@" in address else "sandbox.invalid"
