"""A whole team at Vercel: any number of projects, and the site that visitors see of each."""

import re
from pathlib import Path

from vendor_server import Asked, Reply
from vercel_standin import Project, VercelStandin, deployed


class VercelTeam(VercelStandin):
    """A project exists from the first time it is asked for; its site at /site/<project> is ill with dpl_bad live."""

    def __init__(self, *, log: Path | None = None, settle_ms: int = 0) -> None:
        super().__init__(log=log, settle_ms=settle_ms)
        self.projects: dict[str, Project] = {}
        self.lost: set[str] = set()
        """Projects whose site stays ill whatever is live."""

    def answer(self, asked: Asked) -> Reply:
        """One request at a time, so one project at a time is `project`."""
        named = re.search(r"/(?:projects|site)/([^/]+)", asked.path)
        name = named[1] if named else asked.query.get("projectId", ["prj_1"])[0]
        self.project = self.projects.setdefault(name, deployed(name))
        if asked.path.startswith("/site/"):
            return Reply(503 if self.live == "dpl_bad" or name in self.lost else 200)
        return super().answer(asked)

    def rollbacks(self, project: str) -> int:
        """How often one was asked for, whatever was answered."""
        return sum(f"/projects/{project}/rollback/" in call.path for call in self.calls)
