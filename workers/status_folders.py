"""Status pages that upkeep keeps up to date: days go by, names change, a folder may have been emptied."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import redis
import structlog

from ledger import catalogue, policies
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.views import status_page
from routing.errors import DeliveryError
from routing.policy import Channel, Policy, StatusPage
from workers import credentials

EVERY_S: Final = 30.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class StatusFolders:
    client: redis.Redis
    keys: Keys
    environ: Mapping[str, str]

    def round(self) -> None:
        """Refresh them all. Raises redis.RedisError."""
        policy = policies.current(self.client, self.keys)
        page = policy.process.status_page if policy and policy.process else None
        if policy is not None and page is not None:
            for channel in _told(policy, page):
                self._refresh(channel, page)

    def _refresh(self, channel: Channel, page: StatusPage) -> None:
        module = catalogue.channel(channel.vendor)
        resolved = credentials.resolve(channel.settings, self.environ)
        if resolved.missing:
            return
        try:
            settings = credentials.build(module.Settings, resolved)
            module.refresh(settings, lambda: documents(self.client, self.keys, page))  # type: ignore[attr-defined]
        except (DeliveryError, ValueError) as error:
            _log.warning("status page not refreshed", channel=channel.name, error=str(error))


def _told(policy: Policy, page: StatusPage) -> list[Channel]:
    """The channels of the page that can be refreshed."""
    names = {name.partition(":")[0] for _, name in page.places}
    ways = [each for name, each in policy.channels.items() if name in names]
    return [each for each in ways if hasattr(catalogue.channel(each.vendor), "refresh")]


def documents(client: redis.Redis, keys: Keys, page: StatusPage) -> status_page.Documents:
    """As it is now. Raises redis.RedisError."""
    return status_page.documents(page, status_page.records(client, keys), now_ms())
