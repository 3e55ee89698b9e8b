"""How the supervisor's children begin; one alone: `python -m workers.child module:function [arguments]`.

A child ends when its supervisor does, even by kill -9: it reads a pipe whose other end only the supervisor
holds, and the end of that pipe is the supervisor's.
"""

import atexit
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Final, NoReturn

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


def live(pipe: int, target: str, arguments: Sequence[str]) -> NoReturn:
    """Be the supervisor's: end with the pipe, and run `target`, "module:function".

    At its end nothing is taken apart: each object that is let go would first be copied from what all children share.
    """
    end_with(pipe)
    status = _status(target, arguments)
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  # waits for threads, as every process does
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it is gone
            stream.flush()
    os._exit(status)


def _status(target: str, arguments: Sequence[str]) -> int:
    """Its exit status, as Python would have it."""
    try:
        run(target, arguments)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)  # noqa: T201  # what it says as it ends
        return 1
    except BaseException:  # noqa: BLE001  # nobody is above who could handle it
        traceback.print_exc()
        return 1
    return 0


def run(target: str, arguments: Sequence[str]) -> None:
    logs.configure()
    module, _, function = target.partition(":")
    sys.argv = [target, *arguments]
    getattr(import_module(module), function)()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2:])
