"""A real server for tests: the embedded one, configured exactly as in production."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.server import EmbeddedServer


@contextmanager
def running_server(data_dir: Path | None = None) -> Iterator[EmbeddedServer]:
    """A server of its own for a test that kills it; its data is in `data_dir`, or a temporary one."""
    with tempfile.TemporaryDirectory(prefix="tocsin-test-") as room:
        server = EmbeddedServer(data_dir or Path(room))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def kill(server: EmbeddedServer) -> None:
    """End it as a power cut of its process would: kill -9, and wait until it is gone."""
    os.kill(server.pid, signal.SIGKILL)
    server.await_end()
