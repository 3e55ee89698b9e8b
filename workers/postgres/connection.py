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
    import psycopg.errors
    import psycopg.sql

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
    """`ask` is all there is to it. Made by `opened`.

    `warnings`: what the server warned of so far. `touched`: something was done that no rollback takes back.
    """

    def __init__(self, connection: "psycopg.Connection[dict[str, Any]]", deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self.warnings: list[str] = []
        self.touched = False
        connection.add_notice_handler(self._noticed)

    def ask(
        self,
        what: str,
        query: LiteralString,
        params: Mapping[str, Any] | None = None,
        names: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """All rows. `what` is for the audit, "" for nothing in it. Each {} in the query is the next of `names`,
        quoted; with `params` a % stands as %%.
        """
        with self.transaction() as connection:
            found = connection.execute(quoted(query, names), params)
            rows = found.fetchall() if found.description else []
        if what:
            note(f"{what} answered {len(rows)} rows")
        return rows

    def most(
        self, what: str, query: str, params: Mapping[str, Any], most: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """At most so many rows of a query of the configuration, and whether there are more. The rest is never
        fetched. A % stands as %%.
        """
        import psycopg.sql  # noqa: PLC0415  # see above

        with self.transaction() as connection, connection.cursor("tocsin") as cursor:
            # Written by the operator into config/actions.yaml; what payloads say is bound.
            cursor.execute(psycopg.sql.SQL(query), params)
            rows = cursor.fetchmany(most + 1)
        note(f"{what} answered {min(len(rows), most)} rows")
        return rows[:most], len(rows) > most

    def tried(self, what: str, query: str, most: int) -> tuple[int, str]:
        """As `most`, for a query that may be faulty: how many rows, and what the server says against it."""
        import psycopg  # noqa: PLC0415  # see above

        try:
            rows, _ = self.most(what, query, {}, most)
        except psycopg.errors.DatabaseError as error:
            if self._connection.broken:
                raise
            return 0, said(str(error), failures.advice(error.sqlstate or ""))
        return len(rows), ""

    @contextmanager
    def transaction(self) -> "Iterator[psycopg.Connection[dict[str, Any]]]":
        """One, with the time limits inside."""
        with self._connection.transaction():
            self._limit()
            yield self._connection

    @contextmanager
    def snapshot(self) -> "Iterator[psycopg.Connection[dict[str, Any]]]":
        """A transaction that sees one instant for as long as it is open; others may see it too, by its id."""
        import psycopg  # noqa: PLC0415  # see above

        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with self.transaction() as connection:
            connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
            yield connection

    def alone(self, query: LiteralString, name: str) -> None:
        """A statement that must not be in a transaction, like CREATE DATABASE."""
        self._connection.execute(quoted(query, [name]))

    def _limit(self) -> None:
        left_ms = max(1, round(self._deadline.left() * 1000))
        values = {"statement": str(left_ms), "lock": str(min(left_ms, LOCK_S * 1000))}
        self._connection.execute(_LIMITS, values)

    def _noticed(self, found: "psycopg.errors.Diagnostic") -> None:
        if found.severity_nonlocalized == "WARNING":
            self.warnings.append(found.message_primary or "a warning without words")


def quoted(query: LiteralString, names: Sequence[str]) -> "psycopg.sql.SQL | psycopg.sql.Composed":
    """Each {} is the next name, quoted."""
    import psycopg.sql  # noqa: PLC0415  # see above

    whole = psycopg.sql.SQL(query)
    return whole.format(*map(psycopg.sql.Identifier, names)) if names else whole


@contextmanager
def opened(step: Step, *, mutates: bool = False, url: str = "") -> Iterator[Database]:
    """A connection within the step's time. What is not to change anything runs in READ ONLY transactions.

    Raises ActionError, NoCredentialsError without a URL.
    """
    import psycopg  # noqa: PLC0415  # see above

    deadline = Deadline(step.timeout_s)
    connection = _connect(url or step.settings.get("url", ""), deadline, read_only=not mutates)
    database = Database(connection, deadline)
    try:
        with _Fuse(connection.fileno(), deadline.left() + GRACE_S) as fuse:
            yield database
    except psycopg.Error as error:
        state = error.sqlstate or ""
        outcome = failures.classify(state, mutates=mutates)
        if not state and not connection.broken:  # the driver's own words: a value is missing, or does not fit
            outcome = Outcome.PERMANENT
        late = f"no answer within {step.timeout_s:g} s" if fuse.blown else ""
        words = said(late or str(error), failures.advice(state))
        raise ActionError(words, outcome=Outcome.UNKNOWN if database.touched else outcome) from error
    except TimeoutError as error:
        outcome = Outcome.UNKNOWN if database.touched else Outcome.TEMPORARY
        raise ActionError(f"PostgreSQL: {error}", outcome=outcome) from error
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
            "PostgreSQL: the address is no postgresql:// address; check POSTGRES_URL",
            outcome=Outcome.PERMANENT,
        ) from error
    except psycopg.Error as error:
        outcome, fix = failures.unreachable(str(error))
        raise ActionError(said(str(error), fix), outcome=outcome) from error
    made.read_only = read_only
    return made


def said(what: str, fix: str) -> str:
    """The server's words on one line, without secrets, and what to do."""
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
