"""The machine a result comes from, and which of its cores each process may use."""

import os
import platform
import shutil
import statistics
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cores:
    """The server under test has a core of its own; load and database share the other, as in every row."""

    server: frozenset[int]
    others: frozenset[int]

    @classmethod
    def of_this_machine(cls) -> "Cores":
        if not hasattr(os, "sched_getaffinity"):
            return cls(frozenset(), frozenset())
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) == 1:
            return cls(frozenset(cores), frozenset(cores))
        return cls(frozenset(cores[1:2]), frozenset(cores[:1]))

    def __str__(self) -> str:
        if not self.server:
            return "not pinned: this system cannot"
        return f"server under test on core {min(self.server)}, load and database on core {min(self.others)}"


CORES = Cores.of_this_machine()


def pin(pid: int, cores: frozenset[int]) -> None:
    """Keep a process and all its threads on these cores, where the system can."""
    if not cores:
        return
    threads = Path(f"/proc/{pid}/task")
    for thread in [int(path.name) for path in threads.iterdir()] if threads.exists() else [pid]:
        os.sched_setaffinity(thread, cores)


def resident_mb(pid: int) -> float:
    """Memory a process holds now (VmRSS), in MB; 0 where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kb = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")), "0")
    return int(kb) / 1024


def held_mb(pid: int) -> float:
    """As `resident_mb`, with its part of what it shares with others (Pss): of several processes these add up."""
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("Pss:"))) / 1024
    return resident_mb(pid)


def processor_s(pid: int) -> float:
    """Seconds of a core that a process has taken so far; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def first_line(*command: str) -> str:
    if not shutil.which(command[0]):
        return "not installed"
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return ((shown.stdout or shown.stderr).splitlines() or ["?"])[0].strip()


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def memory_gb() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GB"
    except (ValueError, OSError):
        return "unknown"


def fsyncs(folder: Path, size: int, every_s: float, seconds: float) -> list[float]:
    """How long each fdatasync took, in s, of a file that grows by `size` bytes every `every_s`."""
    took, until = [], time.perf_counter() + seconds
    with (folder / "fsync-probe").open("wb", buffering=0) as probe:
        while time.perf_counter() < until:
            probe.write(b"x" * size)
            began = time.perf_counter()
            os.fdatasync(probe.fileno())
            took.append(time.perf_counter() - began)
            time.sleep(max(0.0, began + every_s - time.perf_counter()))
    (folder / "fsync-probe").unlink()
    return took


def _fsync_ms(folder: Path) -> float:
    """Median time of one fdatasync of 4 KB: what every acknowledgement waits for."""
    return statistics.median(fsyncs(folder, 4096, 0, 0.5)) * 1000


def describe(folder: Path) -> list[str]:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"{os.cpu_count()} x {processor()}, {memory_gb()}, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, fdatasync {_fsync_ms(folder):.2f} ms (median)",
        f"pinning: {CORES}",
        f"load average at the start: {load} (anything above 0.5 blurs every number below)",
    ]
