"""SMTP: handing one message over to a mail server, and what each of its answers means for us.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 6531 (SMTPUTF8), RFC 3461 (delivery reports).
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from ipaddress import ip_address
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import http, mail_address, redaction
from workers.deadline import Deadline
from workers.smtp_kept import Kept, Open
from workers.text import one_line

_LOGINS = frozenset({"PLAIN", "LOGIN", "CRAM-MD5"})
_GOING_AWAY = 421
_ADVICE = {
    530: "the server wants a login: set username and password, or another security, in config/channels.yaml",
    534: "the server wants another way to log in: with many providers, a password made for applications",
    535: "check username and password in config/channels.yaml",
    538: "the server takes logins over TLS only: set security to starttls or tls",
    550: "check the address in config/oncall.yaml, and that the server may send for from_address",
}


class Server(BaseModel):
    """Where mail is handed in, and as whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    from_address: str = Field(pattern=mail_address.PATTERN)
    bounce_address: str = Field(default="", pattern=f"^$|{mail_address.PATTERN}")
    """Where servers write to when they could not deliver after all; "" is `from_address`."""
    ca_file: str = ""
    """PEM of the authority that signed the server's certificate, where it is not a public one."""
    allow_plaintext: bool = False

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and not self.allow_plaintext and not is_loopback(self.host):
            raise ValueError("security: none sends in the clear; use starttls or tls, or set allow_plaintext")
        return self

    @property
    def envelope_from(self) -> str:
        return self.bounce_address or self.from_address


def hand_over(
    server: Server, message: EmailMessage, to: str, timeout_s: float, *, envelope_id: str = "",
    kept: Kept | None = None,
) -> str:  # fmt: skip
    """The server's answer to the accepted message: "250 queued as 12345".

    `envelope_id`: by what the server is to name the mail when it reports later that it failed, where it can do so.
    `kept`: connections that are used again, and the place for this one. Raises DeliveryError: 4xx may be repeated, 5xx
    not; silence after DATA may have been a delivery.
    """
    exchange = _Exchange(server, Deadline(timeout_s), envelope_id, kept)
    try:
        return exchange.send(message, to)
    except smtplib.SMTPNotSupportedError as error:
        reason = f"{server.host}: {error}; check its security and username"
        raise DeliveryError(reason, outcome=Outcome.PERMANENT) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(exchange.stage, error.smtp_code, error.smtp_error) from error
    except ssl.SSLCertVerificationError as error:
        reason = f"{server.host}: its certificate is not trusted: {error.verify_message}; set ca_file"
        raise DeliveryError(reason, outcome=Outcome.TEMPORARY) from error
    except UnicodeError as error:
        reason = f"{server.host}, at {exchange.stage}: username and password must be ASCII"
        raise DeliveryError(reason, outcome=Outcome.PERMANENT) from error
    except (smtplib.SMTPException, OSError) as error:
        outcome = Outcome.UNKNOWN if exchange.handed_over else Outcome.TEMPORARY
        said = redaction.text(one_line(str(error))) or type(error).__name__
        raise DeliveryError(f"{server.host}, at {exchange.stage}: {said}", outcome=outcome) from error


