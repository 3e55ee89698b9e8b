"""The distribution's own Redis as the server under test, run as carefully as the embedded one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.server import EmbeddedServer

BINARY = shutil.which("redis-server") or ""


class DistributionServer(EmbeddedServer):
    """Another implementation behind the same settings."""

    def _command(self) -> list[str]:
        return [BINARY, *super()._command()[1:]]


@contextmanager
def distribution_server(data_dir: Path) -> Iterator[DistributionServer]:
    server = DistributionServer(data_dir)
    server.start()
    try:
        yield server
    finally:
        server.stop()
