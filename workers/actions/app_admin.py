"""The site's own administration: block an address, end sessions, write to customers.

Settings: token (the site's administrator token), base_url (of the site), allow_private, never_block (addresses and
networks, with commas, that are never blocked; "none" for none, without it nothing is), block_path, unblock_path,
sessions_path, notify_path (where the site has them elsewhere). Without a token every action is only simulated. The
site answers a POST of JSON with a 2xx; a number `affected` in its answer counts whom it concerned.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from routing.entry import Outcome
from routing.errors import ActionError
from routing.ports import Action, Step
from workers import addresses, blocking, location, vendors
from workers.addresses import Guard
from workers.answer import Answer, Call
from workers.credentials import NoCredentialsError

TITLE = "The site's administration"
SETTINGS = (
    "token",
    "base_url",
    "allow_private",
    "never_block",
    "block_path",
    "unblock_path",
    "sessions_path",
    "notify_path",
)

_PATHS = {
    "block_path": "/api/admin/security/block-ip",
    "unblock_path": "/api/admin/security/unblock-ip",
    "sessions_path": "/api/admin/security/reset-sessions",
    "notify_path": "/api/admin/notify/customers",
}
_ADVICE = {
    401: "check ADMIN_TOKEN",
    403: "ADMIN_TOKEN may not do this",
    404: "the site has no such path: set it for app_admin in config/actions.yaml",
    405: "the site takes no POST there: check the path for app_admin in config/actions.yaml",
}


def _address(text: str) -> str:
    """In one way of writing it. Raises ValueError."""
    found = blocking.network(text)
    if found.prefixlen != found.max_prefixlen or "/" in text:
        raise ValueError("one address, not a network")
    return blocking.written(found)


Ip = Annotated[str, AfterValidator(_address)]
User = Annotated[str, Field(min_length=1, max_length=200)]


class _Params(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BlockIp(_Params):
    ip: Ip
    reason: str = Field(default="security-incident", min_length=1, max_length=500)


class UnblockIp(_Params):
    ip: Ip


class _Whom(_Params):
    """Some `users` by their ids, or `everyone`: one of both has to be said."""

    users: list[User] = Field(default=[], max_length=10_000)
    everyone: bool = False

    @model_validator(mode="after")
    def _said(self) -> "_Whom":
        if bool(self.users) == self.everyone:
            raise ValueError("name users, or say everyone: true, and not both")
        return self


class ResetSessions(_Whom):
    reason: str = Field(default="security-incident", min_length=1, max_length=500)


class NotifyCustomers(_Whom):
    subject: str = Field(min_length=1, max_length=200)
    message: str = Field(min_length=1, max_length=10_000)
    type: Literal["email", "sms", "push"] = "email"


def block_ip(step: Step, params: BlockIp) -> dict[str, Any]:
    """{"ip", "status", "affects"}. What is private, or never to be blocked, is refused without asking."""
    _blockable(step, params.ip)
    answer = _post(step, "block_path", {"ip": params.ip, "reason": params.reason})
    return {"ip": params.ip, "status": answer.status, "affects": 1}


def unblock_ip(step: Step, params: UnblockIp) -> dict[str, Any]:
    answer = _post(step, "unblock_path", {"ip": params.ip})
    return {"ip": params.ip, "status": answer.status, "affects": 1}


def reset_sessions(step: Step, params: ResetSessions) -> dict[str, Any]:
    """{"status", "affects", "at": ms, when it was asked}. Whoever is concerned has to sign in again."""
    answer = _post(step, "sessions_path", {**_whom(params), "reason": params.reason})
    return {"status": answer.status, "affects": _affected(answer, params), "at": step.now}


def notify_customers(step: Step, params: NotifyCustomers) -> dict[str, Any]:
    """{"status", "affects"}. What was sent cannot be called back."""
    said = {"type": params.type, "subject": params.subject, "message": params.message}
    answer = _post(step, "notify_path", {**_whom(params), **said})
    return {"status": answer.status, "affects": _affected(answer, params)}


def _post(step: Step, path: str, body: dict[str, Any]) -> Answer:
    """Raises ActionError. The key lets a site that knows such keys tell a repeat."""
    token = step.settings.get("token", "")
    if not token:
        raise NoCredentialsError("no administrator token: set ADMIN_TOKEN")
    url = _url(step, path)
    vendors.permit(step)
    key = step.idempotency_key or f"tocsin-{sha256(orjson.dumps([url, body])).hexdigest()[:40]}"
    call = Call(
        method="POST",
        url=url,
        mutates=True,
        timeout_s=step.timeout_s,
        json=body,
        headers={"authorization": f"Bearer {token}", "idempotency-key": key},
        guard=Guard(allow_private=step.settings.get("allow_private") == "true"),
    )
    return vendors.ask("the site", call, _ADVICE)


def _blockable(step: Step, ip: str) -> None:
    """Raises ActionError. Nobody locks us out by a payload: our own addresses are spared, and so are the site's."""
    wanted = blocking.network(ip)
    blocking.check(wanted, step.settings.get("never_block"), "app_admin")
    host = urlsplit(step.settings.get("base_url", "")).hostname
    with suppress(OSError):  # a name that leads nowhere now leads to nothing of ours
        if host and any(blocking.network(each) == wanted for each in addresses.found(host)):
            raise ActionError(f"{ip} is the site's own address", outcome=Outcome.REFUSED)


def _whom(params: _Whom) -> dict[str, Any]:
    return {"everyone": True} if params.everyone else {"users": params.users}


def _affected(answer: Answer, params: _Whom) -> int | None:
    """As the site counts, else as many as were named; null when that is everyone."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        said = None
    counted = said.get("affected") if isinstance(said, dict) else None
    if isinstance(counted, int) and not isinstance(counted, bool):
        return counted
    return None if params.everyone else len(params.users)


def _url(step: Step, path: str) -> str:
    return location.whole(step, "app_admin", step.settings.get(path) or _PATHS[path])


def _plan(path: str) -> Callable[[Step, Any], dict[str, Any]]:
    def plan(step: Step, params: BaseModel) -> dict[str, Any]:
        return {"would": {"method": "POST", "url": _url(step, path), "params": params.model_dump()}}

    return plan


ACTIONS = {
    "block_ip": Action(
        BlockIp, mutates=True, run=block_ip, undo="app_admin.unblock_ip", plan=_plan("block_path")
    ),
    "unblock_ip": Action(
        UnblockIp, mutates=True, run=unblock_ip, undo="app_admin.block_ip", plan=_plan("unblock_path")
    ),
    "reset_sessions": Action(
        ResetSessions, mutates=True, run=reset_sessions, undo="irreversible", plan=_plan("sessions_path")
    ),
    "notify_customers": Action(
        NotifyCustomers, mutates=True, run=notify_customers, undo="irreversible", plan=_plan("notify_path")
    ),
}
