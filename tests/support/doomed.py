"""A town that is going to be killed again and again: real processes, stand-in vendors, settings that hurry."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import shipped
from embedded import DistributionServer, kill, running_server
from smtp_standin import SmtpStandin
from stage import Stage, stage
from town import UNLIMITED, changed
from town import environ as town_environ
from twilio_standin import TwilioStandin
from vercel_team import VercelTeam

from ledger.server import EmbeddedServer

MANY = "{per_hour: 1000, per_day: 1000}"
"""A budget for as many outages as there are."""
HURRIED = (
    ("url: /api/health-check", 'url: "/site/{{ incident.labels.project }}"'),
    ("incident.suspect.project", "incident.labels.project"),
    ("limits: {", f"limits: {{everywhere: {MANY}, "),
    ("every_ms: 1000", "every_ms: 20"), ("every: 15s", "every: 1s"), ("for: 2m", "for: 1s"),
)  # fmt: skip
"""The rollback of a project of the team's, with short waits."""
SETTLE_MS = 1_500
"""How long a rollback takes at the stand-in: one asked for twice would be asked for while the first is under way."""


@dataclass
class Doomed:
    town: Stage
    twilio: TwilioStandin
    smtp: SmtpStandin
    vercel: VercelTeam
    server: EmbeddedServer | None
    """The database, where it is not the embedded one."""

    def restart_server(self) -> None:
        assert self.server is not None
        kill(self.server)
        self.server.start()


@contextmanager
def doomed(
    room: Path, environ: Mapping[str, str], *, distribution: bool, retire: bool = True
) -> Iterator[Doomed]:
    """A ready one. `distribution`: on the distribution's Redis instead of the embedded server.

    `retire`: what is over moves to the archive while the test runs.
    """
    with ExitStack() as stack:
        vercel = stack.enter_context(VercelTeam(log=room / "vercel.jsonl", settle_ms=SETTLE_MS))
        twilio = stack.enter_context(TwilioStandin(log=room / "twilio.jsonl"))
        smtp = stack.enter_context(
            SmtpStandin(security="starttls", auth=True, log=room / "mails.jsonl", room=room)
        )
        server = None
        if distribution:
            server = stack.enter_context(running_server(room / "redis", DistributionServer))
        told = {
            **town_environ(twilio, vercel, vercel),
            **environ,
            "TOCSIN_REDIS_URL": server.url if server else "",
        }
        (room / "town").mkdir()
        town = stack.enter_context(stage(room / "town", told, _config(smtp, retire)))
        twilio.receiver = town.url
        yield Doomed(town, twilio, smtp, vercel, server)


def _config(smtp: SmtpStandin, retire: bool) -> dict[str, str]:
    """The shipped files with short waits, as deaths are many; each outage is a service of its own.

    No post-mortem is owed, as that keeps an incident out of the archive.
    """
    changes: dict[str, list[tuple[str, str]]] = {
        "runbooks/rollback.yaml": [
            ('kind=~"SiteDown|SiteUnreachable|HighErrorRate"', 'kind="SiteDown"'),
            *HURRIED,
            *((f"timeout: {seconds}s", "timeout: 3s") for seconds in (10, 15, 20, 30)),
        ],
        "runbooks/site-redeploy.yaml": [("mode: auto", 'mode: "off"')],
        "runbooks/outage.yaml": [("mode: auto", 'mode: "off"')],
        "channels.yaml": [
            ("port: 587", f"port: {smtp.port}\n      ca_file: {smtp.ca_file}"),
            *((f"timeout: {seconds}s", "timeout: 5s") for seconds in (10, 15)),
        ],
        "process.yaml": [("severity: [SEV-0, SEV-1]", "severity: [SEV-4]")],
        "oncall.yaml": [("contacts:\n  anna:", f"{UNLIMITED}contacts:\n  anna:")],
        "severity.yaml": [("    service: site\n    team: platform\n", "    team: platform\n")],
        "tocsin.yaml": [
            ("max_running: 3", f"max_running: 50\nruns: {MANY}"),
            *([("retire_after: 7d", "retire_after: 10s")] if retire else []),
        ],
    }  # fmt: skip
    texts = shipped.files()
    return {name: changed(texts[f"config/{name}"], *pairs) for name, pairs in changes.items()}
