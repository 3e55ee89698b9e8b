"""One connection to the database that runbooks look after, opened for a step and closed with it.

The one module that knows psycopg. It is imported with the first connection: that takes half a second and 12 MB,
and of all processes only the one that repairs needs it.

Each question is a transaction of its own, with its time limits inside: so it works through a pooler that hands
out connections per transaction. Every value is a bound parameter, every name is quoted.
"""

import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, LiteralString, Self

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers import redaction
from workers.credentials import NoCredentialsError
from workers.deadline import Deadline
from workers.journal import note
from workers.postgres import failures

if TYPE_CHECKING:
    import psycopg

APPLICATION: Final = "tocsin"
"""How our own sessions are called in pg_stat_activity."""
CONNECT_S: Final = 5
LOCK_S: Final = 3
"""Nobody of the application shall queue behind a lock that we queue for."""
GRACE_S: Final = 1.0
"""A statement that ran out of time is ended by the server; this much later the connection is cut."""

_LIMITS: Final = """
SELECT set_config('statement_timeout', %(statement)s, true), set_config('lock_timeout', %(lock)s, true)
"""


class Database:
    """`ask` is all there is to it. Made by `opened`."""

    def __init__(self, connection: "psycopg.Connection[dict[str, Any]]", deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def ask(
        self,
        what: str,
        query: LiteralString,
        params: Mapping[str, Any] | None = None,
        names: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """All rows. `what` is for the audit. Each {} in the query is the next of `names`, quoted.

        A query without {} and names is taken as it is; a % stands as %%.
        """
        import psycopg.sql  # noqa: PLC0415  # see above

        whole = psycopg.sql.SQL(query)
        composed = whole.format(*map(psycopg.sql.Identifier, names)) if names else whole
        with self._connection.transaction():
            self._limit()
            found = self._connection.execute(composed, params or {})
            rows = found.fetchall() if found.description else []
        note(f"{what} answered {len(rows)} rows")
        return rows

    def _limit(self) -> None:
        left_ms = max(1, round(self._deadline.left() * 1000))
        values = {"statement": str(left_ms), "lock": str(min(left_ms, LOCK_S * 1000))}
        self._connection.execute(_LIMITS, values)


@contextmanager
def opened(step: Step, *, mutates: bool = False) -> Iterator[Database]:
    """A connection within the step's time. What is not to change anything runs in READ ONLY transactions.

    Raises ActionError, NoCredentialsError without a URL.
    """
    import psycopg  # noqa: PLC0415  # see above

    deadline = Deadline(step.timeout_s)
    connection = _connect(step.settings.get("url", ""), deadline, read_only=not mutates)
    try:
        with _Fuse(connection.fileno(), deadline.left() + GRACE_S) as fuse:
            yield Database(connection, deadline)
    except psycopg.Error as error:
        state = error.sqlstate or ""
        late = f"no answer within {step.timeout_s:g} s" if fuse.blown else ""
        raise ActionError(
            _said(late or str(error), failures.advice(state)),
            outcome=failures.classify(state, mutates=mutates),
        ) from error
    except TimeoutError as error:
        raise ActionError(f"PostgreSQL: {error}", outcome=Outcome.TEMPORARY) from error
    finally:
        connection.close()


def _connect(url: str, deadline: Deadline, *, read_only: bool) -> "psycopg.Connection[dict[str, Any]]":
    import psycopg  # noqa: PLC0415  # see above
    from psycopg.rows import dict_row  # noqa: PLC0415

    if not url:
        raise NoCredentialsError("no address of the database: set POSTGRES_URL")
    try:
        made = psycopg.connect(
            url,
            autocommit=True,
            row_factory=dict_row,
            prepare_threshold=None,
            connect_timeout=max(1, min(CONNECT_S, round(deadline.left()))),
            application_name=APPLICATION,
        )
    except psycopg.ProgrammingError as error:  # its text would show the URL
        raise ActionError(
            "PostgreSQL: POSTGRES_URL is no postgresql:// address", outcome=Outcome.PERMANENT
        ) from error
    except psycopg.Error as error:
        outcome, fix = failures.unreachable(str(error))
        raise ActionError(_said(str(error), fix), outcome=outcome) from error
    made.read_only = read_only
    return made


def _said(what: str, fix: str) -> str:
    words = " ".join(redaction.text(what).split())[:300]
    return f"PostgreSQL: {words}; {fix}" if fix else f"PostgreSQL: {words}"


class _Fuse:
    """Cuts the connection when its time is over: the server's own limits do not help against a network that
    swallows packets.
    """

    def __init__(self, descriptor: int, seconds: float) -> None:
        self.blown = False
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._timer = threading.Timer(seconds, self._blow)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._socket.close()

    def _blow(self) -> None:
        self.blown = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
