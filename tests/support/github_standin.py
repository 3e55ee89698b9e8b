"""GitHub, as far as we ask it: a webhook, its deliveries in pages, what each carried, and refusals as GitHub's."""

import time
from datetime import UTC, datetime
from typing import Any

from vendor_server import Asked, Reply, VendorServer

TOKEN = "github_pat_standin"
HOOK = 12_345_678
REPOSITORY = "shop/web"
_PATH = f"/repos/{REPOSITORY}/hooks/{HOOK}"


class GithubStandin(VendorServer):
    """One repository's webhook. `page`: so many deliveries a page, whatever is asked for."""

    def __init__(self, page: int = 100) -> None:
        super().__init__()
        self.active = True
        self.page = page
        self.limited = 0
        """So many of the next requests are answered with 403 and an empty ration."""
        self._deliveries: list[dict[str, Any]] = []
        self._carried: dict[int, dict[str, Any]] = {}

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What `poll` of a source needs to use it."""
        return {"token": TOKEN, "repository": REPOSITORY, "hook": HOOK, **changes}

    def deliver(
        self,
        payload: dict[str, Any],
        status: int = 502,
        *,
        event: str = "workflow_run",
        age_s: int = 300,
        guid: str = "",
    ) -> str:
        """Something was sent to us and answered so; returns its guid."""
        number = 40_000 + len(self._deliveries)
        at = datetime.fromtimestamp(time.time() - age_s, UTC).isoformat(timespec="milliseconds")
        made = {
            "id": number, "guid": guid or f"guid-{number}", "delivered_at": at.replace("+00:00", "Z"),
            "redelivery": bool(guid), "duration": 0.3, "status": "OK" if status == 202 else "failed to connect",
            "status_code": status, "event": event, "action": payload.get("action"), "installation_id": None,
            "repository_id": 1, "throttled_at": None,
        }  # fmt: skip
        self._deliveries.append(made)
        self._deliveries.sort(key=lambda each: each["delivered_at"], reverse=True)
        self._carried[number] = payload
        return str(made["guid"])

    def answer(self, asked: Asked) -> Reply:
        wanted = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        if "user-agent" not in asked.headers:
            return Reply(403, {"message": "Request forbidden by administrative rules."})
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"message": "Bad credentials"})
        if any(asked.headers.get(name) != value for name, value in wanted.items()):
            return Reply(415, {"message": "Unsupported 'Accept' header"})
        if self.limited:
            self.limited -= 1
            reset = str(int(time.time()) + 600)
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            return Reply(403, {"message": "API rate limit exceeded for user ID 1."}, headers)
        if asked.path == _PATH:
            return Reply(200, {"id": HOOK, "type": "Repository", "name": "web", "active": self.active})
        if asked.path == f"{_PATH}/deliveries":
            return self._listed(asked)
        return self._one(asked.path.removeprefix(f"{_PATH}/deliveries/"))

    def fault(self, status: int) -> Any:
        return {"message": "Bad credentials" if status == 401 else f"scripted {status}"}

    def _listed(self, asked: Asked) -> Reply:
        if not set(asked.query) <= {"per_page", "cursor", "redelivery"}:
            return Reply(422, {"message": "Validation Failed"})
        per = min(self.page, int(asked.query.get("per_page", ["30"])[0]))
        from_ = int(asked.query.get("cursor", ["v1_0"])[0].removeprefix("v1_"))
        headers = {}
        if from_ + per < len(self._deliveries):
            after = f"{self.url}{_PATH}/deliveries?per_page={per}&cursor=v1_{from_ + per}"
            headers = {
                "Link": f'<{self.url}{_PATH}/deliveries?cursor=v1_0>; rel="prev", <{after}>; rel="next"'
            }
        return Reply(200, self._deliveries[from_ : from_ + per], headers)

    def _one(self, number: str) -> Reply:
        known = {str(each["id"]): each for each in self._deliveries}
        if number not in known:
            return Reply(404, {"message": "Not Found"})
        carried = self._carried[int(number)]
        request = {"headers": {"X-GitHub-Delivery": known[number]["guid"]}, "payload": carried}
        return Reply(
            200, {**known[number], "url": "", "request": request, "response": {"headers": {}, "payload": ""}}
        )
