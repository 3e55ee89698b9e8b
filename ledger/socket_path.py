"""Where the embedded server's socket lives: in a short, private path, found again from the data directory."""

import hashlib
import os
import socket
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_POINTER = "socket.path"
_LONGEST = 100
"""A Unix socket's path holds 104 bytes on macOS, 108 on Linux, the final zero included."""


def home_of(data_dir: Path) -> Path:
    """Where the server of a data directory keeps its files."""
    return data_dir.resolve() / "redis"


def socket_of(data_dir: Path) -> Path:
    """The socket of the server that keeps its data under `data_dir`, running or not.

    The pointer in the data directory wins: who started the server may have had another temporary directory.
    """
    with suppress(OSError):
        pointed = (home_of(data_dir) / _POINTER).read_text().strip()
        if pointed:
            return Path(pointed)
    return _chosen(data_dir)


def prepare_socket(data_dir: Path) -> Path:
    """Choose the path for a server about to start, make its room, and leave the pointer to it.

    Raises OSError; PermissionError when the room is not private to this user.
    """
    path = _chosen(data_dir)
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    _check_private(path.parent)
    path.unlink(missing_ok=True)
    pointer = home_of(data_dir) / _POINTER
    fresh = pointer.with_suffix(".new")
    fresh.write_text(f"{path}\n")
    fresh.replace(pointer)
    return path


def has_listener(path: Path) -> bool:
    """Whether a server is behind the socket, however busy."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # its queue is full: somebody is there
            return True
    return True


def _chosen(data_dir: Path) -> Path:
    name = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    room = f"tocsin-{os.getuid()}-{name}"
    path = Path(tempfile.gettempdir()) / room / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST:
        return path
    return Path("/tmp") / room / "redis.sock"  # noqa: S108 - checked to be ours alone before it is used


def _check_private(room: Path) -> None:
    """Anybody may create things in the temporary directory, also a room in our name."""
    found = room.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(1, "not a private directory of this user", str(room))
