"""Supabase: is the project well, what does its database say.

Settings: token (a personal access token), ref (of the project, where the runbook names none), base_url, queries
(SQL that may be read with, by name). Without a token every action is only simulated.

A query is {sql, params: [{name, type, least, most, default}]}; a runbook gives its name and values for its
params, never SQL.
"""

from pydantic import BaseModel, ConfigDict

from routing.ports import Action
from workers.supabase import advisors, backups, logs, pool, project, sql
from workers.supabase.api import Project
from workers.supabase.statements import Queries

TITLE = "Supabase"
SETTINGS = ("token", "ref", "base_url", "queries")


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str = ""
    ref: str = ""
    base_url: str = ""
    queries: Queries = {}


ACTIONS = {
    "project": Action(params=Project, mutates=False, run=project.status, plan=project.plan_status),
    "health": Action(params=project.Health, mutates=False, run=project.health, plan=project.plan_health),
    "read_sql": Action(params=sql.ReadSql, mutates=False, run=sql.read_sql, plan=sql.plan_read),
    "backups": Action(params=Project, mutates=False, run=backups.backups, plan=backups.plan_backups),
    "advisors": Action(params=advisors.Advisors, mutates=False, run=advisors.advisors, plan=advisors.plan),
    "logs": Action(params=logs.Logs, mutates=False, run=logs.logs, plan=logs.plan),
    "pool": Action(params=Project, mutates=False, run=pool.pool, plan=pool.plan_pool),
}
