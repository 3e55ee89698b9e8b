"""Mail that came back: the mailboxes it comes back to are read, and each report of a mail of ours becomes a receipt.

Nothing is deleted. A report that was understood is marked as read, so that what is unread is what nobody understood.
Reading a report twice, by two processes or after a death, changes nothing: a delivery fails once.
"""

from collections.abc import Mapping
from typing import Final

import redis
import structlog
from msgspec.structs import replace

from ledger import catalogue, mailboxes, policies, tally
from ledger import log as ledger_log
from ledger.clock import now_ms
from ledger.keys import Keys
from ledger.mailboxes import Reading
from routing.entry import Lane, Receipt
from routing.errors import ActionError
from routing.instant import DAY
from routing.policy import Channel
from workers import credentials, delivery_report
from workers.deadline import Deadline
from workers.delivery_report import Report
from workers.mailbox import Folder, Mailbox, opened

EVERY_S: Final = 60.0
TIMEOUT_S: Final = 60.0
MOST: Final = 200
"""Mails of one round; the next goes on."""

log = structlog.get_logger(__name__)


class Bounces:
    """`environ` holds the passwords."""

    def __init__(
        self, client: redis.Redis, keys: Keys, environ: Mapping[str, str], timeout_s: float = TIMEOUT_S
    ) -> None:
        self._client = client
        self._keys = keys
        self._environ = environ
        self._timeout_s = timeout_s

    def round(self) -> None:
        """Look at every mailbox once. Raises RedisError."""
        policy = policies.current(self._client, self._keys)
        if policy is None:
            return
        read = {channel.name for channel in policy.channels.values() if self._look(channel)}
        for name in mailboxes.all_of(self._client, self._keys).keys() - read:
            mailboxes.forget(self._client, self._keys, name)

    def _look(self, channel: Channel) -> bool:
        """Whether there is a mailbox to be looked at."""
        if not channel.bounces:
            return False
        before = mailboxes.of(self._client, self._keys, channel.name)
        try:
            mailbox = self._mailbox(channel)
            if not mailbox.host:
                return False
            self._read(channel.name, mailbox)
        except (ActionError, KeyError, ValueError) as error:
            self._failed(channel.name, str(error))
        else:
            self._well(channel.name, before)
        return True

    def _mailbox(self, channel: Channel) -> Mailbox:
        """Raises KeyError, ValueError."""
        resolved = credentials.resolve(channel.bounces, self._environ)
        if resolved.missing:
            raise ValueError(f"{', '.join(resolved.missing)} not set; upkeep needs it in its environment")
        model = getattr(catalogue.channel(channel.vendor), "Bounces", None)
        if model is not Mailbox:
            raise ValueError(f"{channel.vendor} reports in no mailbox")
        return Mailbox.model_validate(credentials.build(Mailbox, resolved))

    def _read(self, channel: str, mailbox: Mailbox) -> None:
        """Raises ActionError, RedisError."""
        with opened(mailbox, Deadline(self._timeout_s)) as folder:
            for uid in self._unread(channel, folder)[:MOST]:
                report = delivery_report.read(folder.fetch(uid))
                if report is not None:
                    self._keep(channel, report)
                    folder.mark_read(uid)
                place = Reading(validity=folder.validity, uid=uid)
                mailboxes.keep(self._client, self._keys, channel, place)

    def _unread(self, channel: str, folder: Folder) -> list[int]:
        """UIDs, oldest first. Where we have not read before, or the server counts anew: those of the last two days."""
        known = mailboxes.of(self._client, self._keys, channel)
        if known.validity != folder.validity:
            return folder.since(now_ms() - DAY)
        return folder.after(known.uid)

    def _keep(self, channel: str, report: Report) -> None:
        tally.count(
            self._client,
            self._keys,
            "tocsin_bounces_total",
            channel=channel,
            outcome=report.status or "other",
        )
        if not report.status:
            return
        entry = Receipt(
            at=now_ms(), by="mailbox", delivery=report.delivery, status=report.status, provider_id=report.name,
            detail=report.detail,
        )  # fmt: skip
        ledger_log.append(self._client, self._keys, Lane.CONTROL, entry)

    def _well(self, channel: str, before: Reading) -> None:
        if before.failing_since:
            log.info("mail that comes back can be read again", channel=channel)
        known = mailboxes.of(self._client, self._keys, channel)
        mailboxes.keep(self._client, self._keys, channel, replace(known, failing_since=0, reason=""))

    def _failed(self, channel: str, reason: str) -> None:
        tally.count(self._client, self._keys, "tocsin_bounces_total", channel=channel, outcome="failed")
        known = mailboxes.of(self._client, self._keys, channel)
        if known.reason != reason:
            log.warning("mail that comes back cannot be read", channel=channel, reason=reason)
        since = known.failing_since or now_ms()
        mailboxes.keep(self._client, self._keys, channel, replace(known, failing_since=since, reason=reason))
