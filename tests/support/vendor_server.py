"""A stand-in vendor: a real HTTP server with a log of its own, which misbehaves as it is told to.

Its log is the truth that tests compare ours with: every request, in order, with what was answered; with a file
it survives the processes under test, and is readable while they are killed. Also a process of its own, then told
by `POST /_standin/misbehave`, `GET /_standin/calls` and what a subclass adds.
"""

import argparse
import json
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

CONTROL = "/_standin/"
_NEVER_REACHED = 100_000_000
_LONGEST_WAIT_S = 60


@dataclass(frozen=True)
class Asked:
    """One request as it came. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, list[str]]:
        """Raises ValueError when it is none."""
        return parse_qs(self.body.decode(), strict_parsing=True, keep_blank_values=True)

    def field(self, name: str) -> str:
        """A form field's only value; "" when it is missing."""
        return self.form.get(name, [""])[0]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def user(self) -> tuple[str, str]:
        """Name and password of Basic authentication."""
        scheme, _, coded = self.headers.get("authorization", "").partition(" ")
        name, _, password = b64decode(coded).decode().partition(":") if scheme == "Basic" else ("", "", "")
        return name, password


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = field(default_factory=dict)
    """Sent as JSON, unless it is bytes."""
    headers: dict[str, str] = field(default_factory=dict)
    endless: bool = False
    """More is promised and never comes, on a connection that stays open."""


@dataclass(frozen=True)
class Misbehaviour:
    """How to treat one request. A `status` refuses it; all else happens after it was carried out."""

    status: int = 0
    retry_after: str = ""
    """Seconds; "date" sends them as an HTTP date, 7 s ahead."""
    delay_s: float = 0
    garbage: bool = False
    twice: bool = False
    """The answer is sent a second time on the same connection."""
    not_ok: bool = False
    """200 with {"ok": false}, as Slack does."""
    hang_up: bool = False
    """The connection is closed instead of an answer."""
    path: str = ""
    """Only for requests whose path contains this; with a space at the end, ends in it."""
    method: str = ""
    """Only for requests of this method."""
    endless: bool = False
    """As a reply that is."""
    ill_after: bool = False
    """Everything that is asked afterwards is refused with 500."""


@dataclass(frozen=True)
class Call:
    """One line of the log."""

    number: int
    at: int
    method: str
    path: str
    query: dict[str, list[str]]
    body: str
    status: int
    """What was answered, 0 when the connection was closed instead."""
    done: bool
    """Whether it was carried out, whatever was answered."""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body, keep_blank_values=True).items()}


class VendorServer:
    """Use it as a context. Subclasses override `answer`, `fault` and `control`."""

    def __init__(
        self, answer: Callable[[Asked], Reply] | None = None, *, port: int = 0, log: Path | None = None
    ) -> None:
        self._answer = answer
        self.calls: list[Call] = []
        self._misbehaviours: list[Misbehaviour] = []
        self._ill = False
        self._log = log
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> Reply:
        """Carry it out, or refuse it as the vendor would. Called for one request at a time."""
        return self._answer(asked) if self._answer else Reply()

    def fault(self, status: int) -> Any:
        """The body of a scripted refusal, in the vendor's own shape."""
        return {"error": {"code": str(status), "message": f"scripted {status}"}}

    def control(self, what: str, given: Any) -> Any:
        """`POST /_standin/<what>` of a test in another process."""
        raise KeyError(what, given)

    def misbehave(self, *how: Misbehaviour) -> None:
        """Treat the next requests so, one each."""
        with self._lock:
            self._misbehaviours.extend(how)

    def done(self, part: str = "") -> list[Call]:
        """What was carried out, by a part of the path; reading included."""
        return [call for call in self.calls if call.done and part in call.path]

    def respond(self, asked: Asked) -> tuple[bytes, Misbehaviour]:
        """The whole response as bytes; empty to hang up."""
        if asked.path.startswith(CONTROL):
            return _packed(self._controlled(asked)), Misbehaviour()
        with self._lock:
            how = self._next(asked)
            reply = self._refusal(how) if how.status else self.answer(asked)
            done = not how.status and reply.status < 400
            status = 0 if how.hang_up else reply.status
            self._keep(asked, status, done=done)
        if how.delay_s:
            self._stopping.wait(how.delay_s)
        if how.hang_up:
            return b"", how
        if how.garbage:
            reply = Reply(reply.status, b"<html>\xff\xfe not what you asked for")
        if how.not_ok:
            reply = Reply(200, {"ok": False, "error": "scripted"})
        return _packed(reply), replace(how, endless=how.endless or reply.endless)

    def _next(self, asked: Asked) -> Misbehaviour:
        if self._ill:
            return Misbehaviour(status=500)
        for how in self._misbehaviours:
            if how.path in f"{asked.path} " and how.method in {"", asked.method}:
                self._misbehaviours.remove(how)
                self._ill = how.ill_after
                return how
        return Misbehaviour()

    def _refusal(self, how: Misbehaviour) -> Reply:
        headers = {"Retry-After": how.retry_after} if how.retry_after else {}
        if how.retry_after == "date":
            headers = {"Retry-After": formatdate(time.time() + 7, usegmt=True)}
        return Reply(how.status, self.fault(how.status), headers)

    def _keep(self, asked: Asked, status: int, *, done: bool) -> None:
        """On disk before the answer leaves: what we answered we also know of."""
        call = Call(
            number=len(self.calls) + 1,
            at=time.time_ns() // 1_000_000,
            method=asked.method,
            path=asked.path,
            query=asked.query,
            body=asked.body.decode(errors="replace"),
            status=status,
            done=done,
            headers={name: value for name, value in asked.headers.items() if name != "authorization"},
        )
        self.calls.append(call)
        if self._log:
            with self._log.open("a") as file:
                file.write(json.dumps(asdict(call)) + "\n")

    def _controlled(self, asked: Asked) -> Reply:
        what = asked.path.removeprefix(CONTROL)
        given = asked.json if asked.body else {}
        if what == "calls":
            return Reply(200, [asdict(call) for call in self.calls])
        if what == "misbehave":
            self.misbehave(*(Misbehaviour(**each) for each in given))
            return Reply()
        try:
            return Reply(200, self.control(what, given))
        except KeyError:
            return Reply(404, {"error": f"nothing called {what}"})


def read_log(file: Path) -> list[Call]:
    """The log of a stand-in in another process."""
    return [Call(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def arguments() -> argparse.ArgumentParser:
    """What every stand-in takes on its command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, default=None)
    return parser


def serve_for_ever(server: VendorServer) -> None:
    """Say where it is, on one line, and serve until killed."""
    with server:
        print(server.url, flush=True)  # noqa: T201  # what the starter waits for
        threading.Event().wait()


def _packed(reply: Reply) -> bytes:
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    headers = {
        "Date": formatdate(usegmt=True),
        "Content-Type": "application/json",
        "Content-Length": str(_NEVER_REACHED if reply.endless else len(body)),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """A client that was killed in the middle is nothing to talk about."""


def _handler(vendor: VendorServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length") or 0))
            asked = Asked(
                self.command, parts.path, parse_qs(parts.query, keep_blank_values=True), headers, body
            )
            response, how = vendor.respond(asked)
            if not response:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            self.wfile.write(response * 2 if how.twice else response)
            if how.endless:
                vendor._stopping.wait(_LONGEST_WAIT_S)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815  # the library's names

        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    return Handler
