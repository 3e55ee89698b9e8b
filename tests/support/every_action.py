"""Every action there is, each with parameters that fit, and a worker whose every vendor is one and the same server."""

import sys
from typing import Any

import shipped

from ledger import catalogue
from routing.policy import Secret, Setting

REF = "abcdefghijklmnopqrst"
NEEDED: dict[str, Any] = {
    "amount": 1, "currency": "pln", "deployment": "dpl_1", "endpoint": "we_1", "host": "127.0.0.1", "incident": "INC-1", "ip": "8.8.8.8",
    "key": "old_key", "limit": 1, "max_monthly": 1, "message": "m", "most": 1, "name": "n1", "new": "new_key",
    "path": "/x", "payment_intent": "pi_1", "port": 9, "program": "tool", "project": "prj_1", "query": "long_running",
    "source": "edge_logs", "statement": "end_idle", "subject": "s", "to": "dpl_1", "url": "/x", "variant": "ci_small",
}  # fmt: skip
"""Something that fits each parameter that has to be given."""
BESIDES: dict[str, dict[str, Any]] = {
    "app_admin.reset_sessions": {"everyone": True},
    "app_admin.notify_customers": {"everyone": True},
    "http.probe": {"count": 1},
    "postgres.read": {"query": "who"},
    "supabase.restore_pitr": {"to": 1_764_000_000_000},
    "supabase.set_pool": {"size": 10},
    "supabase.try_keys": {"works": "new_key"},
    "vercel.set_env": {"value": "v"},
    "vercel.unblock_ip": {"id": "b1"},
    "vercel.lift_rate_limit": {"id": "r1"},
}


def fitting(action: str, *without: str) -> dict[str, Any]:
    """Parameters that the action takes; those named in `without` are left out."""
    family, _, name = action.partition(".")
    schema = catalogue.action(family).ACTIONS[name].params.model_json_schema()
    found = {each: NEEDED[each] for each in schema.get("required", ())} | BESIDES.get(action, {})
    return {each: value for each, value in found.items() if each not in without}


def settings(url: str) -> dict[str, Setting]:
    """The shipped ones, with all credentials, leading to this address."""
    return {family: setting(family, url) for family in shipped.policy().settings}


def setting(family: str, url: str) -> Setting:
    """The shipped settings, leading to this address."""
    shown = shipped.policy().settings[family]
    assert isinstance(shown, dict)
    given: dict[str, Setting] = {name: known(value, url) for name, value in shown.items()}
    for name in catalogue.action(family).SETTINGS:
        if name.endswith("url") or name == "front_door":
            given[name] = (
                "postgresql://nobody@127.0.0.1:9/none?connect_timeout=1" if family == "postgres" else url
            )
    if family == "vercel":
        given["never_block"] = ["192.0.2.1"]
    if family == "command":
        given["programs"] = {"tool": {"path": sys.executable, "arguments": ["-I", "-S", "-c", "", "--"]}}
    return given


def known(value: Setting, url: str) -> Setting:
    if isinstance(value, Secret):
        fitting = {
            "TOCSIN_ALLOW_PRIVATE": "true",
            "SUPABASE_PROJECT_REF": REF,
            "TOCSIN_NEVER_BLOCK": "192.0.2.1",
        }
        return fitting.get(value.name, url if "URL" in value.name else f"made-up-{value.name}")
    if isinstance(value, dict):
        return {name: known(each, url) for name, each in value.items()}
    return [known(each, url) for each in value] if isinstance(value, list) else value
