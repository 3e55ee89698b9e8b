"""Vercel, as far as we use it: deployments that really switch, and refusals as Vercel's.

Also serves a Statuspage summary at /api/v2/summary.json. Run it alone:
`python tests/support/vercel_standin.py --port 9002 --log calls.jsonl --project prj_1`.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vendor_server import Asked, Reply, VendorServer, arguments, serve_for_ever
from vercel_firewall import Firewall, MalformedError

TOKEN = "standin-vercel-token"
_CODES = {400: "bad_request", 401: "unauthorized", 402: "payment_required", 403: "forbidden", 404: "not_found",
          409: "conflict", 410: "gone", 422: "unprocessable", 429: "rate_limited"}  # fmt: skip


@dataclass
class Deployment:
    uid: str
    created: int
    candidate: bool = True
    creator: str = "dora"
    state: str = "READY"
    meta: dict[str, str] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    """What its build said."""
    runtime: list[dict[str, Any]] = field(default_factory=list)
    """What it says while it runs."""


@dataclass
class Alias:
    """A rollback or promotion. It takes effect `settles_at`."""

    kind: str
    source: str
    to: str
    requested_at: int
    settles_at: int


@dataclass
class Project:
    id: str
    live: str
    deployments: list[Deployment] = field(default_factory=list)
    auto_assign: bool = True
    alias: Alias | None = None
    firewall: Firewall = field(default_factory=Firewall)
    env: list[dict[str, Any]] = field(default_factory=list)


def deployed(project: str, age_ms: int = 12 * 60_000) -> Project:
    """dpl_bad went live `age_ms` ago, dpl_good was live before."""
    now = _now()
    deployments = [
        Deployment("dpl_bad", now - age_ms, candidate=False),
        Deployment("dpl_good", now - 24 * 3_600_000),
        Deployment("dpl_old", now - 72 * 3_600_000),
    ]
    return Project(project, "dpl_bad", deployments)


class VercelStandin(VendorServer):
    """One project, as `deployed`. `settle_ms`: how long aliases take."""

    def __init__(
        self,
        *,
        port: int = 0,
        log: Path | None = None,
        project: str = "prj_1",
        team: str = "",
        settle_ms: int = 0,
    ) -> None:
        super().__init__(port=port, log=log)
        self.project = deployed(project)
        self.team = team
        self.settle_ms = settle_ms
        self.indicator = "none"
        self.shown_changes: dict[str, Any] = {}
        """Fields that each listed deployment has instead of what it would have."""

    def start_over(self, age_ms: int = 12 * 60_000) -> None:
        """Nothing was asked yet, and dpl_bad went live so long ago."""
        self.calls.clear()
        self.project = deployed(self.project.id, age_ms)

    @property
    def live(self) -> str:
        """The deployment that the production domains lead to now."""
        alias = self.project.alias
        if alias and alias.settles_at <= _now():
            self.project.live = alias.to
        return self.project.live

    @property
    def changes(self) -> list[str]:
        """Paths of what was changed, in order: the truth about how often."""
        return [call.path for call in self.calls if call.done and call.method != "GET"]

    def settings(self, **changes: str) -> dict[str, str]:
        """What an action needs to use it."""
        return {"token": TOKEN, "team_id": self.team, "base_url": self.url, **changes}

    def deploy(self, uid: str, age_ms: int = 0) -> None:
        """A new production deployment goes live, unless a rollback has switched that off."""
        for known in self.project.deployments:
            known.candidate = True
        self.project.deployments.insert(0, Deployment(uid, _now() - age_ms, candidate=False))
        if self.project.auto_assign:
            self.project.live = uid
            self.project.alias = None

    def fault(self, status: int) -> Any:
        return _fault(status)

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/v2/summary.json":
            return Reply(200, self._status_page())
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(403, _fault(403))
        if asked.query.get("teamId", [""])[0] != self.team:
            return Reply(403, _fault(403))
        path = [unquote(part) for part in asked.path.strip("/").split("/")]
        try:
            if path[1] == "security":
                return self._security(asked, path[2:])
            return (
                self._project_of(asked, path) if path[1] == "projects" else self._deployment_of(asked, path)
            )
        except (MalformedError, json.JSONDecodeError):
            return Reply(400, _fault(400))
        except LookupError:
            return Reply(404, _fault(404))

    def _project_of(self, asked: Asked, path: list[str]) -> Reply:
        match asked.method, path:
            case "GET", ["v9", _, self.project.id]:
                return Reply(200, self._project())
            case "POST", ["v1", _, self.project.id, "rollback", uid]:
                return self._rollback(uid)
            case "POST", ["v10", _, self.project.id, "promote", uid]:
                return self._promote(uid)
            case "GET", ["v10", _, self.project.id, "env"]:
                return Reply(200, {"envs": self.project.env})
            case "PATCH", ["v9", _, self.project.id, "env", variable]:
                return self._set_env(variable, asked.json)
            case "GET", ["v1", _, self.project.id, "deployments", uid, "runtime-logs"]:
                lines = [json.dumps(each) for each in self._known_or_404(uid).runtime]
                kind = {"Content-Type": "application/stream+json"}
                return Reply(200, "\n".join(lines).encode(), kind, endless=True)
        raise LookupError(asked.path)

    def _deployment_of(self, asked: Asked, path: list[str]) -> Reply:
        match asked.method, path:
            case "GET", ["v6", "deployments"]:
                return self._deployments(asked)
            case "POST", ["v13", "deployments"]:
                return self._create(asked)
            case "GET", ["v13", "deployments", uid]:
                found = self._known_or_404(uid)
                return Reply(
                    200, {"id": uid, "readyState": found.state, "status": found.state, "meta": found.meta}
                )
            case "PATCH", ["v12", "deployments", uid, "cancel"]:
                return self._cancel(uid)
            case "GET", ["v3", "deployments", uid, "events"]:
                return self._events(uid, asked.query)
        raise LookupError(asked.path)

    def _security(self, asked: Asked, path: list[str]) -> Reply:
        firewall = self.project.firewall
        if asked.method == "POST" and path == ["attack-mode"]:
            return Reply(200, firewall.set_attack(asked, self.project.id))
        if asked.query.get("projectId") != [self.project.id]:
            return Reply(404, _fault(404))
        if asked.method == "GET" and path == ["firewall", "config", "active"] and firewall.configured:
            return Reply(200, firewall.shown())
        if asked.method == "PATCH" and path == ["firewall", "config"]:
            return Reply(200, firewall.change(asked))
        raise LookupError(asked.path)

    def _create(self, asked: Asked) -> Reply:
        """Builds the named deployment again; it goes live at once when it is done, unless that was switched off."""
        body = asked.json
        wanted = {"name", "deploymentId", "target", "meta"}
        if not isinstance(body, dict) or set(body) != wanted or asked.query.get("forceNew") != ["1"]:
            raise MalformedError("body")
        self._known_or_404(body["deploymentId"])
        uid = f"dpl_again_{len(self.calls)}"
        again = Deployment(uid, _now(), candidate=False, state="BUILDING", meta=body["meta"])
        self.project.deployments.insert(0, again)
        return Reply(200, {"id": uid, "readyState": "BUILDING", "status": "BUILDING", "meta": body["meta"]})

    def finish(self, uid: str) -> None:
        """A build is done."""
        found = self._known_or_404(uid)
        found.state = "READY"
        if self.project.auto_assign:
            self.project.live, self.project.alias = uid, None

    def _cancel(self, uid: str) -> Reply:
        found = self._known_or_404(uid)
        if found.state not in {"QUEUED", "INITIALIZING", "BUILDING"}:
            return Reply(400, _fault(400))
        found.state = "CANCELED"
        return Reply(200, {"id": uid, "readyState": "CANCELED", "status": "CANCELED"})

    def _events(self, uid: str, query: dict[str, list[str]]) -> Reply:
        events = list(self._known_or_404(uid).events)
        if query.get("direction") == ["backward"]:
            events.reverse()
        return Reply(200, events[: int(query.get("limit", ["100"])[0])])

    def _set_env(self, variable: str, body: Any) -> Reply:
        known = {"key", "value", "target", "type", "comment", "gitBranch"}
        found = next((each for each in self.project.env if each["id"] == variable), None)
        if found is None:
            raise LookupError(variable)
        if not isinstance(body, dict) or not set(body) <= known or not isinstance(body.get("value"), str):
            raise MalformedError("body")
        found.update(body, updatedAt=found["updatedAt"] + 1)
        return Reply(200, found)

    def _known_or_404(self, uid: str) -> Deployment:
        found = self._known(uid)
        if found is None:
            raise LookupError(uid)
        return found

    def control(self, what: str, given: Any) -> Any:
        if what == "deploy":
            self.deploy(**given)
        elif what == "set":
            for name, value in given.items():
                setattr(self, name, value)
        elif what != "state":
            raise KeyError(what)
        return {"live": self.live, "auto_assign": self.project.auto_assign, "changes": self.changes}

    def _deployments(self, asked: Asked) -> Reply:
        if "since" in asked.query:
            return self._page(asked)
        wanted = {"projectId": self.project.id, "target": "production"}
        state = asked.query.get("state", [""])[0]
        if any(asked.query.get(name, [""])[0] != value for name, value in wanted.items()):
            return Reply(400, _fault(400))
        limit = int(asked.query.get("limit", ["20"])[0])
        listed = [self._shown(each) for each in self.project.deployments if state in {"", each.state}][:limit]
        return Reply(
            200, {"deployments": listed, "pagination": {"count": len(listed), "next": None, "prev": None}}
        )

    def _page(self, asked: Asked) -> Reply:
        """Newest first; `next` is what `until` goes on with."""
        if not set(asked.query) <= {"since", "until", "limit", "projectId", "teamId"}:
            return Reply(400, _fault(400))
        since, until, limit = (int(asked.query[name][0]) for name in ("since", "until", "limit"))
        within = [each for each in self.project.deployments if since < each.created < until]
        listed = sorted(within, key=lambda each: -each.created)[:limit]
        more = len(within) > len(listed)
        pages = {"count": len(listed), "next": listed[-1].created if more else None, "prev": None}
        return Reply(200, {"deployments": [self._shown(each) for each in listed], "pagination": pages})

    def _shown(self, each: Deployment) -> dict[str, Any]:
        return {
            "uid": each.uid, "name": "site", "projectId": self.project.id, "url": f"{each.uid}.vercel.example",
            "created": each.created, "createdAt": each.created, "state": each.state, "readyState": each.state,
            "readySubstate": "PROMOTED", "meta": each.meta, "target": "production", "aliasAssigned": each.created,
            "isRollbackCandidate": each.candidate, "type": "LAMBDAS", "source": "git",
            "creator": {"uid": "u1", "username": each.creator, "email": f"{each.creator}@example.com"},
            **self.shown_changes,
        }  # fmt: skip

    def _project(self) -> dict[str, Any]:
        live = self._known(self.live)
        shown = {"id": self.live, "createdAt": live.created if live else 0, "aliasAssigned": True}
        return {
            "id": self.project.id, "name": "site", "accountId": "team_1", "targets": {"production": shown},
            "lastAliasRequest": self._alias(),
            "security": {
                "attackModeEnabled": self.project.firewall.attack,
                "attackModeActiveUntil": self.project.firewall.attack_until,
            },
        }  # fmt: skip

    def _alias(self) -> dict[str, Any] | None:
        alias = self.project.alias
        if alias is None:
            return None
        status = "succeeded" if alias.settles_at <= _now() else "in-progress"
        return {
            "fromDeploymentId": alias.source, "toDeploymentId": alias.to, "jobStatus": status,
            "requestedAt": alias.requested_at, "type": alias.kind,
        }  # fmt: skip

    def _rollback(self, uid: str) -> Reply:
        found = self._known(uid)
        if found is None:
            return Reply(404, _fault(404))
        if self._settling():
            return Reply(409, _fault(409))
        if not found.candidate or uid == self.live:
            return Reply(422, _fault(422))
        self.project.auto_assign = False
        self._switch("rollback", uid)
        return Reply(201, {})

    def _promote(self, uid: str) -> Reply:
        found = self._known(uid)
        if found is None:
            return Reply(404, _fault(404))
        if found.state != "READY":
            return Reply(400, _fault(400))
        if uid == self.live or self._settling():
            return Reply(409, _fault(409))
        self.project.auto_assign = True
        self._switch("promote", uid)
        return Reply(201, {})

    def _switch(self, kind: str, uid: str) -> None:
        now = _now()
        self.project.alias = Alias(kind, self.live, uid, now, now + self.settle_ms)

    def _settling(self) -> bool:
        return self.project.alias is not None and self.project.alias.settles_at > _now()

    def _known(self, uid: str) -> Deployment | None:
        return next((each for each in self.project.deployments if each.uid == uid), None)

    def _status_page(self) -> dict[str, Any]:
        well = self.indicator == "none"
        component = {"name": "Edge Network", "status": "operational" if well else "partial_outage"}
        said = "All Systems Operational" if well else "Partial System Outage"
        return {"status": {"indicator": self.indicator, "description": said}, "components": [component]}


def _fault(status: int) -> dict[str, Any]:
    return {
        "error": {"code": _CODES.get(status, "internal_server_error"), "message": f"refused with {status}"}
    }


def _now() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    parser = arguments()
    parser.add_argument("--project", default="prj_1")
    parser.add_argument("--settle-ms", type=int, default=0)
    given = parser.parse_args()
    serve_for_ever(
        VercelStandin(port=given.port, log=given.log, project=given.project, settle_ms=given.settle_ms)
    )


if __name__ == "__main__":
    main()
