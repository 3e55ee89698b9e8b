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


def add(api: Api, name: str, role: str, teams: tuple[str, ...], contact: str) -> None:
    made = api.post("/users", {"name": name, "role": role, "teams": list(teams), "contact": contact})
    users_command.tell_link(made["link"], name)


def change(
    api: Api, name: str, role: str | None, teams: tuple[str, ...], contact: str | None, subject: str | None
) -> None:
    given = [team for team in teams if team != "all"] if teams else None
    sent: dict[str, Any] = {"role": role, "teams": given, "contact": contact, "subject": subject}
    found = api.patch(
        f"/users/{part(name)}", {key: value for key, value in sent.items() if value is not None}
    )
    users_command.tell_standing(name, found["role"], found["teams"])


def invite(api: Api, name: str) -> None:
    users_command.tell_link(api.post(f"/users/{part(name)}/invite")["link"], name)


def remove(api: Api, name: str) -> None:
    api.delete(f"/users/{part(name)}")
    say(f"{name} is gone, with their sessions and tokens")


def disable(api: Api, name: str) -> None:
    api.post(f"/users/{part(name)}/disable")
    say(f"{name} is disabled; back with: tocsin users enable {name}")


def enable(api: Api, name: str) -> None:
    api.post(f"/users/{part(name)}/enable")
    say(f"{name} may sign in again")


def sessions(api: Api, name: str, json: bool) -> None:
    users_command.tell_sessions(name, api.get(f"/users/{part(name)}/sessions")["sessions"], json=json)


def sign_out(api: Api, name: str, only: str) -> None:
    if only:
        api.delete(f"/users/{part(name)}/sessions/{part(only)}")
    ended = 1 if only else api.delete(f"/users/{part(name)}/sessions")["ended"]
    say(f"ended {ended} of {name}'s sessions")


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
    api: Api, name: str, scopes: tuple[str, ...], role: str, user: str, teams: tuple[str, ...], length: int,
    per_minute: int,
) -> None:  # fmt: skip
    made = api.post("/tokens", {
        "name": name, "scopes": list(scopes), "role": role, "user": user, "teams": list(teams),
        "for": duration.text(length), "per_minute": per_minute,
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
