"""The embedded server beside the supervisor: started first, started again when it dies, stopped last."""

import threading
from collections.abc import Callable
from typing import Final

from redis.exceptions import RedisError

from ledger.server import EmbeddedServer, ServerError

LOOK_S: Final = 0.1


class Database:
    """Watched from a thread of its own, as loading a large log may take longer than children can wait."""

    def __init__(self, server: EmbeddedServer, say: Callable[[str], None]) -> None:
        self._server = server
        self._say = say
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="database", daemon=True)

    def start(self) -> None:
        """Raises ServerError."""
        self._server.start()
        how = "attached to the running server" if self._server.attached else "started"
        self._say(f"{how}, pid {self._server.pid}: {self._server.home}, fsync always")
        self._thread.start()

    def stop(self) -> None:
        """Raises ServerError."""
        self._done.set()
        self._thread.join(timeout=1.0)
        self._server.stop(deadline_s=1.0)
        self._say("stopped")

    def _watch(self) -> None:
        while not self._done.wait(LOOK_S):
            self._server.ease_rewrites()
            if self._server.running():
                continue
            self._say("does not answer: starting it again")
            try:
                self._server.start()
            except (ServerError, RedisError, OSError) as error:
                self._say(str(error))
            else:
                self._say(f"back, pid {self._server.pid}")
