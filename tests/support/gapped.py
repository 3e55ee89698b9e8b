"""A source whose vendor is asked for what we missed: a desk, a real receiver before it, and upkeep that asks."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import reception
import shipped
import yaml
from desk import Desk
from reception import SECRETS, Reception
from small_policy import POLICY

from ledger import gaps, policies
from ledger.clock import now_ms
from ledger.gaps import Gap
from routing.entry import Signal
from routing.load import load
from routing.policy import Policy
from workers.gaps import Gaps

URL = "STANDIN_URL"


def publish(desk: Desk, source: str, vendor: str, poll: Mapping[str, Any], **more: Any) -> None:
    """Put into force that this source's vendor is asked so; {}: not at all. Where it is, is a variable: `URL`."""
    files, desk.policy = _written(source, vendor, json.dumps(dict(poll)), json.dumps(more))
    policies.publish(desk.client, desk.keys, files, shipped.vendors(), desk.policy, "test")


@cache
def _written(source: str, vendor: str, poll: str, more: str) -> tuple[dict[str, str], Policy]:
    files = shipped.files()
    file = yaml.safe_load(files["config/sources.yaml"])
    for each in file["sources"].values():
        each.pop("poll", None)
    secret = f"${{{vendor.upper()}_WEBHOOK_SECRET}}"
    known = file["sources"].get(source, {"vendor": vendor, "secrets": [secret], "team": "platform"})
    asked = {"poll": {**json.loads(poll), "base_url": f"${{{URL}}}"}} if json.loads(poll) else {}
    file["sources"][source] = {**known, **json.loads(more), **asked}
    files["config/sources.yaml"] = yaml.safe_dump(file)
    return files, load(files, shipped.vendors())


class Asking:
    """`look()` is one round of upkeep's, so many ms after the last one."""

    def __init__(self, desk: Desk, front: Reception, source: str, environ: Mapping[str, str]) -> None:
        self.passed_ms = 0
        self.desk = desk
        self.front = front
        self.source = source
        self.environ = environ
        self._gaps = self.another("upkeep-1")

    def another(self, name: str) -> Gaps:
        desk = self.desk
        return Gaps(
            desk.client, desk.keys, self.environ, name, self.front.url,
            clock=lambda: now_ms() + self.passed_ms, timeout_s=2,
        )  # fmt: skip

    def look(self, after_ms: int = 0) -> Gap:
        self.passed_ms += after_ms
        self._gaps.round()
        return self.gap

    @property
    def gap(self) -> Gap:
        return gaps.of(self.desk.client, self.desk.keys, self.source)

    def signals(self, source: str = "") -> list[Signal]:
        """What is in the log of this source."""
        entries = [entry for entry in self.front.entries() if isinstance(entry, Signal)]
        return [entry for entry in entries if entry.event.source == (source or self.source)]


@contextmanager
def asking(
    redis_url: str, data: Path, source: str, vendor: str, poll: Mapping[str, Any], url: str,
    environ: Mapping[str, str] = SECRETS, **more: Any,
) -> Iterator[Asking]:  # fmt: skip
    """`url`: where the vendor is. `environ`: what upkeep is given besides."""
    desk = Desk(redis_url, data, POLICY)
    publish(desk, source, vendor, poll, **more)
    with reception.running(desk.client, redis_url, policy=desk.policy) as front:
        yield Asking(desk, front, source, {**environ, URL: url})
    desk.leave()
