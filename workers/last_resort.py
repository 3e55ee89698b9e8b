"""The last resort: reaching one person when the rest of Tocsin cannot, with what is kept on local disk.

Names of secrets are kept, not secrets; they are in this process's environment.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from ledger import catalogue
from routing.delivery import Message, Purpose
from routing.instant import iso
from routing.policy import Channel, Method, Policy, Secret
from routing.ports import Notification
from routing.record import Record, decode, encode
from routing.severity import Severity
from workers import credentials, redaction

FILE: Final = "watchdog.json"
LOG: Final = "last-resort.log"
RETRY_MS: Final = 60_000
"""After this long it is tried again when no way worked."""

logger = structlog.get_logger(__name__)


class Way(Record, frozen=True, kw_only=True):
    """One way to the person. In `settings` a secret stands as {"$": [name, default]}."""

    channel: str
    vendor: str
    address: str
    timeout_ms: int
    settings: dict[str, Any]


class Memory(Record, frozen=True, kw_only=True):
    """All that survives without Redis. `said`: trouble -> ms it was last said."""

    contact: str = ""
    ways: list[Way] = []
    again_ms: int = 0
    said: dict[str, int] = {}


class LastResort:
    """Reads its memory from `data_dir`. Raises OSError when that cannot be read."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str], again_ms: int) -> None:
        self._file = data_dir / FILE
        self._log = data_dir / LOG
        self._environ = environ
        self.memory = _load(self._file) or Memory(again_ms=again_ms)

    def learn(self, policy: Policy) -> None:
        """Keep whom the policy in force names, and how to reach them."""
        contact = policy.contacts.get(policy.last_resort)
        methods = (contact.by_severity.get(Severity.SEV0) or contact.methods) if contact else ()
        ways = [_way(policy.channels[method.channel], method) for method in methods]
        self._keep(
            Memory(
                contact=policy.last_resort,
                ways=ways,
                again_ms=policy.last_resort_every_ms,
                said=self.memory.said,
            )
        )

    def tell(self, troubles: Mapping[str, str], now: int) -> None:
        """Say what is new or was last said long ago; say so when all is well again."""
        said = self.memory.said
        due = [
            kind for kind in troubles if now - said.get(kind, -self.memory.again_ms) >= self.memory.again_ms
        ]
        if due:
            text = "; ".join(troubles.values())
            failed = self._say("Tocsin itself is in trouble", text, Purpose.PAGE, now)
            said_at = now - max(0, self.memory.again_ms - RETRY_MS) if failed else now
            self._remember(dict.fromkeys(troubles, said_at))
        elif said and not troubles:
            self._say("Tocsin is well again", f"over: {', '.join(sorted(said))}", Purpose.UPDATE, now)
            self._remember({})

    def _say(self, title: str, text: str, purpose: Purpose, now: int) -> bool:
        """Every way at once. True when all that were tried failed: then it is soon to be tried again."""
        self._write(f"{iso(now)} {title}: {text}")
        failed = 0
        for way in self.memory.ways:
            try:
                self._send(way, _notification(way, title, text, purpose, now))
            except Exception as error:  # noqa: BLE001  # the next way must be tried, whatever this one died of
                failed += 1
                self._write(f"{iso(now)} {way.channel} failed: {redaction.error(error)}")
        return 0 < failed == len(self.memory.ways)

    def _send(self, way: Way, notification: Notification) -> None:
        module = catalogue.channel(way.vendor)
        if notification.purpose is Purpose.UPDATE and module.VOICE:
            return
        resolved = credentials.resolve(_unpacked(way.settings), self._environ)
        if resolved.missing:
            self._write(f"{way.channel} cannot be used: {', '.join(resolved.missing)} not set")
            return
        settings = credentials.build(module.Settings, resolved)
        module.send(notification, settings, way.timeout_ms / 1000)
        self._write(f"told {self.memory.contact} over {way.channel}")

    def _write(self, line: str) -> None:
        """The disk may be what is broken: standard error in any case."""
        sys.stderr.write(f"LAST RESORT {line}\n")
        try:
            with self._log.open("a") as out:
                out.write(f"{line}\n")
        except OSError as error:
            sys.stderr.write(f"LAST RESORT {self._log} cannot be written: {error.strerror}\n")

    def _remember(self, said: dict[str, int]) -> None:
        memory = self.memory
        self._keep(Memory(contact=memory.contact, ways=memory.ways, again_ms=memory.again_ms, said=said))

    def _keep(self, memory: Memory) -> None:
        if memory == self.memory and self._file.exists():
            return
        self.memory = memory
        fresh = self._file.with_suffix(".new")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:  # noqa: PTH123
                out.write(encode(memory))
            fresh.replace(self._file)
        except OSError as error:
            logger.warning(
                "what the last resort needs cannot be kept", file=str(self._file), error=str(error)
            )


def _load(file: Path) -> Memory | None:
    try:
        return decode(Memory, file.read_bytes())
    except (OSError, ValueError) as error:
        if file.exists():
            logger.warning("the last resort's memory cannot be read", file=str(file), error=str(error))
        return None


def _way(channel: Channel, method: Method) -> Way:
    settings: dict[str, Any] = _packed(dict(channel.settings))
    return Way(
        channel=channel.name,
        vendor=channel.vendor,
        address=method.address,
        timeout_ms=channel.timeout_ms,
        settings=settings,
    )


def _packed(found: Any) -> Any:
    if isinstance(found, Secret):
        return {"$": [found.name, found.default]}
    if isinstance(found, dict):
        return {name: _packed(item) for name, item in found.items()}
    return [_packed(item) for item in found] if isinstance(found, list) else found


def _unpacked(found: Any) -> Any:
    if isinstance(found, dict):
        if found.keys() == {"$"}:
            return Secret(*found["$"])
        return {name: _unpacked(item) for name, item in found.items()}
    return [_unpacked(item) for item in found] if isinstance(found, list) else found


def _notification(way: Way, title: str, text: str, purpose: Purpose, now: int) -> Notification:
    return Notification(
        delivery=f"watchdog-{now}",
        incident="",
        to=way.address,
        purpose=purpose,
        severity=Severity.SEV0,
        message=Message(title=title, body=text, speech=f"{title}. {text}."),
        attempt=1,
        repeat=False,
        ack_url="",
        callback_url="",
    )
