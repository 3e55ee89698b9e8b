"""A real server for tests, configured exactly as in production: the embedded one, or the distribution's Redis."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.server import EmbeddedServer

DISTRIBUTION = shutil.which("redis-server") or ""
"""A second implementation, where one is installed."""


class DistributionServer(EmbeddedServer):
    """The same settings, another server."""

    def _command(self) -> list[str]:
        return [DISTRIBUTION, *super()._command()[1:]]


@contextmanager
def running_server(
    data_dir: Path | None = None, kind: type[EmbeddedServer] = EmbeddedServer
) -> Iterator[EmbeddedServer]:
    """A server of its own for a test that kills it; its data is in `data_dir`, or a temporary one."""
    with tempfile.TemporaryDirectory(prefix="tocsin-test-") as room:
        server = kind(data_dir or Path(room))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def kill(server: EmbeddedServer) -> None:
    """End it as a power cut of its process would: kill -9, and wait until it is gone."""
    os.kill(server.pid, signal.SIGKILL)
    server.await_end()
