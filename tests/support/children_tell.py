"""What a child of the supervisor finds itself to be, told by itself."""

import atexit
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from ledger import policies
from routing.schema import yaml_marks


def main() -> None:
    told = {
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "leader": os.getsid(0) == os.getpid(),
        "name": Path("/proc/self/comm").read_text().strip(),
        "offset": time.localtime().tm_gmtoff,
        "threads": sorted(each.name for each in threading.enumerate()),
        "stdin": sys.stdin.read(),
        "sigchld": signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL,
        "open": len([each for each in Path("/proc/self/fd").iterdir() if each.exists()]),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sleep()


def end() -> None:
    """With words, a status, and something left to do: by a thread that is not waited for, and at the very end."""
    atexit.register(sys.stdout.write, "tidied up")
    threading.Thread(target=_work).start()
    sys.exit(int(sys.argv[1]) if sys.argv[1:] else "it has had enough")


def parse() -> None:
    """How many texts of the folder it was told of had been parsed before it was made, and how many not."""
    before = yaml_marks._read.cache_info()
    for name, text in policies.read_files(Path(sys.argv[1])).items():
        yaml_marks.read(name, text)
    after = yaml_marks._read.cache_info()
    sys.stdout.write(f"known {after.hits - before.hits}, new {after.misses - before.misses}\n")


def _work() -> None:
    time.sleep(0.1)
    sys.stdout.write("the thread is done\n")


def sleep() -> None:
    time.sleep(60)
