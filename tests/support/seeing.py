"""A console for tests: the real application on a real port, and people who are signed in to it."""

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from prompt import PromptServer
from redis import Redis
from working import until

from console.serving.serve import served
from console.serving.settings import ConsoleSettings
from console.serving.site import LiveContext, Site
from console.trust.acts import Role, Scope
from console.trust.grants import Grants, stored
from ledger import accounts
from ledger.accounts import Session, Token, User
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from ledger.settings import LedgerSettings
from routing.instant import HOUR


def site(redis_url: str, data: Path, **more: str) -> Site:
    ledger = LedgerSettings(redis_url=redis_url, data_dir=data)
    return Site(ConsoleSettings(ledger, **more), LiveContext(ledger, connect(ledger), Keys()))  # type: ignore[arg-type]


def _client() -> httpx2.Client:
    return httpx2.Client(trust_env=False, timeout=10, verify=False)


@dataclass
class Seen:
    """A running console. `client` knows nobody."""

    url: str
    site: Site
    client: httpx2.Client = field(default_factory=_client)
    clients: list[httpx2.Client] = field(default_factory=list)

    @property
    def redis(self) -> Redis:
        return self.site.client

    def user(
        self, name: str, role: Role = Role.RESPONDER, *teams: str, password: str = "", contact: str = ""
    ) -> User:
        one = User(name=name, password=password, contact=contact, **stored(Grants.limited(role, teams)))
        accounts.put_user(self.redis, self.site.keys, one)
        return one

    def session(self, name: str, role: Role = Role.RESPONDER, *teams: str, lasts_ms: int = HOUR) -> str:
        """What the browser of a user who has just signed in holds. Who is known already stays who they are."""
        known = accounts.user(self.redis, self.site.keys, name)
        self.user(name, role, *teams, contact=known.contact if known else "")
        secret, now = secrets.token_urlsafe(32), now_ms()
        session = Session(
            id=accounts.digest(secret)[:12], user=name, created_at=now, expires_at=now + lasts_ms
        )
        accounts.begin_session(self.redis, self.site.keys, secret, session, lasts_ms)
        return secret

    def token(
        self, name: str, role: Role | Grants, *scopes: Scope, lasts_ms: int = HOUR, **more: object
    ) -> str:
        secret = secrets.token_urlsafe(32)
        grants = role if isinstance(role, Grants) else Grants(role)
        one = Token(
            id=accounts.digest(secret)[:8], name=name, scopes=[each.value for each in scopes],
            expires_at=now_ms() + lasts_ms, **stored(grants), **more,  # type: ignore[arg-type]
        )  # fmt: skip
        accounts.put_token(self.redis, self.site.keys, secret, one)
        return secret

    def signed_in(self, name: str, role: Role = Role.RESPONDER, *teams: str) -> httpx2.Client:
        """A browser of theirs, as far as a program is one."""
        client = _client()
        self.clients.append(client)
        client.base_url = httpx2.URL(self.url)
        client.cookies.set("tocsin", self.session(name, role, *teams))
        client.headers["sec-fetch-site"] = "same-origin"
        return client


@contextmanager
def console(site: Site, port: int = 0) -> Iterator[Seen]:
    """Until it is left; at a port that is free, or at this one."""
    server = PromptServer(served(site))
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        until(lambda: server.started, 20, "the console to start")
        seen = Seen(f"http://127.0.0.1:{listening.getsockname()[1]}", site)
        try:
            with seen.client:
                yield seen
        finally:
            for each in seen.clients:
                each.close()
            server.should_exit = True
            thread.join(10)
