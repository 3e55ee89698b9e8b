"""`tocsin watchdog` as it runs, before stand-ins of Twilio and of a mail server: who is told, when, how often."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import twilio_standin
from commands import Running, running
from embedded import kill, running_server
from small_policy import firing
from smtp_standin import PASSWORD, USER, SmtpStandin
from twilio_standin import TwilioStandin
from vendor_server import VendorServer
from working import until

from ledger import log, policies
from ledger.catalogue import catalogue
from ledger.connection import connect
from ledger.keys import Keys
from ledger.lease import Lease
from ledger.server import EmbeddedServer
from ledger.settings import LedgerSettings
from routing.entry import Lane
from routing.instant import MINUTE
from workers.env_file import PREFIXES

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]
CONFIG = Path(__file__).parents[2] / "config"
WITHIN_S = 60
"""As promised, though the stall here is shorter than the default of 20 s."""


@dataclass
class World:
    """What the watchdog lives among. Its policy is published, and somebody decides until told otherwise."""

    room: Path
    server: EmbeddedServer
    twilio: TwilioStandin
    mail: SmtpStandin
    outside: VendorServer
    keys: Keys

    def watchdog(self) -> AbstractContextManager[Running]:
        return running(self.room, self.server.url, "watchdog", **self.environ)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "TOCSIN_STALL_MS": "1500",
            "TOCSIN_HEARTBEAT_URL": f"{self.outside.url}/ping",
            "TOCSIN_HEARTBEAT_MS": "1",
            "TWILIO_ACCOUNT_SID": twilio_standin.ACCOUNT_SID,
            "TWILIO_API_KEY": twilio_standin.API_KEY,
            "TWILIO_API_SECRET": twilio_standin.API_SECRET,
            "TWILIO_FROM_NUMBER": twilio_standin.FROM,
            "TWILIO_BASE_URL": self.twilio.url,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_FROM": "tocsin@example.com",
            "SMTP_USERNAME": USER,
            "SMTP_PASSWORD": PASSWORD,
        }

    def deciding(self, ttl_ms: int = 10 * MINUTE) -> Lease:
        with connect(LedgerSettings(redis_url=self.server.url)) as client:
            held = Lease(client, self.keys, ttl_ms=ttl_ms)
            held.acquire()
            return held

    def append(self) -> None:
        with connect(LedgerSettings(redis_url=self.server.url)) as client:
            log.append(client, self.keys, Lane.URGENT, firing())

    def well(self) -> None:
        """The watchdog has looked, found nothing, and knows whom to reach without Redis."""
        until(lambda: self.outside.calls, WITHIN_S, "the outside heartbeat")

    def looked(self, times: int) -> None:
        """The watchdog has judged so often from now on: once a look it asks for the end of each lane."""
        with connect(LedgerSettings(redis_url=self.server.url)) as client:

            def asked() -> int:
                stats: dict[str, dict[str, int]] = client.info("commandstats")
                return stats.get("cmdstat_xrevrange", {"calls": 0})["calls"]

            before = asked()
            until(lambda: asked() > before + times * len(Lane), WITHIN_S, "the watchdog to look")

    def told(self) -> list[str]:
        """What reached the last-resort contact: the vendor's resource, or the subject of a mail."""
        return [made.resource for made in self.twilio.made] + [
            str(each.message["Subject"]) for each in self.mail.mails
        ]

    def pages(self, count: int) -> str:
        """Wait for so many rounds over every way; returns what the last call said."""
        until(
            lambda: (len(self._calls()), len(self.mail.mails)) >= (count, count), WITHIN_S, f"{count} pages"
        )
        assert {made.to for made in self.twilio.made} == {"+48500000004"}
        assert self.mail.mails[-1].recipients == ["cto@example.com"]
        return self._calls()[-1]

    def _calls(self) -> list[str]:
        return [made.text for made in self.twilio.made if made.resource == "Calls"]

    def written(self) -> str:
        return (self.room / "last-resort.log").read_text()


