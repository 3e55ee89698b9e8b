"""What is done about mail that does not arrive, as it ships: a site that Vercel really builds anew, names, a test mail."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from carrying import Carried
from dns_standin import DnsStandin
from redis import Redis
from resend_standin import KEY, ResendStandin
from vercel_standin import TOKEN, VercelStandin

from ledger.clock import now_ms
from routing.instant import HOUR, MINUTE, SECOND
from routing.run import RunPhase

SWITCH, BUILD = "/v9/projects/prj_1/env/env_1", "/v13/deployments"
ZONE = {
    ("shop.example", "TXT"): ['"v=spf1 include:one.example include:other.example -all"'],
    ("shop.example", "MX"): ["10 mail.shop.example."],
}


class Mail:
    """`event`: what the provider says of the last test mail."""

    def __init__(self, room: Path) -> None:
        self._file = room / "event"

    @property
    def program(self) -> dict[str, Any]:
        code = f"print(open({str(self._file)!r}).read())"
        return {"path": sys.executable, "arguments": ["-I", "-S", "-c", code], "reads": True}

    def last(self, event: str) -> None:
        self._file.write_text(json.dumps({"last_event": event}))


@dataclass
class Around:
    """Everybody who is asked."""

    redis: Redis
    mail: Mail
    vercel: VercelStandin
    names: DnsStandin
    resend: ResendStandin

    def place(self, fallback: str = "other") -> Carried:
        environ = {
            "VERCEL_TOKEN": TOKEN, "VERCEL_BASE_URL": self.vercel.url, "TOCSIN_ALLOW_PRIVATE": "true",
            "TOCSIN_SITE_URL": "https://shop.example", "MAIL_STATUS_PAGE": self.vercel.url,
            "MAIL_FALLBACK_PROVIDER": fallback, "RESEND_API_KEY": KEY, "RESEND_BASE_URL": self.resend.url,
        }  # fmt: skip
        edits = {
            "actions.yaml": (
                ("programs: {}", f"programs: {json.dumps({'mail-test': self.mail.program})}"),
                ("  dns:   ", f'  dns:\n    nameservers: "{self.names.at}"\n   '),
            )
        }
        return Carried(self.redis, environ, edits)


@pytest.fixture
def around(redis: Redis, tmp_path: Path) -> Iterator[Around]:
    """The site sends through the provider "one", which bounces."""
    mail = Mail(tmp_path)
    mail.last("bounced")
    with VercelStandin() as vercel, DnsStandin(ZONE) as names, ResendStandin() as resend:
        chosen = {"id": "env_1", "key": "EMAIL_PROVIDER", "type": "plain", "value": "one", "updatedAt": 1}
        vercel.project.env = [{**chosen, "target": ["production"]}]
        for event in ("bounced", "delivered", "delivered", "delivered"):
            resend.mail(event, now_ms())
        yield Around(redis, mail, vercel, names, resend)


def test_mail_goes_out_through_the_other_provider_once_the_site_is_built_anew(around: Around) -> None:
    at, vercel = around.place(), around.vercel
    at.alert("MailDeliveryFailing", project="prj_1")
    while BUILD not in vercel.changes:
        assert at.simulation.step(at.simulation.now + HOUR), at.incident.tried
    assert (vercel.project.env[0]["value"], at.incident.paged) == ("other", [])
    at.passes(2 * MINUTE)
    vercel.finish(vercel.project.deployments[0].uid)
    around.mail.last("delivered")
    assert at.run("mail-failover").phase is RunPhase.SUCCEEDED
    assert vercel.changes == [SWITCH, BUILD]
    assert "see what became of one" in at.incident.followups[0].text


@pytest.mark.parametrize(
    ("event", "fallback", "spf", "why"),
    [
        ("delivered", "other", True, "must not be delivered"),
        ("bounced", "", True, "another provider must be set up"),
        ("bounced", "one", True, "another provider must be set up"),
        ("bounced", "other", False, "(SPF)"),
    ],
)
def test_nothing_is_switched_where_it_would_not_help_and_a_person_gets_what_was_seen(
    around: Around, event: str, fallback: str, spf: bool, why: str
) -> None:
    around.mail.last(event)
    around.vercel.indicator = "minor"
    if not spf:
        around.names.zone["shop.example", "TXT"] = ['"site-verification=1"']
    at = around.place(fallback)
    at.alert("MailBouncing", project="prj_1")
    run = at.run("mail")
    assert (run.phase, around.vercel.changes) == (RunPhase.HANDED_OVER, [])
    assert why in at.incident.tried
    text = at.incident.followups[0].text
    assert (
        "says minor of itself, and 25.0 % of the last hour's mail came to nobody; MX NOERROR, SPF NOERROR, DKIM NXDOMAIN"
        in text
    )
    assert at.found(run, "exchangers")["answers"] == ["10 mail.shop.example"]
    at.passes(10 * SECOND)
    assert at.incident.paged
