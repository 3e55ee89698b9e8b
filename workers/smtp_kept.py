"""Connections to mail servers that a process keeps open for its next mail: connecting, TLS and the login cost more
than the mail.

At most one is kept for each server, as configured, for a short while only. It is taken out for each mail, so that a
job that is cut off in the middle of one leaves nothing half said behind. No locks: a job's time limit may strike
while one is held.
"""

import select
import smtplib
import ssl
import threading
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

IDLE_S: Final = 20.0
"""Servers wait minutes for the next mail; the worker that has none should not hold on to them."""
MOST_MAILS: Final = 50
"""Over one connection: many servers hang up after a hundred."""
_GOODBYE_S: Final = 2.0


@dataclass(eq=False, slots=True)
class Open:
    """A connection that is logged in; `mails` were handed over on it."""

    smtp: smtplib.SMTP
    mails: int = 0
    timer: threading.Timer | None = field(default=None, repr=False)

    def leave(self) -> None:
        """QUIT, and wait a moment for the answer."""
        with suppress(smtplib.SMTPException, OSError):
            if self.smtp.sock is not None:
                self.smtp.sock.settimeout(_GOODBYE_S)
                self.smtp.quit()
        self.smtp.close()


class Kept:
    """Of one process."""

    def __init__(self, idle_s: float = IDLE_S, most_mails: int = MOST_MAILS) -> None:
        self._idle_s = idle_s
        self._most_mails = most_mails
        self._kept: list[tuple[Hashable, Open]] = []

    def take(self, server: Hashable) -> Open | None:
        """One on which the server has said nothing since its last answer. It belongs to the caller now."""
        for each in tuple(self._kept):
            if each[0] == server and self._remove(each):
                _, found = each
                if found.timer:
                    found.timer.cancel()
                if _is_quiet(found.smtp):
                    return found
                found.smtp.close()
        return None

    def give(self, server: Hashable, done: Open) -> None:
        """After a mail that the server took. It is closed when it stays unused, or has carried enough."""
        done.mails += 1
        if done.mails >= self._most_mails:
            done.leave()
            return
        each = (server, done)
        done.timer = threading.Timer(self._idle_s, self._expire, (each,))
        done.timer.daemon = True
        self._kept.append(each)
        done.timer.start()

    def close(self) -> None:
        for each in tuple(self._kept):
            self._expire(each)

    def _expire(self, each: tuple[Hashable, Open]) -> None:
        if self._remove(each):
            if each[1].timer:
                each[1].timer.cancel()
            each[1].leave()

    def _remove(self, each: tuple[Hashable, Open]) -> bool:
        """Whether it was still there: then it is ours alone."""
        try:
            self._kept.remove(each)
        except ValueError:
            return False
        return True


def _is_quiet(smtp: smtplib.SMTP) -> bool:
    """False after a goodbye, a broken connection, or an answer too many, which would be taken for the next one's."""
    sock = smtp.sock
    if sock is None or smtp.file is None:
        return False
    try:
        if select.select([sock], [], [], 0)[0]:
            return False
        sock.settimeout(0)
        return not smtp.file.peek(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except (OSError, ValueError):
        return False
