"""What the worker processes are told by their environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ledger.env_file import where
from ledger.settings import LedgerSettings
from ledger.settings import from_env as ledger_from_env

_ENVIRON = os.environ  # noqa: TID251  # settings modules are where the environment is read


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Every variable that this package reads, besides the secrets that the configuration names."""

    ledger: LedgerSettings
    env_file: Path = Path(".env")
    """`TOCSIN_ENV_FILE`: development secrets, written on the first start."""
    heartbeat_url: str = field(default="", repr=False)
    """`TOCSIN_HEARTBEAT_URL`: pinged while all is well, so that somebody outside misses us."""
    heartbeat_ms: int = 30_000
    """`TOCSIN_HEARTBEAT_MS`: how often."""
    stall_ms: int = 20_000
    """`TOCSIN_STALL_MS`: no progress for this long is a stall; the watchdog acts."""
    again_ms: int = 300_000
    """`TOCSIN_WATCHDOG_AGAIN_MS`: a trouble that lasts is said again this often, where no policy says."""
    receiver_host: str = "127.0.0.1"
    """`TOCSIN_RECEIVER_HOST`, `TOCSIN_RECEIVER_PORT`: where the supervisor's receiver listens."""
    receiver_port: int = 8080
    front_door: str = ""
    """`TOCSIN_FRONT_DOOR`: the receiver's address, where what we missed is handed in; unless given, that of the two."""
    console: bool = True
    """`TOCSIN_CONSOLE`: off, and `tocsin up` starts no console."""
    console_url: str = "http://127.0.0.1:8081"
    """`TOCSIN_CONSOLE_URL`, else where it listens: what is said when all is ready."""
    probes: bool = False
    """`TOCSIN_PROBES`: on, and the probes of probes.yaml are carried out. Trying Tocsin looks at nobody's site."""

    @property
    def receiver(self) -> str:
        """The receiver's address for our own workers."""
        host = "127.0.0.1" if self.receiver_host in {"0.0.0.0", "::"} else self.receiver_host  # noqa: S104  # not to bind
        return self.front_door or f"http://{host}:{self.receiver_port}"


def environment() -> Mapping[str, str]:
    return _ENVIRON


def from_env(environ: Mapping[str, str] = _ENVIRON) -> WorkerSettings:
    """Raises ValueError naming the variable when one cannot be read."""
    return WorkerSettings(
        ledger=ledger_from_env(environ),
        env_file=where(environ),
        heartbeat_url=environ.get("TOCSIN_HEARTBEAT_URL", "").strip(),
        heartbeat_ms=_milliseconds(environ, "TOCSIN_HEARTBEAT_MS", 30_000),
        stall_ms=_milliseconds(environ, "TOCSIN_STALL_MS", 20_000),
        again_ms=_milliseconds(environ, "TOCSIN_WATCHDOG_AGAIN_MS", 300_000),
        receiver_host=environ.get("TOCSIN_RECEIVER_HOST") or "127.0.0.1",
        receiver_port=_port(environ, "TOCSIN_RECEIVER_PORT", 8080),
        front_door=environ.get("TOCSIN_FRONT_DOOR", "").strip(),
        console=_switch(environ, "TOCSIN_CONSOLE", default="on"),
        console_url=environ.get("TOCSIN_CONSOLE_URL", "").strip() or _console(environ),
        probes=_switch(environ, "TOCSIN_PROBES"),
    )


def _milliseconds(environ: Mapping[str, str], name: str, default: int) -> int:
    found = environ.get(name, "").strip()
    if not found:
        return default
    if not found.isdigit() or int(found) == 0:
        raise ValueError(f"{name}: {found!r} is not a number of milliseconds; write for example {default}")
    return int(found)


def _console(environ: Mapping[str, str]) -> str:
    host = environ.get("TOCSIN_CONSOLE_HOST") or "127.0.0.1"
    return f"http://{host}:{_port(environ, 'TOCSIN_CONSOLE_PORT', 8081)}"


def _switch(environ: Mapping[str, str], name: str, default: str = "off") -> bool:
    found = environ.get(name, "").strip().lower() or default
    if found not in {"on", "off"}:
        raise ValueError(f"{name}: {found!r} is neither; write on or off")
    return found == "on"


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    found = environ.get(name, "").strip() or str(default)
    if not found.isdigit() or not 0 < int(found) < 65_536:  # noqa: PLR2004  # what TCP has
        raise ValueError(f"{name}: {found!r} is not a port; write for example {default}")
    return int(found)
