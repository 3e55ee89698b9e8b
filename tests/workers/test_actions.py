"""Actions of runbooks against stand-ins that hold state and refuse as the vendors do."""

from collections.abc import Iterator
from typing import Any

import pytest
from vendor import Asked, Reply, Vendor, serving

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Step
from workers.actions import http, vendor_status, vercel

NOW = 1_764_000_000_000


class VercelState:
    """Deployments that really switch."""

    def __init__(self) -> None:
        self.live = "dpl_bad"
        self.rollbacks = 0

    def __call__(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer tok":
            return Reply(403, {"error": {"code": "forbidden", "message": "Not authorized"}})
        if asked.path.endswith("/deployments"):
            deployments = [self._deployment("dpl_bad", 12), self._deployment("dpl_good", 500)]
            return Reply(200, {"deployments": deployments, "pagination": {"next": None}})
        if "/rollback/" in asked.path:
            self.rollbacks += 1
            self.live = asked.path.rpartition("/")[2]
            return Reply(201, {})
        project = {
            "id": "prj_1",
            "targets": {"production": {"id": self.live}},
            "lastAliasRequest": self._alias(),
        }
        return Reply(200, project)

    def _deployment(self, uid: str, minutes: int) -> dict[str, Any]:
        return {
            "uid": uid, "url": f"{uid}.vercel.app", "state": "READY", "created": NOW - minutes * 60_000,
            "isRollbackCandidate": uid == "dpl_good", "creator": {"username": "dora"}, "target": "production",
            "readySubstate": "PROMOTED",
        }  # fmt: skip

    def _alias(self) -> dict[str, Any] | None:
        if not self.rollbacks:
            return None
        return {"jobStatus": "succeeded", "toDeploymentId": self.live, "type": "rollback", "requestedAt": NOW}


@pytest.fixture
def state() -> VercelState:
    return VercelState()


@pytest.fixture
def vendor(state: VercelState) -> Iterator[Vendor]:
    with serving(state) as server:
        yield server


def step(vendor: Vendor, token: str = "tok", **changes: Any) -> Step:
    settings = {"base_url": vendor.url, "token": token, "allow_private": "true"}
    return Step(settings=settings, timeout_s=2.0, idempotency_key="", now=NOW, **changes)


def run(module: Any, name: str, at: Step, **params: Any) -> dict[str, Any]:
    action = module.ACTIONS[name]
    found: dict[str, Any] = action.run(at, action.params(**params))
    return found


def test_deployments_tell_what_is_live_how_old_and_where_back_to(vendor: Vendor) -> None:
    found = run(vercel, "deployments", step(vendor), project="prj_1")
    assert found["current"]["uid"] == "dpl_bad"
    assert found["current"]["age_minutes"] == 12
    assert found["candidate"]["uid"] == "dpl_good"


def test_a_rollback_asked_for_twice_is_done_once(vendor: Vendor, state: VercelState) -> None:
    assert run(vercel, "rollback", step(vendor), project="prj_1", to="dpl_good")["requested"]
    assert run(vercel, "rollback", step(vendor), project="prj_1", to="dpl_good")["already"]
    assert (state.live, state.rollbacks) == ("dpl_good", 1)


def test_the_kill_switch_is_asked_right_before_the_call(vendor: Vendor, state: VercelState) -> None:
    with pytest.raises(ActionError) as refused:
        run(vercel, "rollback", step(vendor, allowed=lambda: False), project="prj_1", to="dpl_good")
    assert refused.value.outcome is Outcome.REFUSED
    assert state.rollbacks == 0


def test_a_wrong_token_is_permanent_and_not_shown(vendor: Vendor) -> None:
    with pytest.raises(ActionError) as refused:
        run(vercel, "deployments", step(vendor, token="secret-token"), project="prj_1")
    assert refused.value.outcome is Outcome.PERMANENT
    assert "secret-token" not in str(refused.value)


def test_a_probe_counts_failures_and_a_private_address_is_refused_unless_allowed() -> None:
    with serving(lambda _: Reply(503, b"down")) as site:
        found = run(http, "probe", step(site), url=site.url, count=3, every_ms=1)
        assert (found["ok"], found["failures"]) == (False, 3)
        guarded = Step(settings={}, timeout_s=2.0, idempotency_key="", now=NOW)
        with pytest.raises(ActionError):
            run(http, "get_json", guarded, url=site.url)
        assert len(site.log) == 3


def test_a_vendors_own_status_is_told() -> None:
    summary = {
        "status": {"indicator": "major", "description": "Partial outage"},
        "components": [],
        "incidents": [],
    }
    with serving(lambda _: Reply(200, summary)) as page:
        found = run(vendor_status, "summary", step(page), url=page.url)
    assert found["indicator"] == "major"
