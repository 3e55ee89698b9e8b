"""The stand-ins as processes of their own: what they did is on disk, whoever dies."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import twilio_standin
from notices import notice
from vendor_server import read_log

from routing.errors import DeliveryError
from routing.ports import Step
from workers.actions import http, vercel
from workers.channels import email, twilio_sms

SUPPORT = Path(__file__).parents[1] / "support"


@contextmanager
def alone(name: str, *arguments: str) -> Iterator[str]:
    """The address it says on its first line."""
    command = [sys.executable, str(SUPPORT / f"{name}.py"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def told(url: str, what: str, given: object) -> object:
    request = Request(f"{url}/_standin/{what}", json.dumps(given).encode(), method="POST")  # noqa: S310  # loopback
    with urlopen(request, timeout=5) as found:  # noqa: S310
        return json.load(found)


def step(**settings: str) -> Step:
    return Step(settings={"allow_private": "true", **settings}, timeout_s=5.0, idempotency_key="", now=0)


def test_twilio_keeps_its_own_log_of_what_it_took_and_what_it_refused(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"
    with alone("twilio_standin", "--log", str(log)) as url:
        told(url, "misbehave", [{"twice": True}])
        given = twilio_standin.settings(url)
        sent = twilio_sms.send(notice(), twilio_sms.Settings(**given), 5.0)
        told(url, "misbehave", [{"status": 503}])
        with pytest.raises(DeliveryError, match="503"):
            twilio_sms.send(notice(delivery="INC-1-d2"), twilio_sms.Settings(**given), 5.0)
        assert told(url, "made", {})[0]["sid"] == sent.provider_id  # type: ignore[index]
    assert [(call.status, call.done) for call in read_log(log)] == [(201, True), (503, False)]
    assert "Site is down" in read_log(log)[0].form["Body"]
    assert "authorization" not in read_log(log)[0].headers


def test_the_site_follows_what_vercel_has_live(tmp_path: Path) -> None:
    log = tmp_path / "vercel.jsonl"
    with (
        alone("vercel_standin", "--log", str(log)) as vercel_url,
        alone("site_standin", "--vercel", vercel_url, "--bad", "dpl_bad") as site_url,
    ):
        look = http.Probe(url=site_url, count=1)
        assert not http.probe(step(), look)["ok"]
        wanted = vercel.Rollback(project="prj_1", to="dpl_good")
        vercel.rollback(step(token="standin-vercel-token", base_url=vercel_url), wanted)
        assert http.probe(step(), look)["ok"]
    assert [call.path for call in read_log(log) if call.method == "POST"] == [
        "/v1/projects/prj_1/rollback/dpl_good"
    ]


def test_the_mail_server_keeps_its_own_log(tmp_path: Path) -> None:
    log = tmp_path / "mails.jsonl"
    with alone("smtp_standin", "--log", str(log)) as url:
        port = int(url.rpartition(":")[2])
        settings = email.Settings(
            host="127.0.0.1", port=port, security="none", from_address="tocsin@example.com"
        )
        email.send(notice(to="anna@example.com"), settings, 5.0)
    (kept,) = map(json.loads, log.read_text().splitlines())
    assert re.fullmatch(r"<INC-1-d1\.a1\.[0-9a-f]{16}@example\.com>", kept["id"])
