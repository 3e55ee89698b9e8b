"""SMTP: handing one message over to a mail server, and what each of its answers means for us.

Sources: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 6531 (SMTPUTF8).
"""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from ipaddress import ip_address
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from routing.entry import Outcome
from routing.errors import DeliveryError
from workers import http, redaction
from workers.deadline import Deadline
from workers.text import one_line

ADDRESS = r"^[^@\s<>,;:\"()\[\]\\]+@[^@\s<>,;:\"()\[\]\\]+$"
"""One bare address: nothing that could make it two, or a header of its own."""
_GOODBYE_S = 2.0


class Server(BaseModel):
    """Where mail is handed in, and as whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr = SecretStr("")
    from_address: str = Field(pattern=ADDRESS)
    ca_file: str = ""
    """PEM of the authority that signed the server's certificate, where it is not a public one."""
    allow_plaintext: bool = False

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and not self.allow_plaintext and not is_loopback(self.host):
            raise ValueError("security: none sends in the clear; use starttls or tls, or set allow_plaintext")
        return self


def hand_over(server: Server, message: EmailMessage, to: str, timeout_s: float) -> str:
    """The server's answer to the accepted message: "250 queued as 12345".

    Raises DeliveryError: 4xx may be repeated, 5xx not; silence after DATA may have been a delivery.
    """
    exchange = _Exchange(server, Deadline(timeout_s))
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
    except (smtplib.SMTPException, OSError) as error:
        outcome = Outcome.UNKNOWN if exchange.handed_over else Outcome.TEMPORARY
        said = redaction.text(one_line(str(error))) or type(error).__name__
        raise DeliveryError(f"{server.host}, at {exchange.stage}: {said}", outcome=outcome) from error


class _Exchange:
    """One conversation with the server; `stage` names the command it is at."""

    def __init__(self, server: Server, deadline: Deadline) -> None:
        self._server = server
        self._deadline = deadline
        self.stage = "connect"
        self.handed_over = False

    def send(self, message: EmailMessage, to: str) -> str:
        """The server's answer to the accepted message. Raises SMTPException and OSError."""
        smtp = self._connect()
        try:
            self._log_in(smtp)
            utf8 = not to.isascii() or not self._server.from_address.isascii()
            if utf8 and not smtp.has_extn("smtputf8"):
                raise smtplib.SMTPNotSupportedError("the server takes ASCII addresses only")
            self._at(smtp, "MAIL FROM")
            _expect(smtp.mail(self._server.from_address, ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []))
            self._at(smtp, "RCPT TO")
            _expect(smtp.rcpt(to))
            self._at(smtp, "DATA")
            self.handed_over = True
            answer = _expect(smtp.data(message.as_bytes(policy=SMTPUTF8 if utf8 else SMTP)))
            self._at(smtp, "QUIT", within=_GOODBYE_S)
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            return answer
        finally:
            smtp.close()

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        name = server.from_address.rpartition("@")[2]  # given, as looking our own name up can take seconds
        if server.security == "tls":
            return smtplib.SMTP_SSL(
                server.host, server.port, name, timeout=self._deadline.left(), context=_tls(server)
            )
        smtp = smtplib.SMTP(server.host, server.port, name, self._deadline.left())
        if server.security == "starttls":
            try:
                self._at(smtp, "STARTTLS")
                smtp.starttls(context=_tls(server))
            except BaseException:
                smtp.close()
                raise
        return smtp

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        self._at(smtp, "EHLO")
        smtp.ehlo_or_helo_if_needed()
        if self._server.username:
            self._at(smtp, "AUTH")
            smtp.login(self._server.username, self._server.password.get_secret_value())

    def _at(self, smtp: smtplib.SMTP, stage: str, within: float | None = None) -> None:
        self.stage = stage
        if smtp.sock is not None:
            smtp.sock.settimeout(within or self._deadline.left())


def _expect(answer: tuple[int, bytes]) -> str:
    code, said = answer
    if code not in {250, 251}:  # RFC 5321 section 4.2.3: okay; user not local, will forward
        raise smtplib.SMTPResponseException(code, said)
    return f"{code} {one_line(said.decode(errors='replace'))}"[:200]


def _refused(stage: str, code: int, said: bytes | str) -> DeliveryError:
    """By the first digit (RFC 5321 section 4.2.1). 421 and nonsense: the server is going away, try later."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    reason = f"the server refused {stage} with {code}: {redaction.text(one_line(text))[:200]}"
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