class _Exchange:
    """One mail over one connection; `stage` names the command it is at."""

    def __init__(self, server: Server, deadline: Deadline, envelope_id: str, kept: Kept | None) -> None:
        self._server = server
        self._deadline = deadline
        self._envelope_id = envelope_id
        self._kept = kept
        self.stage = "connect"
        self.handed_over = False

    def send(self, message: EmailMessage, to: str) -> str:
        """The server's answer to the accepted message. Raises SMTPException and OSError."""
        used = self._kept.take(self._server) if self._kept else None
        if used:
            try:
                return self._over(used, message, to)
            except (smtplib.SMTPException, OSError) as error:
                # The server was tired of the connection, and the mail not yet on it: a new one tells more.
                if self.handed_over or not _is_over(error):
                    raise
        return self._over(Open(self._connect()), message, to)

    def _over(self, line: Open, message: EmailMessage, to: str) -> str:
        try:
            answer = self._talk(line.smtp, message, to)
        except BaseException:
            line.smtp.close()
            raise
        if self._kept:
            self._kept.give(self._server, line)
        else:
            line.leave()
        return answer

    def _talk(self, smtp: smtplib.SMTP, message: EmailMessage, to: str) -> str:
        utf8 = not to.isascii() or not self._server.envelope_from.isascii()
        if utf8 and not smtp.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("the server takes ASCII addresses only")
        reports = bool(self._envelope_id) and smtp.has_extn("dsn")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        self._at(smtp, "MAIL FROM")
        more = ["RET=HDRS", f"ENVID={xtext(self._envelope_id)}"] if reports else []
        _expect(smtp.mail(self._server.envelope_from, [*options, *more]))
        self._at(smtp, "RCPT TO")
        more = ["NOTIFY=FAILURE", *([f"ORCPT=rfc822;{xtext(to)}"] if to.isascii() else [])] if reports else []
        _expect(smtp.rcpt(to, more))
        self._at(smtp, "DATA")
        self.handed_over = True
        return _expect(smtp.data(message.as_bytes(policy=SMTPUTF8 if utf8 else SMTP)))

    def _connect(self) -> smtplib.SMTP:
        """Connected, encrypted as configured, and logged in."""
        smtp = self._reach()
        try:
            if self._server.security == "starttls":
                self._at(smtp, "STARTTLS")
                smtp.starttls(context=_tls(self._server))
            self._log_in(smtp)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _reach(self) -> smtplib.SMTP:
        server = self._server
        self.stage = "connect"
        name = server.from_address.rpartition("@")[2]  # given, as looking our own name up can take seconds
        if server.security == "tls":
            return smtplib.SMTP_SSL(
                server.host, server.port, name, timeout=self._deadline.left(), context=_tls(server)
            )
        return smtplib.SMTP(server.host, server.port, name, self._deadline.left())

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        self._at(smtp, "EHLO")
        smtp.ehlo_or_helo_if_needed()
        if not self._server.username:
            return
        self._at(smtp, "AUTH")
        offered = smtp.esmtp_features.get("auth", "").split()
        if not _LOGINS & set(offered):
            raise smtplib.SMTPNotSupportedError(f"it offers no login we know ({' '.join(offered) or 'none'})")
        smtp.login(self._server.username, self._server.password.get_secret_value())

    def _at(self, smtp: smtplib.SMTP, stage: str) -> None:
        self.stage = stage
        if smtp.sock is not None:
            smtp.sock.settimeout(self._deadline.left())


def xtext(text: str) -> str:
    """As RFC 3461 section 4 writes what may hold any character in a parameter."""
    return "".join(char if "!" <= char <= "~" and char not in "+=" else f"+{ord(char):02X}" for char in text)


def _is_over(error: Exception) -> bool:
    """The connection is of no more use, as against the mail being refused."""
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == _GOING_AWAY
    return isinstance(error, OSError | smtplib.SMTPServerDisconnected)


def _expect(answer: tuple[int, bytes]) -> str:
    code, said = answer
    if code not in {250, 251}:  # RFC 5321 section 4.2.3: okay; user not local, will forward
        raise smtplib.SMTPResponseException(code, said)
    return f"{code} {one_line(said.decode(errors='replace'))}"[:200]


def _refused(stage: str, code: int, said: bytes | str) -> DeliveryError:
    """By the first digit (RFC 5321 section 4.2.1). 421 and nonsense: the server is going away, try later."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    reason = f"the server refused {stage} with {code}: {redaction.text(one_line(text))[:200]}"
    if code in _ADVICE:
        reason += f"; {_ADVICE[code]}"
    permanent = 500 <= code < 600  # noqa: PLR2004
    return DeliveryError(
        reason, outcome=Outcome.PERMANENT if permanent else Outcome.TEMPORARY, answer=str(code)
    )


def _tls(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file) if server.ca_file else http.tls_context()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
