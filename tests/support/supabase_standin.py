"""Supabase's management API, as far as we use it: one project whose state really changes, and a database that
really runs SQL (SQLite) with what is bound, refusing writes on the read-only endpoint.

Run it alone: `python tests/support/supabase_standin.py --port 9003 --log calls.jsonl`.
"""

import json
import re
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vendor_server import Asked, Reply, VendorServer, arguments, serve_for_ever

TOKEN = "sbp_" + "0123456789abcdef0123456789abcdef01234567"
REF = "abcdefghijklmnopqrst"
SCHEMA = """
create table sessions (id integer primary key, who text, idle_s integer);
insert into sessions (who, idle_s) values ('app', 5), ('app', 4000), ('cron', 9000);
"""
_SERVICES = {"auth", "db", "db_postgres_user", "pooler", "realtime", "rest", "storage", "pg_bouncer"}
_LOG_QUESTION = re.compile(
    r"select id, timestamp, event_message from ([a-z_]+) order by timestamp desc limit (\d+)"
)
_KEY_NAME = re.compile(r"[a-z_][a-z0-9_]{3,63}")
_PRICES = {"ci_micro": 0.01344, "ci_small": 0.0206, "ci_medium": 0.0822, "ci_large": 0.1517}
_DAY_S = 86_400
_CREATED = 201


