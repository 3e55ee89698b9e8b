"""TCP: does anybody take a connection at a host and port, and how soon. Nothing is sent.

Settings: allow_private (true lets hosts lead to private and loopback addresses, as for http).
"""

import socket
from contextlib import closing
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import addresses
from workers.addresses import ForbiddenAddressError, Guard
from workers.deadline import Deadline
from workers.journal import note

TITLE = "TCP"
SETTINGS = ("allow_private",)


class Connect(BaseModel):
    """`max_ms` 0: however slow, within the step's timeout."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$", json_schema_extra={"x-literal": True})
    port: int = Field(ge=1, le=65_535)
    max_ms: int = Field(default=0, ge=0, le=60_000)


def connect(step: Step, params: Connect) -> dict[str, Any]:
    """A port that nobody answers at is a result, not an error; so is a name that does not resolve.

    {"ok", "connected", "error", "address": which of the host's it was, "ms": of the connection alone}
    """
    deadline = Deadline(step.timeout_s)
    guard = Guard(allow_private=step.settings.get("allow_private") == "true")
    where = f"{params.host}:{params.port}"
    try:
        found = addresses.resolve(params.host, params.port, guard)
        begun_ms = deadline.passed_ms
        with closing(addresses.connect(found, params.port, deadline)) as connected:
            address, took_ms = _address(connected), deadline.passed_ms - begun_ms
    except ForbiddenAddressError as error:
        raise ActionError(str(error), outcome=Outcome.REFUSED) from error
    except (OSError, UnicodeError) as error:
        note(f"TCP {where} failed")
        return _told(str(error) or type(error).__name__, "", deadline.passed_ms, connected=False)
    note(f"TCP {where} connected")
    late = params.max_ms and took_ms > params.max_ms
    ailment = f"took {took_ms} ms, more than {params.max_ms}" if late else ""
    return _told(ailment, address, took_ms, connected=True)


def _address(connected: socket.socket) -> str:
    return str(connected.getpeername()[0])


def _told(error: str, address: str, ms: int, *, connected: bool) -> dict[str, Any]:
    return {"ok": not error, "connected": connected, "error": error, "address": address, "ms": ms}


def _plan(_: Step, params: Connect) -> dict[str, Any]:
    return {"would": {"connect": f"{params.host}:{params.port}"}}


ACTIONS = {
    "connect": Action(params=Connect, mutates=False, run=connect, plan=_plan),
}
