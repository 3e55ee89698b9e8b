"""One connection: what it may say, how much of it, and for how long. Nothing it sends is ever handed on."""

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

import sentry_sdk
import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from receiver.mail import mailboxes, reply
from receiver.mail.mailboxes import Mailbox
from receiver.mail.taking import take
from receiver.refuse import Refused
from receiver.site import Site

_log = structlog.get_logger(__name__)
# It logs every line that is said, and with it tokens.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

ROUTE = "mail"
PATIENCE_S = 60.0
"""For a command, and for a whole mail."""
LIFE_S = 600.0
LIMITS = {"AUTH": 3, "MAIL": 20, "RCPT": 40, "STARTTLS": 2, "*": 60}
"""How often each may be said in one session."""
MOST_RECIPIENTS = 10
MOST_REFUSED = 5
"""Recipients refused in one session, before it is ended."""
_SLACK = 65_536


class Protocol(SMTP):
    """The library's, which goes on reading what is too large: here that ends the connection.

    `left` is called when it has ended.
    """

    line_length_limit = 65_536
    """Machines write long lines."""

    def __init__(self, handler: "Handler", left: Callable[[], None], largest: int, **more: Any) -> None:
        self._left: Callable[[], None] | None = left
        self._most = largest + _SLACK
        self._taken = 0
        super().__init__(
            handler, data_size_limit=largest, ident="Tocsin", timeout=PATIENCE_S, command_call_limit=LIMITS,
            authenticator=handler.authenticate, **more,
        )  # fmt: skip
        self._life = self.loop.call_later(LIFE_S, self.hang_up)

    def data_received(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > self._most:
            self.hang_up()
        else:
            super().data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._life.cancel()
        super().connection_lost(error)
        if self._left is not None:
            self._left()
            self._left = None

    def _set_post_data_state(self) -> None:
        """After each mail, and at RSET."""
        self._taken = 0
        super()._set_post_data_state()  # type: ignore[no-untyped-call]  # untyped in aiosmtpd

    def hang_up(self) -> None:
        """At once, whatever is still to be said."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class Handler:
    """The library asks it of every recipient and every mail. `peer` is who has connected."""

    def __init__(self, site: Site, loop: asyncio.AbstractEventLoop, peer: str) -> None:
        self._site = site
        self._loop = loop
        self._peer = peer
        self._opened: list[Mailbox] = []
        self._refused = 0

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        """By the name of a source and its token. The library asks only once there is TLS."""
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        name, token = (part.decode(errors="replace") for part in (given.login, given.password))
        try:
            found = mailboxes.opened(self._site, name, token, self._peer)
        except Refused as refusal:
            self._count(refusal, {})
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=found)

    async def handle_MAIL(  # noqa: N802  # the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self._opened = []
        envelope.mail_from = address or "<>"
        envelope.mail_options.extend(options)
        return f"{reply.OK} from whomever"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(self._opened) >= MOST_RECIPIENTS:
            return f"452 4.5.3 no more than {MOST_RECIPIENTS} recipients at once"
        try:
            found = mailboxes.find(self._site, address, _login(session), self._peer)
        except Refused as refusal:
            return self._refuse(server, envelope, refusal)
        self._opened.append(found)
        envelope.rcpt_tos.append(found.gate.source.name)  # not the address: it holds the token
        envelope.rcpt_options.extend(options)
        return f"{reply.OK} a mailbox of ours"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """All of its recipients have it, or the sender is told to try again: what was kept is then a repeat."""
        said, began, kept = self._said(session, envelope), perf_counter(), []
        opened, self._opened = self._opened, []
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        answer, about = "", ""
        try:
            for mailbox in opened:
                about = mailbox.gate.source.name
                kept.append(await take(self._site, self._loop, mailbox, content, said))
            ids = [each for one in kept for each in (*one.accepted, *one.dead)]
            answer = f"{reply.OK} kept as {', '.join(ids)}"
        except Refused as refusal:
            self._count(refusal, said, about)
            answer = reply.of(refusal)
        took = perf_counter() - began
        self._loop.call_soon_threadsafe(self._site.counts.answered, ROUTE, about, reply.status(answer), took)
        return answer

    def _refuse(self, server: SMTP, envelope: Envelope, refusal: Refused) -> str:
        self._count(refusal, {"x-smtp-from": envelope.mail_from or ""})
        self._refused += 1
        if self._refused < MOST_REFUSED:
            return reply.of(refusal)
        if server.transport is not None:
            server.loop.call_soon(server.transport.close)
        return "421 4.7.0 too many recipients that are none of ours"

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours or the library's: the sender keeps what we could not."""
        _log.error("fault in a session", error=type(error).__name__)
        sentry_sdk.capture_exception(error)
        return f"{reply.NOT_DURABLE} a fault of ours; send it again later"

    def _said(self, session: Session, envelope: Envelope) -> dict[str, str]:
        found = {
            "x-smtp-peer": self._peer,
            "x-smtp-helo": session.host_name or "",
            "x-smtp-from": envelope.mail_from or "",
        }
        return {name: value for name, value in found.items() if value}

    def _count(self, refusal: Refused, said: dict[str, str], source: str = "") -> None:
        headers = {"x-smtp-peer": self._peer, **said}
        self._loop.call_soon_threadsafe(self._site.refused, source, refusal, headers)


def _login(session: Session) -> Mailbox | None:
    return session.auth_data if isinstance(session.auth_data, Mailbox) else None