class RefusalError(Exception):
    """What Supabase answers instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"message": message})


@dataclass
class Project:
    status: str = "ACTIVE_HEALTHY"
    services: dict[str, str] = field(default_factory=dict)
    """Those that are not ACTIVE_HEALTHY, or "" for one that nothing is told of."""
    pool_size: int | None = None
    backups: list[dict[str, Any]] = field(default_factory=list)
    pitr: bool = False
    physical: dict[str, int] = field(default_factory=dict)
    lints: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    logs: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """(ms, text) by source."""
    points: dict[str, str] = field(default_factory=dict)
    """Restore points: status by name."""
    point_looks: int = 0
    """After so many looks at a point that is being made it is there; 0: never."""
    restored_to: list[int] = field(default_factory=list)
    compute: str = "ci_small"
    """"" where none was chosen."""
    keys: list[dict[str, Any]] = field(default_factory=lambda: [_key("1", "default_secret", "secret")])
    compromised: list[str] = field(default_factory=list)
    """Names of keys that were deleted as such."""


class SupabaseStandin(VendorServer):
    """`per_minute`: how often each endpoint may be asked; logs as often as a quarter of it."""

    def __init__(self, *, port: int = 0, log: Path | None = None, schema: str = SCHEMA) -> None:
        super().__init__(port=port, log=log)
        self.project = Project()
        self.per_minute = 120
        self.log_error: Any = None
        """What a search of the logs is told within its 200."""
        self.database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.database.row_factory = sqlite3.Row
        self.database.executescript(schema)
        self._asked: dict[str, deque[float]] = {}

    def __exit__(self, *given: object) -> None:
        super().__exit__(*given)
        self.database.close()

    @property
    def changes(self) -> list[str]:
        """Method and path below the project of what was changed, in order: the truth about how often."""
        below = f"/v1/projects/{REF}/"
        return [
            f"{call.method} {call.path.removeprefix(below)}"
            for call in self.calls
            if call.done and call.method != "GET" and not call.path.endswith("/read-only")
        ]

    def settings(self, **changes: str) -> dict[str, str]:
        """What an action needs to use it."""
        return {"token": TOKEN, "ref": REF, "base_url": self.url, **changes}

    def rows(self, sql: str, *bound: Any) -> list[dict[str, Any]]:
        """What is in the database now."""
        return [dict(row) for row in self.database.execute(sql, bound)]

    def fault(self, status: int) -> Any:
        return {"message": f"refused with {status}"}

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/auth/v1/settings":
            return self._settings(asked.headers.get("apikey", ""))
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"message": "Unauthorized"})
        limits = self._limits(asked)
        if limits["X-RateLimit-Remaining"] == "-1":
            refused = {**limits, "X-RateLimit-Remaining": "0"}
            return Reply(429, {"message": "ThrottlerException: Too Many Requests"}, refused)
        try:
            reply = self._answer_for(asked, [unquote(part) for part in asked.path.strip("/").split("/")])
        except RefusalError as refusal:
            reply = refusal.reply
        return Reply(reply.status, reply.body, limits)

    def _settings(self, key: str) -> Reply:
        """The project itself, which takes whoever has one of its keys."""
        if key not in [secret_of(each) for each in self.project.keys]:
            return Reply(401, {"message": "Invalid API key"})
        return Reply(200, {"external": {"email": True}, "disable_signup": False})

    def _answer_for(self, asked: Asked, path: list[str]) -> Reply:
        if path[:3] != ["v1", "projects", REF]:
            raise RefusalError(404, "Project not found")
        what = "/".join(path[3:])
        if what.startswith("api-keys"):
            return self._keys(asked.method, path[4:], asked)
        found = {
            "GET ": lambda: Reply(200, self._shown()),
            "GET health": lambda: Reply(200, self._health(asked.query)),
            "POST database/query/read-only": lambda: self._query(asked, {"query", "parameters"}),
            "POST database/query": lambda: self._query(asked, {"query", "parameters", "read_only"}),
            "GET database/backups": lambda: Reply(200, self._backups()),
            "GET database/backups/restore-point": lambda: self._points(asked.query),
            "POST database/backups/restore-point": lambda: self._make_point(_body(asked, {"name"})),
            "POST database/backups/restore-pitr": lambda: self._restore(asked),
            "GET advisors/security": lambda: self._lints("security"),
            "GET advisors/performance": lambda: self._lints("performance"),
            "GET analytics/endpoints/logs.all": lambda: Reply(200, self._logs(asked.query)),
            "GET config/database/pooler": lambda: Reply(200, [self._pooler()]),
            "PATCH config/database/pooler": lambda: self._set_pool(asked),
            "GET billing/addons": lambda: Reply(200, self._addons()),
            "PATCH billing/addons": lambda: self._set_addon(_body(asked, {"addon_type", "addon_variant"})),
        }.get(f"{asked.method} {what}")
        if found is None:
            raise RefusalError(404, f"Cannot {asked.method} {asked.path}")
        return found()

    def _limits(self, asked: Asked) -> dict[str, str]:
        """How much may be asked of this endpoint yet, and in how many seconds anew; -1 when nothing may be."""
        now = time.monotonic()
        most = self.per_minute // 4 if asked.path.endswith("logs.all") else self.per_minute
        recent = self._asked.setdefault(f"{asked.method} {asked.path}", deque())
        while recent and recent[0] <= now - 60:
            recent.popleft()
        recent.append(now)
        return {
            "X-RateLimit-Limit": str(most),
            "X-RateLimit-Remaining": str(max(-1, most - len(recent))),
            "X-RateLimit-Reset": str(round(60 - (now - recent[0]))),
        }

    def _shown(self) -> dict[str, Any]:
        return {
            "id": REF, "ref": REF, "organization_id": "acme", "organization_slug": "acme", "name": "booking",
            "region": "eu-central-1", "created_at": "2025-01-02T03:04:05.678Z", "status": self.project.status,
            "database": {
                "host": f"db.{REF}.supabase.example", "version": "15.8.1.060", "postgres_engine": "15",
                "release_channel": "ga",
            },
        }  # fmt: skip

    def _health(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        wanted = query.get("services", [])
        if not wanted or not set(wanted) <= _SERVICES:
            raise RefusalError(400, "services: Invalid enum value")
        if not 0 <= int(query.get("timeout_ms", ["0"])[0]) <= 10_000:
            raise RefusalError(400, "timeout_ms: Number must be less than or equal to 10000")
        states = {name: self.project.services.get(name, "ACTIVE_HEALTHY") for name in wanted}
        return [_service(name, status) for name, status in states.items() if status]

    def _lints(self, kind: str) -> Reply:
        return Reply(200, {"lints": self.project.lints.get(kind, [])})

    def _query(self, asked: Asked, known: set[str]) -> Reply:
        """A column called done is a boolean, and one called ids an array, which SQLite does not have."""
        body = _body(asked, known)
        read_only = asked.path.endswith("read-only") or body.get("read_only") is True
        sql, bound = body.get("query"), body.get("parameters", [])
        if not isinstance(sql, str) or not sql or not isinstance(bound, list):
            raise RefusalError(400, "query: String must contain at least 1 character(s)")
        places = {str(number): value for number, value in enumerate(bound, 1)}
        self.database.execute(f"pragma query_only = {int(read_only)}")
        try:
            rows = [dict(row) for row in self.database.execute(sql, places)]
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise RefusalError(400, f"Failed to run sql query: ERROR: {error}") from error
        finally:
            self.database.execute("pragma query_only = 0")
        return Reply(
            _CREATED,
            [{name: _TYPED.get(name, _as_is)(value) for name, value in row.items()} for row in rows],
        )

    def _backups(self) -> dict[str, Any]:
        return {
            "region": "eu-central-1", "walg_enabled": True, "pitr_enabled": self.project.pitr,
            "backups": self.project.backups, "physical_backup_data": self.project.physical,
        }  # fmt: skip

    def _logs(self, query: dict[str, list[str]]) -> dict[str, Any]:
        start, end = (_seconds(query, f"iso_timestamp_{which}") for which in ("start", "end"))
        if end - start > _DAY_S:
            raise RefusalError(400, "The timestamp range must be no more than 24 hours")
        if self.log_error:
            return {"result": [], "error": self.log_error}
        asked = _LOG_QUESTION.fullmatch(query.get("sql", [""])[0])
        if asked is None:
            return {
                "result": [],
                "error": {"code": 400, "message": "syntax error", "status": "INVALID", "errors": []},
            }
        lines = self.project.logs.get(asked[1], [])
        found = sorted((line for line in lines if start <= line[0] / 1000 <= end), reverse=True)
        shown = [{"id": str(at), "timestamp": at * 1000, "event_message": text} for at, text in found]
        return {"result": shown[: int(asked[2])]}

    def _set_pool(self, asked: Asked) -> Reply:
        body = _body(asked, {"default_pool_size", "pool_mode"})
        size = body.get("default_pool_size")
        if size is not None and not (type(size) is int and 0 <= size <= 3000):
            raise RefusalError(400, "default_pool_size: Number must be less than or equal to 3000")
        self.project.pool_size = size
        return Reply(200, {"default_pool_size": size, "pool_mode": "transaction"})

    def _points(self, query: dict[str, list[str]]) -> Reply:
        name = query.get("name", [""])[0]
        if name not in self.project.points:
            raise RefusalError(404, "No restore points found")
        if self.project.points[name] == "PENDING" and self.project.point_looks:
            self.project.point_looks -= 1
            if not self.project.point_looks:
                self.project.points[name] = "AVAILABLE"
        return Reply(200, _shown_point(name, self.project.points[name]))

    def _make_point(self, body: dict[str, Any]) -> Reply:
        points, name = self.project.points, body.get("name", "")
        if not isinstance(name, str) or not 1 <= len(name) <= 20:
            raise RefusalError(400, "name: String must contain at most 20 character(s)")
        if name in points:
            raise RefusalError(409, "Restore point already exists")
        points[name] = "PENDING"
        return Reply(_CREATED, _shown_point(name, "PENDING"))

    def _restore(self, asked: Asked) -> Reply:
        body = _body(asked, {"recovery_time_target_unix"})
        to = body.get("recovery_time_target_unix")
        if type(to) is not int or to < 0:
            raise RefusalError(400, "recovery_time_target_unix: Expected number")
        if not self.project.pitr:
            raise RefusalError(400, "PITR is not enabled for this project.")
        if self.project.status != "ACTIVE_HEALTHY":
            raise RefusalError(409, "Project is not active")
        bounds = self.project.physical
        if (
            not bounds["earliest_physical_backup_date_unix"]
            <= to
            <= bounds["latest_physical_backup_date_unix"]
        ):
            raise RefusalError(422, "recovery time target is outside of the recovery window")
        self.project.status = "RESTORING"
        self.project.restored_to.append(to)
        return Reply(_CREATED, b"")

    def _addons(self) -> dict[str, Any]:
        chosen = self.project.compute
        shown = [{"type": "compute_instance", "variant": _variant(chosen)}] if chosen else []
        offered = [_variant(name) for name in _PRICES]
        ours = {"type": "compute_instance", "name": "Compute Instance", "variants": offered}
        return {"selected_addons": shown, "available_addons": [ours]}

    def _set_addon(self, body: dict[str, Any]) -> Reply:
        if body.get("addon_type") != "compute_instance" or body.get("addon_variant") not in _PRICES:
            raise RefusalError(400, "addon_variant: Invalid enum value")
        self.project.compute = body["addon_variant"]
        return Reply(200, b"")

    def _keys(self, method: str, which: list[str], asked: Asked) -> Reply:
        keys = self.project.keys
        if (method, which) == ("GET", []):
            return Reply(200, keys)
        if (method, which) == ("POST", []):
            return self._make_key(_body(asked, {"type", "name", "description", "secret_jwt_template"}))
        found = next((key for key in keys if [key["id"]] == which), None)
        if found is None or method not in {"GET", "DELETE"}:
            raise RefusalError(404, "API key not found")
        if method == "GET":
            revealed = {"api_key": secret_of(found)} if asked.query.get("reveal") == ["true"] else {}
            return Reply(200, {**found, **revealed})
        keys.remove(found)
        if asked.query.get("was_compromised") == ["true"]:
            self.project.compromised.append(found["name"])
        return Reply(200, found)

    def _make_key(self, body: dict[str, Any]) -> Reply:
        keys = self.project.keys
        if body.get("type") not in {"publishable", "secret"} or not _KEY_NAME.fullmatch(body.get("name", "")):
            raise RefusalError(400, "name: Invalid")
        if any(key["name"] == body["name"] for key in keys):
            raise RefusalError(409, "API key with this name already exists")
        keys.append({**_key(str(len(self.calls) + 1), body["name"], body["type"]), **body})
        return Reply(_CREATED, keys[-1])

    def _pooler(self) -> dict[str, Any]:
        where = f"postgresql://postgres.{REF}:[YOUR-PASSWORD]@pooler.supabase.example:6543/postgres"
        return {
            "identifier": REF, "database_type": "PRIMARY", "is_using_scram_auth": True, "db_user": f"postgres.{REF}",
            "db_host": "pooler.supabase.example", "db_port": 6543, "db_name": "postgres", "connection_string": where,
            "connectionString": where, "default_pool_size": self.project.pool_size, "max_client_conn": None,
            "pool_mode": "transaction",
        }  # fmt: skip


def _as_is(value: Any) -> Any:
    return value


_TYPED: dict[str, Callable[[Any], Any]] = {"done": bool, "ids": json.loads}


def secret_of(key: dict[str, Any]) -> str:
    """What is masked until it is revealed."""
    return f"standin-value-of-{key['name']}"


def _key(number: str, name: str, kind: str) -> dict[str, Any]:
    """As it is listed without `reveal`: the secret one's value is masked."""
    return {
        "api_key": "sb_secret_standin..." if kind == "secret" else "sb_publishable_standin",
        "id": f"0b5e8f4e-0000-4000-8000-{int(number):012}", "type": kind, "prefix": "Ab1cD", "name": name,
        "description": None, "hash": "h", "inserted_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
        "secret_jwt_template": {"role": "service_role"} if kind == "secret" else None,
    }  # fmt: skip


