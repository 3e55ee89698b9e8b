"""A console whose API can be asked, before a store in which there is one of everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import seeing
from desk import Desk
from seeing import Seen
from small_policy import POLICY

from console.trust.acts import Role, Scope
from ledger import accounts, dead, sandbox
from ledger.clock import now_ms
from ledger.dead import DeadLetter, Kind
from ledger.sandbox import Unsent
from routing.delivery import Purpose
from routing.severity import Severity

V1 = "/api/v1"
PAYLOAD = "<script>alert(1)</script> \u202e\x1b[31m ${HOME} {{7*7}}"


@dataclass
class World:
    """`admin` is a token that may do everything, without end."""

    desk: Desk
    seen: Seen
    admin: str

    def client(self, token: str) -> httpx2.Client:
        """Knows where the API is, and says this token; "" says none."""
        client = httpx2.Client(trust_env=False, timeout=15, verify=False)
        client.base_url = httpx2.URL(self.seen.url + V1)
        if token:
            client.headers["authorization"] = f"Bearer {token}"
        return client

    def get(self, path: str, **query: Any) -> Any:
        with self.client(self.admin) as client:
            answer = client.get(path, params=query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        with self.client(self.admin) as client:
            answer = client.post(path, json=body)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()


@contextmanager
def world(url: str, data: Path) -> Iterator[World]:
    """With the shipped configuration in force, and somebody who decides."""
    desk = Desk(url, data, POLICY)
    desk.publish()
    with desk.folding(), seeing.console(seeing.site(url, data)) as seen:
        admin = seen.token("admin", Role.ADMIN, *Scope, per_minute=1_000_000)
        yield World(desk, seen, admin)


def furnish(at: World) -> dict[str, str]:
    """One of everything. Returns what stands for each parameter of a path."""
    for severity in ("SEV-1", "SEV-2", "SEV-3"):
        at.post("/incidents", {"title": f"Checkout is slow {PAYLOAD}", "severity": severity}, 201)
    run = at.post("/runbooks/slow-site/run", {"incident": "INC-1"})
    silence = at.post("/silences", {"matchers": ['service="nothing"'], "for": "8h", "reason": "test"}, 201)
    override = at.post("/oncall/overrides", {"schedule": "primary", "contact": "ben"}, 201)
    trial = at.post("/contacts/anna/test", {"channel": "sms"})
    bury(at.desk)
    delivery = at.get("/incidents/INC-1")["deliveries"][0]["id"]
    return {
        "id": "INC-1", "run": "INC-1-r1", "silence": silence["silence"], "override": override["override"],
        "trial": trial["trials"][0],
        "letter": "dl-refused", "delivery": delivery, "name": "stripe", "contact": "anna", "channel": "email",
        "said": str(run["said"]), "user": "zoe", "session": accounts.digest(at.seen.session("zoe"))[:12],
    }  # fmt: skip


def bury(desk: Desk) -> None:
    letters = [
        DeadLetter(id="dl-refused", kind=Kind.REFUSED, at=now_ms(), why=f"not JSON {PAYLOAD}", source="stripe",
                   raw=b"\x00\xff" + PAYLOAD.encode(), headers={"stripe-signature": "[redacted]"}, traceback="Traceback"),
        DeadLetter(id="dl-lost", kind=Kind.UNDELIVERED, at=now_ms(), why="gone", subject="INC-1-d1", incident="INC-1"),
    ]  # fmt: skip
    for each in letters:
        dead.bury_now(desk.client, desk.keys, each)
    unsent = Unsent(
        at=now_ms(), delivery="INC-1-d1", attempt=1, incident="INC-1", contact="anna", channel="voice",
        vendor="twilio_voice", to="+48500000000", purpose=Purpose.PAGE, severity=Severity.SEV1, fields={"To": PAYLOAD},
    )  # fmt: skip
    sandbox.keep(desk.client, desk.keys, unsent)
