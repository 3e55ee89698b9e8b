"""What every process is told by its environment about where things are kept."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_ENVIRON = os.environ  # noqa: TID251 - settings modules are where the environment is read


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """`redis_url` is kept out of `repr()`: it may hold a password."""

    config_dir: Path = Path("config")
    """`TOCSIN_CONFIG`."""
    data_dir: Path = Path("var")
    """`TOCSIN_DATA`: the embedded server's files, the archive, runtime locks."""
    redis_url: str = field(default="", repr=False)
    """`TOCSIN_REDIS_URL`: redis://, rediss:// or unix://; "" is the embedded server under `data_dir`."""
    allow_weak: bool = False
    """`TOCSIN_ALLOW_WEAK_DURABILITY`: start although the server's settings break a promise."""
    wait_replicas: int = 0
    """`TOCSIN_WAIT_REPLICAS`: a 202 waits until this many replicas have it on their disks too."""
    max_memory: str = "0"
    """`TOCSIN_REDIS_MAXMEMORY`: of the embedded server, as Redis writes it ("2gb"); "0" is no limit.

    At the limit the server refuses writes and the receiver answers 503: nothing is ever evicted.
    """

    @property
    def embedded(self) -> bool:
        return not self.redis_url

    @property
    def archive(self) -> Path:
        """The archive's file."""
        return self.data_dir / "archive.db"


def from_env(environ: Mapping[str, str] = _ENVIRON) -> LedgerSettings:
    """Raises ValueError naming the variable when one cannot be read."""
    return LedgerSettings(
        config_dir=Path(environ.get("TOCSIN_CONFIG") or "config"),
        data_dir=Path(environ.get("TOCSIN_DATA") or "var"),
        redis_url=environ.get("TOCSIN_REDIS_URL", "").strip(),
        allow_weak=_flag(environ, "TOCSIN_ALLOW_WEAK_DURABILITY"),
        wait_replicas=_count(environ, "TOCSIN_WAIT_REPLICAS"),
        max_memory=environ.get("TOCSIN_REDIS_MAXMEMORY") or "0",
    )


def clock_file(environ: Mapping[str, str] = _ENVIRON) -> Path | None:
    """`TOCSIN_CLOCK_FILE`: a file holding an offset in ms, for rehearsals and tests only."""
    found = environ.get("TOCSIN_CLOCK_FILE", "")
    return Path(found) if found else None


def _flag(environ: Mapping[str, str], name: str) -> bool:
    found = environ.get(name, "").strip().lower()
    if found in {"", "0", "no", "false", "off"}:
        return False
    if found in {"1", "yes", "true", "on"}:
        return True
    raise ValueError(f"{name}: {found!r} is neither yes nor no; write 1 or 0")


def _count(environ: Mapping[str, str], name: str) -> int:
    found = environ.get(name, "").strip() or "0"
    if not found.isdigit():
        raise ValueError(f"{name}: {found!r} is not a number; write 0, 1, 2, ...")
    return int(found)


def environment() -> Mapping[str, str]:
    """The whole environment, for who must check that the secrets the configuration names are set."""
    return _ENVIRON