def _shown_point(name: str, status: str) -> dict[str, Any]:
    completed = "2026-01-02T03:04:05Z" if status == "AVAILABLE" else None
    return {"name": name, "status": status, "completed_on": completed}


def _variant(name: str) -> dict[str, Any]:
    amount = _PRICES.get(name, 0)
    price = {"description": f"${amount}/hour", "type": "usage", "interval": "hourly", "amount": amount}
    return {"id": name, "name": name.removeprefix("ci_").title(), "price": price}


def _service(name: str, status: str) -> dict[str, Any]:
    well = status == "ACTIVE_HEALTHY"
    return {
        "name": name, "healthy": well, "status": status, **({} if well else {"error": f"{name} does not answer"}),
    }  # fmt: skip


def _body(asked: Asked, known: Iterable[str]) -> dict[str, Any]:
    """Supabase ignores what it does not know; a stand-in does not, so that a misspelling is seen."""
    try:
        found = asked.json
    except ValueError:
        raise RefusalError(400, "Unexpected token in JSON") from None
    if not isinstance(found, dict) or set(found) - set(known):
        raise RefusalError(400, "body: Invalid input")
    return found


def _seconds(query: dict[str, list[str]], name: str) -> float:
    try:
        return datetime.fromisoformat(query[name][0]).astimezone(UTC).timestamp()
    except (KeyError, ValueError):
        raise RefusalError(400, f"{name}: Invalid datetime") from None


def main() -> None:
    given = arguments().parse_args()
    serve_for_ever(SupabaseStandin(port=given.port, log=given.log))


if __name__ == "__main__":
    main()
