"""A server on 127.0.0.1 that shakes hands and says nothing; without a certificate it is silent, or no TLS."""

import socketserver
import ssl
import threading
from contextlib import suppress
from typing import Self


class TlsStandin:
    """Use it as a context. `greets`: what it says to whoever connects, instead of a handshake."""

    def __init__(self, context: ssl.SSLContext | None, greets: bytes = b"") -> None:
        self.context = context
        self.greets = greets
        self.connections = 0
        self._ending = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self) -> None:
        """Until the test is over: silence."""
        self._ending.wait()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def _handler(standin: TlsStandin) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            standin.connections += 1
            if standin.greets:
                self.request.sendall(standin.greets)
            elif standin.context is None:
                standin.wait()
            else:
                with suppress(OSError):  # a client that does not trust us hangs up
                    with standin.context.wrap_socket(self.request, server_side=True) as secure:
                        secure.recv(1)

    return Handler
