"""A town for stories: a whole Tocsin, and around it every vendor it talks to, each with a log of its own.

The vendors' logs are the truth about what was said and done; `shown` is what an operator sees.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shipped
import smtp_standin
import twilio_standin
import vercel_standin
from site_standin import SiteStandin
from smtp_standin import SmtpStandin
from stage import Stage, until
from twilio_standin import Made, TwilioStandin
from vendor_server import VendorServer
from vercel_standin import VercelStandin

from ledger.views import Store, incidents
from ledger.views.incidents import Wanted

PUBLIC = "https://tocsin.example"
UNLIMITED = "limits: {call: {}, text: {}, message: {}}\n"
"""People are told of every incident by itself, however many there are. The head of oncall.yaml."""
PROJECT = "prj_mariiahub"
"""The Vercel project that our samples are about."""


@dataclass
class Town:
    stage: Stage
    twilio: TwilioStandin
    vercel: VercelStandin
    site: SiteStandin
    mail: SmtpStandin

    def alert(self, service: str, kind: str = "CheckoutFailing", *more: str) -> str:
        """Alertmanager reports something of a service; nothing repairs it. Returns the event's id."""
        labels = ("--set", f"alerts.0.labels.service={service}", "--set", f"alerts.0.labels.alertname={kind}")
        return self.stage.send("alertmanager", "firing", *labels, *more)

    def incident(self, service: str) -> str:
        """The id of the one incident of this service, as soon as there is one."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [row["id"] for row in incidents.page(self.store, Wanted(service=service), 10).rows]
            return bool(found)

        until(look, 20, self.stage.output)
        assert len(found) == 1, found
        return found[0]

    def shown(self, incident_id: str) -> dict[str, Any]:
        """What `tocsin incidents show` prints, read in this process: it is asked often."""
        whole = self.store.whole(incident_id)
        assert whole, incident_id
        return incidents.detail(whole)

    def until_status(self, incident_id: str, status: str, within_s: float = 20) -> dict[str, Any]:
        until(lambda: self.shown(incident_id)["status"] == status, within_s, lambda: self.told(incident_id))
        return self.shown(incident_id)

    def told(self, incident_id: str) -> str:
        """The timeline, for whoever reads a failed test."""
        return "\n".join(f"{one['at']} {one['what']}" for one in self.shown(incident_id)["timeline"])

    def calls(self, incident_id: str) -> list[Made]:
        """Phones that rang for it, by Twilio's own log."""
        return self._made(incident_id, "Calls")

    def texts(self, incident_id: str) -> list[Made]:
        return self._made(incident_id, "Messages")

    def until_called(self, incident_id: str, number: int = 1, within_s: float = 20) -> list[Made]:
        """All calls, once there are so many."""
        until(lambda: len(self.calls(incident_id)) >= number, within_s, lambda: self.told(incident_id))
        return self.calls(incident_id)

    def until_texted(self, incident_id: str, said: str, to: set[str]) -> None:
        """Each of these numbers got an SMS with these words, for this incident, once."""

        def got() -> list[str]:
            return sorted(made.to for made in self.texts(incident_id) if said in made.text and made.to in to)

        until(lambda: set(got()) >= to, 20, lambda: self.told(incident_id))
        assert got() == sorted(to), [made.text for made in self.texts(incident_id)]

    def _made(self, incident_id: str, resource: str) -> list[Made]:
        ours = f"/callbacks/twilio/status/{incident_id}-d"
        return [
            made for made in self.twilio.made if made.resource == resource and ours in made.status_callback
        ]

    @property
    def store(self) -> Store:
        return Store(self.stage.redis, self.stage.keys, self.stage.data_dir / "archive.db")


@contextmanager
def town(
    room: Path, config: Mapping[str, str] | None = None, limits: str = UNLIMITED, **variables: str
) -> Iterator[Town]:
    """A ready one. `config`: file name -> text instead of the shipped one; mail's port is filled in.

    `limits`: the head of oncall.yaml. `variables` of the environment come before a town's own.
    """
    with (
        TwilioStandin(auth_token=twilio_standin.AUTH_TOKEN) as twilio,
        VercelStandin(project=PROJECT) as vercel,
        SiteStandin(live=lambda: vercel.live) as site,
        SmtpStandin(security="starttls", auth=True, room=room) as mail,
    ):
        named = ("channels.yaml", "oncall.yaml", "severity.yaml")
        texts = {**{name: shipped.files()[f"config/{name}"] for name in named}, **(config or {})}
        # What `Town.alert` reports is of the service it says, not of the checkout.
        texts["severity.yaml"] = changed(
            texts["severity.yaml"], ("    service: checkout\n    reason", "    # its own\n    reason")
        )
        texts["oncall.yaml"] = limits + texts["oncall.yaml"]
        texts["channels.yaml"] = changed(
            texts["channels.yaml"], ("port: 587", f"port: {mail.port}\n      ca_file: {mail.ca_file}")
        )
        stage = Stage(room, {**environ(twilio, vercel, site), **variables}, texts)
        twilio.receiver = stage.url
        try:
            yield Town(stage.start(), twilio, vercel, site, mail)
        finally:
            stage.clear()


def changed(text: str, *pairs: tuple[str, str]) -> str:
    """The text with each pair's first replaced by its second. Raises AssertionError when it is not there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def environ(twilio: TwilioStandin, vercel: VercelStandin, site: VendorServer) -> dict[str, str]:
    """What makes a town talk to these; the mail server's port is in channels.yaml."""
    return {
        "TOCSIN_PUBLIC_URL": PUBLIC,
        "TOCSIN_ALLOW_PRIVATE": "true",
        "TOCSIN_SITE_URL": site.url,
        "VERCEL_TOKEN": vercel_standin.TOKEN,
        "VERCEL_BASE_URL": vercel.url,
        "VERCEL_STATUS_BASE_URL": vercel.url,
        "TWILIO_ACCOUNT_SID": twilio_standin.ACCOUNT_SID,
        "TWILIO_API_KEY": twilio_standin.API_KEY,
        "TWILIO_API_SECRET": twilio_standin.API_SECRET,
        "TWILIO_FROM_NUMBER": twilio_standin.FROM,
        "TWILIO_BASE_URL": twilio.url,
        "TWILIO_CALLS_PER_S": "1000",
        "TWILIO_AUTH_TOKEN": twilio.auth_token,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_USERNAME": smtp_standin.USER,
        "SMTP_PASSWORD": smtp_standin.PASSWORD,
        "SMTP_FROM": "tocsin@example.com",
    }
