"""A town that is going to be killed again and again: real processes, stand-in vendors, settings that hurry."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import twilio_standin
from embedded import DistributionServer, kill, running_server
from smtp_standin import SmtpStandin
from stage import ROOT, Stage, stage
from twilio_standin import TwilioStandin
from vercel_standin import TOKEN
from vercel_team import VercelTeam

from ledger.server import EmbeddedServer

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
def doomed(room: Path, environ: Mapping[str, str], *, distribution: bool) -> Iterator[Doomed]:
    """A ready one. `distribution`: on the distribution's Redis instead of the embedded server."""
    with ExitStack() as stack:
        vercel = stack.enter_context(VercelTeam(log=room / "vercel.jsonl", settle_ms=SETTLE_MS))
        twilio = stack.enter_context(TwilioStandin(log=room / "twilio.jsonl"))
        smtp = stack.enter_context(SmtpStandin(log=room / "mails.jsonl"))
        server = None
        if distribution:
            server = stack.enter_context(running_server(room / "redis", DistributionServer))
        told = {**_environ(vercel, twilio), **environ, **({"TOCSIN_REDIS_URL": server.url} if server else {})}
        (room / "town").mkdir()
        town = stack.enter_context(stage(room / "town", told, _config(vercel, smtp)))
        twilio.receiver = town.url
        yield Doomed(town, twilio, smtp, vercel, server)


def _environ(vercel: VercelTeam, twilio: TwilioStandin) -> dict[str, str]:
    return {
        "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_PUBLIC_URL": "https://tocsin.example",
        "VERCEL_TOKEN": TOKEN, "VERCEL_BASE_URL": vercel.url,
        "TOCSIN_SITE_URL": vercel.url, "VERCEL_STATUS_BASE_URL": vercel.url,
        "TWILIO_ACCOUNT_SID": twilio_standin.ACCOUNT_SID, "TWILIO_API_KEY": twilio_standin.API_KEY,
        "TWILIO_API_SECRET": twilio_standin.API_SECRET, "TWILIO_FROM_NUMBER": twilio_standin.FROM,
        "TWILIO_BASE_URL": twilio.url, "TWILIO_AUTH_TOKEN": twilio_standin.AUTH_TOKEN,
        "SMTP_HOST": "127.0.0.1", "SMTP_FROM": "tocsin@example.com",
    }  # fmt: skip


def _config(vercel: VercelTeam, smtp: SmtpStandin) -> dict[str, str]:
    """The shipped files, but for addresses, and with short waits: deaths are many."""
    return {
        "runbooks/rollback.yaml": _edited(
            "runbooks/rollback.yaml",
            ('kind=~"SiteDown|SiteUnreachable|HighErrorRate"', 'kind="SiteDown"'),
            ("url: /api/health-check", 'url: "/site/{{ incident.labels.project }}"'),
            ("incident.suspect.project", "incident.labels.project"),
            ("every_ms: 1000", "every_ms: 20"),
            ("timeout: 30s", "timeout: 3s"), ("timeout: 20s", "timeout: 3s"), ("timeout: 15s", "timeout: 3s"),
            ("timeout: 10s", "timeout: 3s"), ("every: 15s", "every: 1s"), ("for: 2m", "for: 1s"),
        ),
        "channels.yaml": _edited(
            "channels.yaml",
            ("port: 587", f"port: {smtp.port}"), ("starttls", "none"),
            ("timeout: 10s", "timeout: 5s"), ("timeout: 15s", "timeout: 5s"),
        ),
        "severity.yaml": _edited("severity.yaml", ("    service: site\n    team: platform\n", "    team: platform\n")),
        "tocsin.yaml": _edited("tocsin.yaml", ("retire_after: 7d", "retire_after: 10s"), ("max_running: 3", "max_running: 50")),
    }  # fmt: skip


def _edited(name: str, *changes: tuple[str, str]) -> str:
    text = (ROOT / "config" / name).read_text()
    for old, new in changes:
        assert old in text, f"config/{name} does not hold {old!r}"
        text = text.replace(old, new)
    return text
