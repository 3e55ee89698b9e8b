"""Vercel, as far as we use it: deployments that really switch, and refusals as Vercel's.

Also serves a Statuspage summary at /api/v2/summary.json. Run it alone:
`python tests/support/vercel_standin.py --port 9002 --log calls.jsonl --project prj_1`.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vendor_server import Asked, Reply, VendorServer, arguments, serve_for_ever

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
        match asked.method, [unquote(part) for part in asked.path.strip("/").split("/")]:
            case "GET", ["v6", "deployments"]:
                return self._deployments(asked)
            case "GET", ["v9", "projects", self.project.id]:
                return Reply(200, self._project())
            case "POST", ["v1", "projects", self.project.id, "rollback", uid]:
                return self._rollback(uid)
            case "POST", ["v10", "projects", self.project.id, "promote", uid]:
                return self._promote(uid)
        return Reply(404, _fault(404))

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
        wanted = {"projectId": self.project.id, "target": "production", "state": "READY"}
        if any(asked.query.get(name, [""])[0] != value for name, value in wanted.items()):
            return Reply(400, _fault(400))
        limit = int(asked.query.get("limit", ["20"])[0])
        listed = [self._shown(each) for each in self.project.deployments if each.state == "READY"][:limit]
        return Reply(
            200, {"deployments": listed, "pagination": {"count": len(listed), "next": None, "prev": None}}
        )

    def _shown(self, each: Deployment) -> dict[str, Any]:
        return {
            "uid": each.uid, "name": "site", "projectId": self.project.id, "url": f"{each.uid}.vercel.example",
            "created": each.created, "createdAt": each.created, "state": each.state, "readyState": each.state,
            "readySubstate": "PROMOTED", "target": "production", "aliasAssigned": each.created,
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
        if self._known(uid) is None:
            return Reply(404, _fault(404))
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
