"""The port: opened in a thread of its own, tried again while it cannot be, closed with the process."""

import asyncio
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import structlog

from receiver.mail import mailboxes
from receiver.mail.session import Handler, Protocol
from receiver.site import Site

_log = structlog.get_logger(__name__)

MOST = 64
"""Connections at once."""
MOST_OF_ONE = 8
"""Of one address."""
_AGAIN_S = 5.0
_RENEWED_S = 600.0
_TURNS = 10
"""Of the loop, until what was hung up is closed."""
_FULL = b"421 4.7.0 too many connections, try again later\r\n"


class MailServer:
    """`start` from the loop in which requests are kept; `stop` before that ends."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._connected: Counter[str] = Counter()
        self._sessions: set[Protocol] = set()
        self._thread: threading.Thread | None = None
        self._mine: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()
        self.port = 0
        """The one it listens on; 0 while it does not."""

    def start(self) -> None:
        if not self._site.settings.mail_port:
            return
        keeping = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, args=(keeping,), name="mail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._mine is not None and self._thread is not None:
            self._mine.call_soon_threadsafe(_cancel_all)
            self._thread.join(_AGAIN_S)

    def _run(self, keeping: asyncio.AbstractEventLoop) -> None:
        # Not uvloop: the library changes the protocol of a connection under way for STARTTLS.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            self._mine = runner.get_loop()
            try:
                runner.run(self._serve(keeping))
            except asyncio.CancelledError:
                _log.debug("mail is taken no more")

    async def _serve(self, keeping: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            try:
                await self._listen(keeping)
            except asyncio.CancelledError:
                await self._hang_up()
                raise
            except (OSError, ssl.SSLError) as error:
                where = f"{self._site.settings.mail_host}:{self._site.settings.mail_port}"
                self._site.mail_fault = f"mail is not taken at {where}: {error}"
                _log.warning("mail cannot be taken, trying again", address=where, error=str(error))
                await asyncio.sleep(_AGAIN_S)

    async def _listen(self, keeping: asyncio.AbstractEventLoop) -> None:
        """For ever. Raises OSError when it cannot."""
        settings, loop = self._site.settings, asyncio.get_running_loop()
        context = _context(settings.mail_certificate, settings.mail_key_file)

        def connection() -> asyncio.BaseProtocol:
            return _Waiting(self, keeping, context)

        server = await loop.create_server(connection, settings.mail_host, max(0, settings.mail_port))
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self._site.mail_fault = ""
            _log.info("mail is taken", port=self.port, starttls=context is not None)
            while True:
                await asyncio.sleep(_RENEWED_S)
                if context is not None:  # connections to come have the certificate of now
                    context.load_cert_chain(settings.mail_certificate, settings.mail_key_file)

    def admit(self, peer: str) -> bool:
        if self._connected.total() >= MOST or self._connected[peer] >= MOST_OF_ONE:
            return False
        self._connected[peer] += 1
        return True

    def left(self, session: Protocol, peer: str) -> None:
        self._sessions.discard(session)
        self._connected[peer] -= 1
        self._connected += Counter()  # drops what is zero now

    def session(
        self, keeping: asyncio.AbstractEventLoop, context: ssl.SSLContext | None, peer: str
    ) -> Protocol:
        site = self._site
        made = Protocol(
            Handler(site, keeping, peer),
            lambda: self.left(made, peer),
            mailboxes.largest(site),
            hostname=mailboxes.domain(site) or "localhost",
            tls_context=context,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(made)
        return made

    async def _hang_up(self) -> None:
        """Whoever has no answer by now tries again elsewhere, or later."""
        for each in self._sessions:
            each.hang_up()
        for _ in range(_TURNS):
            await asyncio.sleep(0)


class _Waiting(asyncio.Protocol):
    """Until it is known who connects: then a session, or the end."""

    def __init__(
        self, server: MailServer, keeping: asyncio.AbstractEventLoop, context: ssl.SSLContext | None
    ) -> None:
        self._server = server
        self._keeping = keeping
        self._context = context

    def connection_made(self, transport: Any) -> None:
        name = transport.get_extra_info("peername")
        peer = str(name[0]) if name else ""
        if not self._server.admit(peer):
            transport.write(_FULL)
            transport.close()
            return
        session = self._server.session(self._keeping, self._context, peer)
        transport.set_protocol(session)
        session.connection_made(transport)


def _context(certificate: str, key_file: str) -> ssl.SSLContext | None:
    """None without a certificate: then there is no STARTTLS, and so no login. Raises OSError."""
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(Path(certificate), Path(key_file) if key_file else None)
    return context


def _cancel_all() -> None:
    for task in asyncio.all_tasks():
        task.cancel()
