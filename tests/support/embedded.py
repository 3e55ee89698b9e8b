"""A real server for tests, configured exactly as in production: the embedded one, or the distribution's Redis."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.server import EmbeddedServer

DISTRIBUTION = shutil.which("redis-server") or ""
"""A second implementation, where one is installed."""


class DistributionServer(EmbeddedServer):
    """The same settings, another server."""

    def _command(self) -> list[str]:
        return [DISTRIBUTION, *super()._command()[1:]]


class TlsServer(DistributionServer):
    """It also listens on a port, with TLS; the key lies beside the certificate. Ours has no TLS."""

    def __init__(self, data_dir: Path, *, certificate: Path, port: int) -> None:
        super().__init__(data_dir)
        self._certificate = certificate
        self._port = port

    def tls_url(self, user: str, password: str) -> str:
        """Trusts its certificate, and no other."""
        return f"rediss://{user}:{password}@127.0.0.1:{self._port}/0?ssl_ca_certs={self._certificate}"

    def _command(self) -> list[str]:
        files = [str(self._certificate), "--tls-key-file", str(self._certificate.with_suffix(".key"))]
        return [
            *super()._command(), "--tls-port", str(self._port), "--tls-cert-file", *files,
            "--tls-ca-cert-file", str(self._certificate), "--tls-auth-clients", "no",
        ]  # fmt: skip


@contextmanager
def running_server(
    data_dir: Path | None = None, kind: Callable[[Path], EmbeddedServer] = EmbeddedServer
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
