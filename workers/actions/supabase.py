"""Supabase: is the project well, what does its database say; and what changes either.

Settings: token (a personal access token), ref (of the project, where the runbook names none), base_url, queries
(SQL that may be read with, by name), statements (SQL that changes something), keys (values of API keys by name, for
try_keys), project_url (where the project itself answers, if not at <ref>.supabase.co). Without a token every action
is only simulated.

A query is {sql, params: [{name, type, least, most, default}]}, a statement that and {done, repeatable}; a runbook
gives a name and values for the params, never SQL.
"""

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from routing.ports import Action
from workers.supabase import advisors, backups, compute, keys, logs, pool, project, restore, sql, trying
from workers.supabase.api import Project
from workers.supabase.statements import Queries, Statements
from workers.supabase.trying import Keys

TITLE = "Supabase"
SETTINGS = ("token", "ref", "base_url", "project_url", "keys", "queries", "statements")
SHARED = ("base_url", "queries", "statements")


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = ""
    ref: str = ""
    base_url: str = ""
    project_url: str = ""
    keys: Keys = {}
    queries: Queries = {}
    statements: Statements = {}

    @field_validator("statements")
    @classmethod
    def _can_tell(cls, statements: Statements, info: ValidationInfo) -> Statements:
        for name, statement in statements.items() if "queries" in info.data else ():
            missing = statement.untold(info.data["queries"])
            if missing:
                raise ValueError(f"{name}: {missing}")
        return statements


ACTIONS = {
    "project": Action(params=Project, mutates=False, run=project.status, plan=project.plan_status),
    "health": Action(params=project.Health, mutates=False, run=project.health, plan=project.plan_health),
    "read_sql": Action(params=sql.ReadSql, mutates=False, run=sql.read_sql, plan=sql.plan_read),
    "backups": Action(params=backups.Backups, mutates=False, run=backups.backups, plan=backups.plan_backups),
    "advisors": Action(params=advisors.Advisors, mutates=False, run=advisors.advisors, plan=advisors.plan),
    "logs": Action(params=logs.Logs, mutates=False, run=logs.logs, plan=logs.plan),
    "pool": Action(params=Project, mutates=False, run=pool.pool, plan=pool.plan_pool),
    "machine": Action(params=Project, mutates=False, run=compute.machine, plan=compute.plan_machine),
    "try_keys": Action(params=trying.TryKeys, mutates=False, run=trying.try_keys, plan=trying.plan),
    "write_sql": Action(params=sql.WriteSql, mutates=True, run=sql.write_sql, plan=sql.plan_write),
    "set_pool": Action(
        params=pool.SetPool,
        mutates=True,
        run=pool.set_pool,
        undo="supabase.set_pool",
        plan=pool.plan_set_pool,
    ),
    "restore_point": Action(
        params=restore.RestorePoint,
        mutates=True,
        run=restore.restore_point,
        plan=restore.plan_restore_point,
    ),
    "restore_pitr": Action(
        params=restore.RestorePitr,
        mutates=True,
        run=restore.restore_pitr,
        undo="irreversible",
        plan=restore.plan_restore_pitr,
    ),
    "compute": Action(
        params=compute.Compute,
        mutates=True,
        run=compute.compute,
        undo="supabase.compute",
        plan=compute.plan,
    ),
    "rotate_key": Action(
        params=keys.RotateKey, mutates=True, run=keys.rotate_key, undo="irreversible", plan=keys.plan
    ),
}