@pytest.fixture
def world(tmp_path: Path, keys: Keys) -> Iterator[World]:
    with _vendors(tmp_path) as (twilio, mail, outside), running_server() as server:
        with connect(LedgerSettings(redis_url=server.url)) as client:
            policies.settle(
                client, keys, _config(tmp_path, mail), dict.fromkeys(PREFIXES, "made-up"), catalogue()
            )
            client.delete(keys.log(Lane.CONTROL))  # as if it were decided: nothing waits
        yield World(tmp_path, server, twilio, mail, outside, keys)


@contextmanager
def _vendors(room: Path) -> Iterator[tuple[TwilioStandin, SmtpStandin, VendorServer]]:
    with (
        TwilioStandin() as twilio,
        SmtpStandin(security="starttls", auth=True, room=room) as mail,
        VendorServer() as out,
    ):
        yield twilio, mail, out


def _config(room: Path, mail: SmtpStandin) -> Path:
    """The shipped one, whose last resort is also told by mail, and whose mail server is the stand-in."""
    folder = Path(shutil.copytree(CONFIG, room / "config"))
    people, ways = folder / "oncall.yaml", folder / "channels.yaml"
    people.write_text(
        people.read_text().replace(
            "address: cto@example.com}\n    page: {SEV-0: [phone, sms]",
            "address: cto@example.com}\n    page: {SEV-0: [phone, sms, mail]",
        )
    )
    ways.write_text(
        ways.read_text().replace("port: 587", f"port: {mail.port}\n      ca_file: {mail.ca_file}")
    )
    return folder


def test_when_dispatch_stands_still_phone_sms_and_mail_say_so_and_the_heartbeat_goes_quiet(
    world: World,
) -> None:
    world.deciding()
    with world.watchdog() as dog:
        world.well()
        began = time.monotonic()
        world.append()
        assert "dispatch stands still" in world.pages(1)
        assert time.monotonic() - began < WITHIN_S
        quiet = len(world.outside.calls)
        assert sorted(world.told())[:2] == ["Calls", "Messages"]
        assert "dispatch stands still" in world.mail.mails[0].part("plain")
        assert "dispatch stands still" in world.written()
        assert "LAST RESORT" in dog.printed()
    assert len(world.outside.calls) == quiet


def test_when_all_workers_are_dead_it_is_said_before_any_event_waits(world: World) -> None:
    with world.watchdog():
        assert "no worker decides" in world.pages(1)
    assert world.outside.calls == []


def test_with_redis_gone_and_the_watchdog_started_anew_what_is_on_disk_is_enough(world: World) -> None:
    world.deciding()
    with world.watchdog() as dog:
        world.well()
        os.kill(dog.process.pid, signal.SIGKILL)
    kill(world.server)
    with world.watchdog():
        assert "Redis has not answered" in world.pages(1)
    secrets = (twilio_standin.API_SECRET, PASSWORD)
    kept = (
        world.written()
        + (world.room / "watchdog.json").read_text()
        + (world.room / "watchdog.txt").read_text()
    )
    assert not [secret for secret in secrets if secret in kept]


def test_a_watchdog_that_starts_again_does_not_say_again_what_it_said(world: World) -> None:
    with world.watchdog() as dog:
        world.pages(1)
        until(lambda: '"said":{"dispatch"' in (world.room / "watchdog.json").read_text(), WITHIN_S)
        os.kill(dog.process.pid, signal.SIGKILL)
    heard = world.told()
    with world.watchdog():
        world.looked(3)
        assert world.told() == heard
        world.deciding()
        until(lambda: len(world.mail.mails) == 2, WITHIN_S, "the end of it to be said")
        assert "well again" in world.mail.mails[1].part("plain")
        until(lambda: len(world.twilio.made) == 3, WITHIN_S)
    assert [made.resource for made in world.twilio.made] == ["Calls", "Messages", "Messages"]
    assert world.outside.calls
