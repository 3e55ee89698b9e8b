"""A mailbox over IMAP: has a mail with these words in its subject come, and away with it again; and what has come
since it was looked at last.

Sources: RFC 3501 (IMAP4rev1), RFC 4315 (UIDPLUS: to expunge one's own message and no other).
"""

import imaplib
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from routing.entry import Outcome
from routing.errors import ActionError
from workers import http, redaction, smtp
from workers.deadline import Deadline
from workers.text import one_line

_LOOK_S = 1.0
_GOODBYE_S = 2.0
_MOST_BYTES = 131_072
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)


class Mailbox(BaseModel):
    """`host` "": there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = ""
    port: int = Field(default=993, ge=1, le=65_535)
    security: Literal["tls", "none"] = "tls"
    username: str = ""
    password: SecretStr = SecretStr("")
    folder: str = Field(default="INBOX", pattern=r"^[^\r\n\"\\]+$")
    ca_file: str = ""

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        if self.security == "none" and not smtp.is_loopback(self.host):
            raise ValueError("security: none reads in the clear; use tls")
        return self


def await_mail(mailbox: Mailbox, word: str, deadline: Deadline) -> bool:
    """Whether a mail whose subject has the word is there by then. It is deleted again, as far as the server can
    delete one mail alone. Raises ActionError when the mailbox cannot be read.
    """
    assert _WORD.fullmatch(word)  # noqa: S101  # it becomes part of a command
    with _connection(mailbox, deadline) as imap:
        while not (found := _found(imap, word)):
            if deadline.rest() <= _LOOK_S:
                return False
            time.sleep(_LOOK_S)
            imap.socket().settimeout(deadline.left())
            imap.noop()
        _delete(imap, found)
        return True


@contextmanager
def opened(mailbox: Mailbox, deadline: Deadline) -> Iterator["Folder"]:
    """Raises ActionError."""
    with _connection(mailbox, deadline) as imap:
        yield Folder(imap, deadline)


class Folder:
    """The open one. Methods raise imaplib.IMAP4.error or OSError, which `opened` makes an ActionError of."""

    def __init__(self, imap: imaplib.IMAP4, deadline: Deadline) -> None:
        self._imap = imap
        self._deadline = deadline
        (said, *_) = imap.response("UIDVALIDITY")[1]
        self.validity = int(said) if isinstance(said, bytes) and said.isdigit() else 0

    def since(self, at: int) -> list[int]:
        """UIDs of what came on the day of this instant (ms), in UTC, or later; oldest first."""
        day = datetime.fromtimestamp(at / 1000, UTC)
        return self._search("SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}")

    def after(self, uid: int) -> list[int]:
        """UIDs above this one. A server always names its last mail, whatever the range begins with."""
        return [each for each in self._search("UID", f"{uid + 1}:*") if each > uid]

    def fetch(self, uid: int) -> bytes:
        """The mail's beginning, without marking it as read; empty when it is gone."""
        self._in_time()
        parts = _answer(self._imap.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{_MOST_BYTES}>)"))
        return next((part[1] for part in parts if isinstance(part, tuple)), b"")

    def mark_read(self, uid: int) -> None:
        self._in_time()
        _answer(self._imap.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))

    def _search(self, *criteria: str) -> list[int]:
        self._in_time()
        (listed, *_) = _answer(self._imap.uid("SEARCH", *criteria))
        return sorted(int(uid) for uid in listed.split()) if isinstance(listed, bytes) else []

    def _in_time(self) -> None:
        self._imap.socket().settimeout(self._deadline.left())


@contextmanager
def _connection(mailbox: Mailbox, deadline: Deadline) -> Iterator[imaplib.IMAP4]:
    """Raises ActionError."""
    try:
        imap = _connected(mailbox, deadline)
        try:
            imap.login(mailbox.username, mailbox.password.get_secret_value())
            _answer(imap.select(f'"{mailbox.folder}"'))
            yield imap
        finally:
            _leave(imap)
    except imaplib.IMAP4.abort as error:
        raise _unreadable(mailbox, error, Outcome.TEMPORARY) from error
    except imaplib.IMAP4.error as error:  # NO or BAD: the same will be said again
        raise _unreadable(mailbox, error, Outcome.PERMANENT) from error
    except OSError as error:
        raise _unreadable(mailbox, error, Outcome.TEMPORARY) from error


def _leave(imap: imaplib.IMAP4) -> None:
    with suppress(imaplib.IMAP4.error, OSError):
        imap.socket().settimeout(_GOODBYE_S)
        imap.logout()
    with suppress(OSError):
        imap.shutdown()  # logout does so only where it was answered


def _connected(mailbox: Mailbox, deadline: Deadline) -> imaplib.IMAP4:
    if mailbox.security == "none":
        return imaplib.IMAP4(mailbox.host, mailbox.port, timeout=deadline.left())
    context = ssl.create_default_context(cafile=mailbox.ca_file) if mailbox.ca_file else http.tls_context()
    return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=deadline.left())


def _found(imap: imaplib.IMAP4, word: str) -> list[str]:
    """UIDs."""
    (listed, *_) = _answer(imap.uid("SEARCH", "SUBJECT", f'"{word}"'))
    return listed.decode().split() if isinstance(listed, bytes) else []


def _delete(imap: imaplib.IMAP4, uids: list[str]) -> None:
    """What cannot be deleted stays: the mail has come all the same."""
    with suppress(imaplib.IMAP4.error):
        _answer(imap.uid("STORE", ",".join(uids), "+FLAGS.SILENT", r"(\Deleted)"))
        if "UIDPLUS" in imap.capabilities:
            imap.uid("EXPUNGE", ",".join(uids))


def _answer(answer: tuple[str, list[Any]]) -> list[Any]:
    """Raises imaplib.IMAP4.error."""
    said, data = answer
    if said != "OK":
        raise imaplib.IMAP4.error(" ".join(str(each) for each in data))
    return data


def _unreadable(mailbox: Mailbox, error: Exception, outcome: Outcome) -> ActionError:
    said = redaction.text(one_line(str(error)))[:200] or type(error).__name__
    return ActionError(f"the mailbox at {mailbox.host} cannot be read: {said}", outcome=outcome)
