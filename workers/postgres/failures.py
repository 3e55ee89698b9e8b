"""What a refusal of PostgreSQL means: whether asking again can help, and what the operator can do about it.

Sources: the PostgreSQL documentation, appendix A (error codes) and chapter 34.1 (libpq: a refused connection has
a text, but no code).
"""

from typing import Final

from routing.entry import Outcome

_TEMPORARY: Final = frozenset(
    {
        "25006",  # read-only: a standby; it may be promoted, or the address follow the primary
        "40001", "40P01",  # serialization failure, deadlock: rolled back
        "55P03",  # a lock was not to be had within lock_timeout
        "57014",  # statement_timeout
        "57P03",  # starting up, or shutting down
    }
)  # fmt: skip
_TEMPORARY_CLASSES: Final = frozenset({"08", "53", "58"})
"""Connection trouble, insufficient resources, errors outside of PostgreSQL itself."""
_LOST: Final = frozenset({"57P01", "57P02", "57P04", "57P05"})
"""The server ended our session: with a change under way nobody knows whether it was made."""

_ADVICE: Final = {
    "25006": "this server is a standby; POSTGRES_URL must lead to the primary",
    "28000": "check the user in POSTGRES_URL",
    "28P01": "check POSTGRES_URL",
    "3D000": "check the database in POSTGRES_URL",
    "42501": "the role of POSTGRES_URL may not do this; docs/actions.md says what to grant",
    "53300": "give the role of POSTGRES_URL pg_use_reserved_connections, and set reserved_connections",
    "55P03": "something else holds the lock",
    "57014": "it took longer than the step's timeout",
}
_REFUSED_FOR_GOOD: Final = {
    "authentication failed": "check POSTGRES_URL",
    "no password supplied": "check POSTGRES_URL",
    "does not exist": "check the user and the database in POSTGRES_URL",
    "no pg_hba.conf entry": "the server does not take connections from here as this user",
    "not permitted to log in": "check the user in POSTGRES_URL",
    "permission denied for database": "grant CONNECT on it to the role of POSTGRES_URL",
    "server does not support SSL": "take sslmode out of POSTGRES_URL",
    "certificate verify failed": "check sslrootcert in POSTGRES_URL",
}


def classify(sqlstate: str, *, mutates: bool) -> Outcome:
    """What a refusal says about repeating; "" for no code: the connection broke.

    An error that was answered has rolled back its statement, so what was to be changed was not.
    """
    if not sqlstate or sqlstate in _LOST:
        return Outcome.UNKNOWN if mutates else Outcome.TEMPORARY
    if sqlstate in _TEMPORARY or sqlstate[:2] in _TEMPORARY_CLASSES:
        return Outcome.TEMPORARY
    return Outcome.PERMANENT


def advice(sqlstate: str) -> str:
    """What to do about it; "" when there is nothing more to say than the server did."""
    return _ADVICE.get(sqlstate, "")


def unreachable(said: str) -> tuple[Outcome, str]:
    """What became of a connection that was never made, with advice. The server's words may be in its own
    language: what nobody recognises may be tried again.
    """
    for words, fix in _REFUSED_FOR_GOOD.items():
        if words in said:
            return Outcome.PERMANENT, fix
    full = "slots" in said or "too many" in said
    return Outcome.TEMPORARY, advice("53300") if full else ""
