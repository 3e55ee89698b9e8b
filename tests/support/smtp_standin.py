"""A mail server: real SMTP with STARTTLS or TLS and authentication, which refuses at the stage it is told to.

Run it alone: `python tests/support/smtp_standin.py --port 2525 --log mails.jsonl`.
"""

import argparse
import asyncio
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from certificate import certificate

USER = "tocsin"
PASSWORD = "standin-smtp-password"


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: list[str]
    content: bytes
    at: int
    """When it was taken, in ms."""

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=default)

    def part(self, kind: str) -> str:
        """The text of the "plain" or "html" part."""
        body = self.message.get_body((kind,))
        return "" if body is None else str(body.get_content())


class SmtpStandin:
    """`security` none, starttls or tls; with `auth` a login is required. `ca_file` is what to trust."""

    def __init__(
        self,
        *,
        security: str = "none",
        auth: bool = False,
        port: int = 0,
        log: Path | None = None,
        room: Path | None = None,
    ) -> None:
        self.mails: list[Mail] = []
        self.refuse: dict[str, str] = {}
        """Stage (MAIL, RCPT, DATA) -> the answer there, like "450 later"."""
        self.drop_at = ""
        """Stage (RCPT, DATA) at which the connection breaks; at DATA the mail has been kept."""
        self.wait_s = 0.0
        """How long the answer to the mail takes."""
        self.security = security
        self._auth = auth
        self._log = log
        self.ca_file = ""
        tls = None
        if security != "none":
            assert room is not None, "TLS needs a room for its certificate"
            self.ca_file, tls = certificate(room)
        self.port = port or _free_port()
        extra: dict[str, Any] = {"ssl_context": tls} if security == "tls" else {}
        self._controller = _Controller(self, tls, hostname="127.0.0.1", port=self.port, **extra)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What the channel needs to use it."""
        login = {"username": USER, "password": PASSWORD} if self._auth else {}
        return {
            "host": "127.0.0.1", "port": self.port, "security": self.security, "ca_file": self.ca_file,
            "from_address": "tocsin@example.com", **login, **changes,
        }  # fmt: skip

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._auth and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if "MAIL" in self.refuse:
            return self.refuse["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.drop_at == "RCPT":
            _break(server)
        if "RCPT" in self.refuse:
            return self.refuse["RCPT"]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self._keep(envelope)
        if self.wait_s:
            await asyncio.sleep(self.wait_s)
        if self.drop_at == "DATA":
            _break(server)
        return f"250 OK queued as {len(self.mails)}"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        mail = Mail(envelope.mail_from or "", list(envelope.rcpt_tos), raw, time.time_ns() // 1_000_000)
        self.mails.append(mail)
        if self._log:
            shown = {
                "at": mail.at, "to": mail.recipients, "id": mail.message["Message-ID"],
                "subject": mail.message["Subject"],
            }  # fmt: skip
            with self._log.open("a") as file:
                file.write(json.dumps(shown) + "\n")


class _Controller(Controller):
    def __init__(self, standin: SmtpStandin, tls: ssl.SSLContext | None, **more: Any) -> None:
        self._starttls = tls if standin.security == "starttls" else None
        super().__init__(standin, **more)

    def factory(self) -> SMTP:
        return SMTP(
            self.handler,
            hostname="mail.example.com",
            enable_SMTPUTF8=True,
            tls_context=self._starttls,
            require_starttls=self._starttls is not None,
            authenticator=_authenticate,
            auth_require_tls=False,  # it knows no implicit TLS; who must log in is checked at MAIL
        )


def _authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=right, handled=False)


def _break(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, default=None)
    given = parser.parse_args()
    with SmtpStandin(port=given.port, log=given.log) as standin:
        print(f"smtp://127.0.0.1:{standin.port}", flush=True)  # noqa: T201  # what the starter waits for
        threading.Event().wait()


if __name__ == "__main__":
    main()
