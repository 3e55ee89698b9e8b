"""How the supervisor's children begin; one alone: `python -m workers.child module:function [arguments]`.

A child ends when its supervisor does, even by kill -9: it reads a pipe whose other end only the supervisor
holds, and the end of that pipe is the supervisor's.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from ledger import logs

GRACE_S: Final = 4.0


def end_with(pipe: int) -> None:
    """End this process once the pipe ends: in good order, after `GRACE_S` by force."""

    def wait() -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_S)
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def live(pipe: int, target: str, arguments: Sequence[str]) -> None:
    """Be the supervisor's: end with the pipe, and run `target`, "module:function"."""
    end_with(pipe)
    run(target, arguments)


def run(target: str, arguments: Sequence[str]) -> None:
    logs.configure()
    module, _, function = target.partition(":")
    sys.argv = [target, *arguments]
    getattr(import_module(module), function)()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
