"""A wire that stops carrying: a proxy before PostgreSQL which swallows everything from a certain message on."""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self


class FrozenWire:
    """Carries until a client has sent `word` for the `times`th time; then nobody hears anything any more."""

    def __init__(self, server: Path, word: bytes, times: int = 1) -> None:
        self._server = server
        self._word = word
        self._left = times
        self._frozen = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    self._threads.append(threading.Thread(target=self._carry, args=pair, daemon=True))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while found := source.recv(65_536):
                self._left -= found.count(self._word)
                if self._left <= 0:
                    self._frozen.set()
                if not self._frozen.is_set():
                    sink.sendall(found)
