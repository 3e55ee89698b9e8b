"""What a child of the supervisor finds itself to be, told by itself."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path


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


def sleep() -> None:
    time.sleep(60)
