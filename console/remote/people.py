"""Who may come in, and tokens, over a console."""

from collections.abc import Mapping
from typing import Any

from console import tokens as tokens_command
from console import users as users_command
from console.output import say
from console.remote.api import Api, part
from console.remote.over import Does
from routing import duration


def users(api: Api, json: bool) -> None:
    users_command.tell(api.get("/users")["users"], json=json)


def add(
    api: Api, name: str, role: str | None, teams: tuple[str, ...], grants: Mapping[str, str], contact: str
) -> None:  # fmt: skip
    made = api.post("/users", {"name": name, "contact": contact, **_may(role, teams, grants)})
    users_command.tell_link(made["link"], name)


def change(
    api: Api, name: str, role: str | None, teams: tuple[str, ...], grants: Mapping[str, str], contact: str | None,
    subject: str | None,
) -> None:  # fmt: skip
    sent = {"contact": contact, "subject": subject, **_may(role, teams, grants)}
    found = api.patch(
        f"/users/{part(name)}", {key: value for key, value in sent.items() if value is not None}
    )
    users_command.tell_standing(found)


def _may(role: str | None, teams: tuple[str, ...], grants: Mapping[str, str]) -> dict[str, Any]:
    said = {"role": role, "teams": list(teams), "grants": dict(grants)}
    return {key: value for key, value in said.items() if value}


def invite(api: Api, name: str) -> None:
    users_command.tell_link(api.post(f"/users/{part(name)}/invite")["link"], name)


def remove(api: Api, name: str) -> None:
    api.delete(f"/users/{part(name)}")
    users_command.tell_removed(name)


def disable(api: Api, name: str) -> None:
    api.post(f"/users/{part(name)}/disable")
    users_command.tell_disabled(name)


def enable(api: Api, name: str) -> None:
    api.post(f"/users/{part(name)}/enable")
    users_command.tell_enabled(name)


def sessions(api: Api, name: str, json: bool) -> None:
    users_command.tell_sessions(name, api.get(f"/users/{part(name)}/sessions")["sessions"], json=json)


def sign_out(api: Api, name: str, only: str) -> None:
    if only:
        api.delete(f"/users/{part(name)}/sessions/{part(only)}")
    ended = 1 if only else api.delete(f"/users/{part(name)}/sessions")["ended"]
    users_command.tell_ended(name, ended)


def audit(api: Api, limit: int, json: bool) -> None:
    rows: list[dict[str, Any]] = []
    after = ""
    while len(rows) < limit:
        page = api.get("/audit", limit=min(limit - len(rows), 500), after=after)
        rows += page["audit"]
        after = page["after"]
        if not after:
            break
    said = [{**{key: row[key] for key in ("at", "by", "what")}, "from": row["client"]} for row in rows]
    users_command.tell_audit(said, json=json)


def tokens(api: Api, json: bool) -> None:
    tokens_command.tell(api.get("/tokens")["tokens"], json=json)


def create(
    api: Api, name: str, scopes: tuple[str, ...], role: str | None, teams: tuple[str, ...], grants: Mapping[str, str],
    user: str, length: int, per_minute: int,
) -> None:  # fmt: skip
    made = api.post("/tokens", {
        "name": name, "scopes": list(scopes), "user": user, "for": duration.text(length), "per_minute": per_minute,
        **_may(role, teams, grants),
    })  # fmt: skip
    say(made["token"])


def revoke(api: Api, id: str) -> None:  # noqa: A002  # the command's own name for it
    api.delete(f"/tokens/{part(id)}")
    say(f"{id} is revoked")


COMMANDS: Mapping[str, Does] = {
    "users list": users, "users add": add, "users set": change, "users invite": invite, "users remove": remove,
    "users disable": disable, "users enable": enable, "users sessions": sessions, "users sign-out": sign_out,
    "users audit": audit, "tokens list": tokens, "tokens create": create, "tokens revoke": revoke,
}  # fmt: skip
