"""A shop's database on the real server: its application's sessions, and ours with the rights the docs ask for."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, LiteralString

import psycopg
from postgres_server import PASSWORD, PostgresServer
from psycopg import sql
from working import until

from ledger.clock import now_ms
from routing.ports import Step

TOCSIN, WEB, BLIND = "tocsin_role", "web", "blind"
GRANTS = (
    "GRANT pg_monitor, pg_signal_backend, pg_use_reserved_connections TO tocsin_role",
    "GRANT CREATE ON DATABASE shop TO web",
)

AnyConnection = psycopg.Connection[tuple[Any, ...]]


class Shop:
    """`owner` is the superuser's connection; what `open` and `busy` open is closed at the end."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.url = server.url(user=TOCSIN)
        self._open = ExitStack()
        self.owner = self._open.enter_context(server.connect())

    def step(self, timeout_s: float = 10.0, **changes: Any) -> Step:
        settings = {"url": self.url, **changes.pop("settings", {})}
        fields = {"settings": settings, "idempotency_key": "", "now": now_ms(), **changes}
        return Step(timeout_s=timeout_s, **fields)

    def open(
        self, count: int = 1, user: str = WEB, application: str = "web", **of: Any
    ) -> list[AnyConnection]:
        """So many sessions that are idle."""
        return [self._one(user=user, application_name=application, **of) for _ in range(count)]

    def busy(self, count: int = 1, seconds: float = 60, **of: Any) -> list[AnyConnection]:
        """So many sessions in the middle of a query."""
        made = self.open(count, **of)
        for each in made:
            self.work(each, seconds)
        return made

    def work(self, one: AnyConnection, seconds: float = 60) -> None:
        """Have it in the middle of a query; the server has begun with it."""
        pid = one.info.backend_pid
        one.pgconn.send_query(f"SELECT pg_sleep({seconds})".encode())
        one.pgconn.flush()
        at = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'active'"
        until(lambda: self.owner.execute(at, [pid]).fetchone())

    def age(self, seconds: int) -> None:
        """Return once all of them have been as they are, idle or busy, for so long."""
        younger = (
            "SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'owner'"
            " AND state_change > clock_timestamp() - make_interval(secs => %s)"
        )
        until(lambda: self.owner.execute(younger, [seconds]).fetchone() is None)

    @contextmanager
    def writing(self, statement: LiteralString) -> Iterator[None]:
        """Somebody does this again and again meanwhile."""
        done = threading.Event()

        def write() -> None:
            with self.server.connect() as writer:
                while not done.is_set():
                    writer.execute(sql.SQL(statement))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield
        finally:
            done.set()
            writer.join()

    def clear(self) -> None:
        """End every session but the owner's, then that."""
        others: LiteralString = (
            "FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'owner'"
        )
        self.owner.execute(sql.SQL("SELECT pg_terminate_backend(pid) " + others))
        until(lambda: self.owner.execute(sql.SQL("SELECT 1 " + others)).fetchone() is None)
        self._open.close()

    def _one(self, **of: Any) -> AnyConnection:
        made = self.server.connect(**of)
        self._open.callback(made.close)
        return made


def alive(connections: list[AnyConnection]) -> list[AnyConnection]:
    """Those whose session the server has not ended. Asks idle ones."""
    found = []
    for each in connections:
        try:
            each.execute("SELECT 1")
        except psycopg.OperationalError:
            continue
        found.append(each)
    return found


def make_roles(server: PostgresServer) -> None:
    """The application's role, ours, and one without any rights."""
    with server.connect() as owner:
        for role in (TOCSIN, WEB, BLIND):
            name, password = sql.Identifier(role), sql.Literal(PASSWORD)
            owner.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
        for grant in GRANTS:
            owner.execute(sql.SQL(grant))
        owner.execute("CREATE SCHEMA extensions")
        owner.execute("GRANT USAGE ON SCHEMA extensions TO PUBLIC")
        owner.execute("CREATE EXTENSION pg_stat_statements SCHEMA extensions")


@contextmanager
def opened_shop(server: PostgresServer) -> Iterator[Shop]:
    """Empty of tables, and of anybody's sessions afterwards."""
    shop = Shop(server)
    try:
        shop.owner.execute('DROP SCHEMA IF EXISTS public, "Billing" CASCADE')
        shop.owner.execute("CREATE SCHEMA public AUTHORIZATION web")
        shop.owner.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        yield shop
    finally:
        shop.clear()
