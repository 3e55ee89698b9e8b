"""For real: Vercel and Twilio stand in, the site really recovers or does not, phones really are rung."""

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from stage import ROOT, Stage, stage, until
from vendor import Asked, Reply, Vendor, serving

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("repair")]

SID, KEY = "AC" + "0" * 32, "SK" + "1" * 32


class World:
    """A site that is up while a good deployment is live, at a Vercel that really switches."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.live = "dpl_bad"
        self.healthy = {"dpl_good"}
        self.rollbacks: list[str] = []
        self.calls: list[dict[str, str]] = []
        self.texts: list[dict[str, str]] = []

    def site(self, _asked: Asked) -> Reply:
        return Reply(200 if self.live in self.healthy else 503, b"ok")

    def vercel(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer vercel-token":
            return Reply(403, {"error": {"code": "forbidden"}})
        if asked.path.endswith("/summary.json"):
            return Reply(200, {"status": {"indicator": "none", "description": "fine"}})
        if asked.path.endswith("/deployments"):
            now = int(time.time() * 1000)
            deployments = [
                {"uid": uid, "url": f"{uid}.vercel.app", "state": "READY", "created": now - age * 60_000,
                 "isRollbackCandidate": uid == "dpl_good", "creator": {"username": "dora"},
                 "target": "production", "readySubstate": "PROMOTED"}
                for uid, age in (("dpl_bad", 5), ("dpl_good", 500))
            ]  # fmt: skip
            return Reply(200, {"deployments": deployments, "pagination": {"next": None}})
        with self.lock:
            if "/rollback/" in asked.path and asked.method == "POST":
                self.live = asked.path.rpartition("/")[2]
                self.rollbacks.append(self.live)
                return Reply(201, {})
            alias = {"jobStatus": "succeeded", "toDeploymentId": self.live, "type": "rollback",
                     "requestedAt": int(time.time() * 1000)} if self.rollbacks else None  # fmt: skip
            return Reply(
                200, {"id": "prj", "targets": {"production": {"id": self.live}}, "lastAliasRequest": alias}
            )

    def twilio(self, asked: Asked) -> Reply:
        if asked.user != f"{KEY}:twilio-secret" or not {"To", "From"} <= asked.form.keys():
            return Reply(401, {"code": 20003})
        kind = self.calls if asked.path.endswith("Calls.json") else self.texts
        kind.append(asked.form)
        return Reply(
            201, {"sid": ("CA" if kind is self.calls else "SM") + f"{len(kind):032x}", "status": "queued"}
        )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def town(tmp_path: Path, world: World) -> Iterator[Stage]:
    with ExitStack() as stack:
        site = stack.enter_context(serving(world.site))
        vercel = stack.enter_context(serving(world.vercel))
        twilio = stack.enter_context(serving(world.twilio))
        status = stack.enter_context(
            serving(lambda _: Reply(200, {"status": {"indicator": "none", "description": "fine"}}))
        )
        yield stack.enter_context(_stage(tmp_path, site, vercel, twilio, status))


def _stage(tmp_path: Path, site: Vendor, vercel: Vendor, twilio: Vendor, status: Vendor) -> Any:
    runbook = (ROOT / "config/runbooks/rollback.yaml").read_text()
    for old, new in (
        ("every_ms: 1000", "every_ms: 50"), ("every: 15s", "every: 1s"), ("for: 2m", "for: 2s"),
        ("deadline: 5m", "deadline: 4s"),
    ):  # fmt: skip
        assert old in runbook
        runbook = runbook.replace(old, new)
    common = (ROOT / "config/tocsin.yaml").read_text().replace("hold: 5m", "hold: 20s")
    environ = {
        "TOCSIN_ALLOW_PRIVATE": "true", "TOCSIN_SITE_URL": site.url, "VERCEL_STATUS_BASE_URL": status.url,
        "VERCEL_TOKEN": "vercel-token", "VERCEL_BASE_URL": vercel.url,
        "TWILIO_ACCOUNT_SID": SID, "TWILIO_API_KEY": KEY, "TWILIO_API_SECRET": "twilio-secret",
        "TWILIO_FROM_NUMBER": "+15005550006", "TWILIO_BASE_URL": twilio.url,
        "TWILIO_AUTH_TOKEN": "auth-token", "TOCSIN_PUBLIC_URL": "https://tocsin.example",
    }  # fmt: skip
    return stage(tmp_path, environ, {"runbooks/rollback.yaml": runbook, "tocsin.yaml": common})


def the_incident(town: Stage) -> dict[str, Any]:
    found = json.loads(town.tocsin("incidents", "show", "INC-1", "--json").stdout or "{}")
    assert isinstance(found, dict)
    return found


def break_api(town: Stage) -> None:
    """A SEV-1 of the service the deployment belongs to."""
    assert town.tocsin("send", "vercel", "deployment.succeeded").returncode == 0
    done = town.tocsin("send", "alertmanager", "firing", "--set", "alerts.0.labels.service=site")
    assert done.returncode == 0, done.stderr


def test_a_repaired_major_failure_wakes_nobody(town: Stage, world: World) -> None:
    break_api(town)
    until(lambda: the_incident(town).get("status") == "resolved", 30, lambda: str(the_incident(town)))
    incident = the_incident(town)
    assert incident["resolved_by"] == "runbook rollback"
    assert world.rollbacks == ["dpl_good"]
    assert world.calls == []
    assert incident["paged"] == []
    assert "promote" in incident["followups"][0]["text"]


def test_what_is_not_repaired_rings_the_phone_and_a_signed_key_acknowledges(
    town: Stage, world: World
) -> None:
    world.healthy = set()
    break_api(town)
    until(lambda: world.calls, 40, lambda: str(the_incident(town)))
    assert "Roll back production" in the_incident(town)["tried"]
    call = world.calls[0]
    assert "Severity 1" in call["Twiml"]
    path = urllib.parse.urlsplit(call["StatusCallback"]).path.replace("/status/", "/gather/")
    assert twilio_says(town, path, {"CallSid": "CA1", "Digits": "4"}, token="wrong") in {401, 403}
    assert twilio_says(town, path, {"CallSid": "CA1", "Digits": "4"}) == 200
    until(lambda: the_incident(town)["status"] == "acknowledged", 10, town.output)
    until(lambda: [text for text in world.texts if "acknowledged" in text["Body"]], 10, town.output)
    assert len(world.calls) == 1


def twilio_says(town: Stage, path: str, form: dict[str, str], token: str = "auth-token") -> int:
    """Post a callback signed as Twilio signs: the public URL, then names and values in order."""
    signed = f"https://tocsin.example{path}" + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    body = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(town.url + path, body, {"X-Twilio-Signature": signature})  # noqa: S310
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
