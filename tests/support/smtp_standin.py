"""A mail server: real SMTP with STARTTLS or TLS and authentication, which refuses at the stage it is told to.

Run it alone: `python tests/support/smtp_standin.py --port 2525 --log mails.jsonl`.
"""

import argparse
import asyncio
import json
import re
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
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")


@dataclass(frozen=True)
class Mail:
    sender: str
    recipients: list[str]
    content: bytes
    at: int
    """When it was taken, in ms."""
    envelope_id: str = ""
    """By what the sender knows it, where it asked for reports."""
    notify: str = ""

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
        dsn: bool = False,
        logins: str = "PLAIN LOGIN",
    ) -> None:
        self.dsn = dsn
        """Offers delivery reports; without, it refuses whoever asks for them."""
        self.logins = logins
        self.most_mails = 1_000
        """Over one connection."""
        self.connections: set[Any] = set()
        """Those on which a mail was begun."""
        self.lines: set[Any] = set()
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
        self.hang_up()
        self._controller.stop()

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._auth and not session.authenticated:
            return "530 5.7.0 Authentication required"
        self.connections.add(session.peer)
        session.mails = getattr(session, "mails", 0) + 1  # type: ignore[attr-defined]
        if session.mails > self.most_mails:  # type: ignore[attr-defined]
            return "421 4.7.0 too many mails"
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

    def hang_up(self) -> None:
        """Close every connection, as servers do with those that stay idle."""
        for line in tuple(self.lines):
            self._controller.loop.call_soon_threadsafe(line.abort)

    def say_to_all(self, line: str) -> None:
        """Nobody has asked."""
        for each in tuple(self.lines):
            self._controller.loop.call_soon_threadsafe(each.write, f"{line}\r\n".encode())

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        asked = dict(each.partition("=")[::2] for each in [*envelope.mail_options, *envelope.rcpt_options])
        mail = Mail(
            envelope.mail_from or "", list(envelope.rcpt_tos), raw, time.time_ns() // 1_000_000,
            asked.get("ENVID", ""), asked.get("NOTIFY", ""),
        )  # fmt: skip
        self.mails.append(mail)
        if self._log:
            shown = {
                "at": mail.at, "to": mail.recipients, "id": mail.message["Message-ID"],
                "subject": mail.message["Subject"],
            }  # fmt: skip
            with self._log.open("a") as file:
                file.write(json.dumps(shown) + "\n")


class _Smtp(SMTP):
    """Of RFC 3461 aiosmtpd knows nothing: what it says is taken off, checked, and kept beside."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.event_handler.lines.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.lines.discard(self.transport)
        super().connection_lost(error)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        said: list[str] = []
        push, self.push = self.push, _collecting(said)  # type: ignore[method-assign]
        await super().smtp_EHLO(hostname)
        self.push = push  # type: ignore[method-assign]
        known = f"250-AUTH {self.event_handler.logins}"
        said = [known if line.startswith("250-AUTH") else line for line in said]
        for line in ["250-DSN" for _ in said[:1] if self.event_handler.dsn]:
            said.insert(1, line)
        for line in said:
            await self.push(line)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        rest, asked = self._taken_off(arg, {"ENVID": _XTEXT, "RET": re.compile("HDRS|FULL")})
        if asked is None:
            await self.push("501 5.5.4 bad delivery report parameters")
            return
        await super().smtp_MAIL(rest)
        if self.envelope:
            self.envelope.mail_options.extend(asked)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        notify = re.compile("NEVER|(SUCCESS|FAILURE|DELAY)(,(SUCCESS|FAILURE|DELAY))*")
        rest, asked = self._taken_off(
            arg, {"NOTIFY": notify, "ORCPT": re.compile(f"rfc822;{_XTEXT.pattern}")}
        )
        if asked is None:
            await self.push("501 5.5.4 bad delivery report parameters")
            return
        await super().smtp_RCPT(rest)
        if self.envelope:
            self.envelope.rcpt_options.extend(asked)

    def _taken_off(
        self, arg: str | None, known: dict[str, re.Pattern[str]]
    ) -> tuple[str | None, list[str] | None]:
        """What is left, and what was taken off; None when that is nonsense."""
        if not self.event_handler.dsn or arg is None:
            return arg, []
        words = arg.split(" ")
        asked = [word for word in words if word.partition("=")[0] in known]
        good = all(known[word.partition("=")[0]].fullmatch(word.partition("=")[2]) for word in asked)
        return " ".join(word for word in words if word not in asked), asked if good else None


def _collecting(said: list[str]) -> Any:
    async def push(line: str) -> None:
        said.append(line)

    return push


class _Controller(Controller):
    def __init__(self, standin: SmtpStandin, tls: ssl.SSLContext | None, **more: Any) -> None:
        self._starttls = tls if standin.security == "starttls" else None
        super().__init__(standin, **more)

    def factory(self) -> SMTP:
        return _Smtp(
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
