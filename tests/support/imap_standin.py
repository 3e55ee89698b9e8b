"""A mailbox: real IMAP, over TLS where it has a certificate, showing what a mail server has taken."""

import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from smtp_standin import Mail

USER = "probe"
PASSWORD = "standin-imap-password"
_SINCE = re.compile(r"UID SEARCH SINCE \d{1,2}-[A-Z][a-z]{2}-\d{4}")
_ABOVE = re.compile(r"UID SEARCH UID (\d+):\*")
_FETCH = re.compile(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)")
_SUBJECT = re.compile(r'UID SEARCH SUBJECT "(\w+)"')


class ImapStandin:
    """`mails` is asked anew each time; `arrives` says which of them have come. Refuses what servers refuse."""

    def __init__(
        self, mails: Callable[[], list[Mail]], tls: ssl.SSLContext | None = None, *, uidplus: bool = True
    ) -> None:
        self.arrives: Callable[[Mail], bool] = lambda _: True
        self.deleted: set[int] = set()
        self.seen: set[int] = set()
        self.validity = 1
        """Counts up when the server numbers its mails anew."""
        self.expunged: set[int] = set()
        self.commands: list[str] = []
        self.uidplus = uidplus
        self.hang_up_at = ""
        """A command at which the connection breaks."""
        self._mails = mails
        self._server = _Server(self, tls)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def come(self) -> list[int]:
        """UIDs of all that are there."""
        mails = enumerate(self._mails(), start=1)
        return [uid for uid, mail in mails if uid not in self.expunged and self.arrives(mail)]

    def content(self, uid: int) -> bytes:
        return self._mails()[uid - 1].content

    def found(self, word: str) -> list[int]:
        """UIDs of those that have come, were not expunged, and have it in their subject."""
        return [
            uid
            for uid, mail in enumerate(self._mails(), start=1)
            if uid not in self.expunged and self.arrives(mail) and word in str(mail.message["Subject"])
        ]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, standin: ImapStandin, tls: ssl.SSLContext | None) -> None:
        self.standin = standin
        self.tls = tls
        super().__init__(("127.0.0.1", 0), _Talk)


class _Talk(socketserver.BaseRequestHandler):
    """One connection: `inside` once logged in, `open` once a folder is selected."""

    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        self.standin = self.server.standin
        self.inside = self.open = False
        with suppress(OSError):  # a client that does not trust us hangs up
            if self.server.tls is None:
                self.talk(self.request)
            else:
                with self.server.tls.wrap_socket(self.request, server_side=True) as secure:
                    self.talk(secure)

    def talk(self, to: socket.socket) -> None:
        self.to = to
        self.say("* OK ready")
        with to.makefile("rb") as lines:
            for line in lines:
                tag, _, command = line.decode(errors="replace").rstrip("\r\n").partition(" ")
                self.standin.commands.append("LOGIN" if command.startswith("LOGIN") else command)
                if self.standin.hang_up_at and command.startswith(self.standin.hang_up_at):
                    return
                self.say(f"{tag} {self.answer(command)}")

    def answer(self, command: str) -> str:
        match command.split(" ", maxsplit=1)[0]:
            case "CAPABILITY":
                self.say(f"* CAPABILITY IMAP4rev1{' UIDPLUS' if self.standin.uidplus else ''}")
            case "LOGOUT":
                self.say("* BYE")
            case "LOGIN":
                self.inside = command == f'LOGIN {USER} "{PASSWORD}"'
                return "OK welcome" if self.inside else "NO [AUTHENTICATIONFAILED] Invalid credentials"
            case _ if not self.inside:
                return "BAD log in first"
            case "SELECT":
                self.open = command == 'SELECT "INBOX"'
                if self.open:
                    self.say(f"* OK [UIDVALIDITY {self.standin.validity}] valid")
                return "OK [READ-WRITE] done" if self.open else "NO no such mailbox"
            case "UID":
                return self.with_mail(command) if self.open else "BAD select first"
        return "OK done"

    def with_mail(self, command: str) -> str:
        standin, words = self.standin, command.split(" ")
        if found := _SUBJECT.fullmatch(command):
            self.say(" ".join(["* SEARCH", *map(str, standin.found(found[1]))]))
            return "OK done"
        if _SINCE.fullmatch(command):
            self.say(" ".join(["* SEARCH", *map(str, standin.come())]))
            return "OK done"
        if found := _ABOVE.fullmatch(command):
            here = standin.come()
            named = {uid for uid in here if uid >= int(found[1])} | {max(here, default=0)} - {0}
            self.say(" ".join(["* SEARCH", *map(str, sorted(named, reverse=True))]))  # in no order
            return "OK done"
        if found := _FETCH.fullmatch(command):
            self.fetched(int(found[1]), int(found[2]))
            return "OK done"
        uids = {int(uid) for uid in words[2].split(",")}
        if words[1] == "STORE" and words[3] == "+FLAGS.SILENT" and words[4] in {r"(\Seen)", r"(\Deleted)"}:
            marked = standin.seen if "Seen" in words[4] else standin.deleted
            marked |= uids
        elif words[1] == "EXPUNGE" and standin.uidplus:
            standin.expunged |= uids & standin.deleted
        else:
            return "BAD what?"
        return "OK done"

    def fetched(self, uid: int, most: int) -> None:
        if uid in self.standin.come():
            raw = self.standin.content(uid)[:most]
            self.to.sendall(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (uid, uid, len(raw), raw))

    def say(self, line: str) -> None:
        self.to.sendall(f"{line}\r\n".encode())
