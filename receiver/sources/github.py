"""GitHub: checks, workflows, deployments and security alerts of repositories; all else as information.

https://docs.github.com/en/webhooks/webhook-events-and-payloads. The body alone is signed: neither the event's name
nor the delivery's id is. So a repeat is told by the body. A failure is a condition on the default branch, or where
`branches` says; elsewhere it is the author's business.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

import orjson

from receiver import forms, hmacs, instants, shaping, strict_json
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`X-Hub-Signature-256`, HMAC-SHA256 over the body"
REPEAT = "the same body: GitHub's redeliveries, and a captured request under another delivery id"
TITLE = "GitHub"
SETUP = """\
1. Repository or organisation → Settings → Webhooks → *Add webhook*: `https://<tocsin>/hooks/github`, content type
   `application/json`, a long random secret; put it into `GITHUB_WEBHOOK_SECRET`.
2. Events: *Workflow runs*, *Check suites*, *Deployment statuses*, *Dependabot alerts*, *Code scanning alerts*,
   *Secret scanning alerts*.
3. To find deliveries that failed, which GitHub does not repeat: `poll`, with a fine-grained token that may read
   *Webhooks*, and the hook's number.
"""
SETTINGS = {
    "branches": "branches whose failures are conditions, with * for any part; unless named the default branch"
}

_FAILED = frozenset({"failure", "timed_out", "startup_failure", "error"})
_RUNS = ("workflow_run", "check_suite", "check_run")
_ALERTS = frozenset({
    "dependabot_alert", "code_scanning_alert", "secret_scanning_alert", "repository_vulnerability_alert"
})  # fmt: skip
_OPENED = frozenset({
    "created", "create", "reopened", "auto_reopened", "reopened_by_user", "appeared_in_branch", "publicly_leaked"
})  # fmt: skip
_CLOSED = frozenset({
    "fixed", "dismissed", "dismiss", "auto_dismissed", "closed_by_user", "resolved", "resolve", "revoked"
})  # fmt: skip


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    prefix, _, given = inbound.headers.get("x-hub-signature-256", "").partition("=")
    if prefix != "sha256" or not given:
        hint = "give the webhook a secret; the older X-Hub-Signature (SHA-1) does not count"
        raise BadSignature("no X-Hub-Signature-256 header of the form sha256=…", hint)
    if not hmacs.matches("sha256", inbound.body, given, secrets):
        raise BadSignature("the signature does not match the body", "check GITHUB_WEBHOOK_SECRET")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    """The event's name is not in the body: it is found by what only that event's body has."""
    try:
        kind = _kind_of(strict_json.loads(body))
    except Unreadable:
        kind = ""
    return {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/1",
        "x-github-event": kind,
        "x-hub-signature-256": f"sha256={hmacs.hexdigest('sha256', body, secret)}",
    }


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    form = inbound.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    raw = forms.loads(inbound.body).get("payload", "").encode() if form else inbound.body
    body = strict_json.object_of(strict_json.loads(raw))
    # The header is not signed: it only names what no member of the body does.
    kind = _kind_of(body) or inbound.headers.get("x-github-event", "")
    if not kind.replace("_", "").isalnum():
        raise Unreadable("no X-GitHub-Event header names the event")
    return Parsed((shaping.bounded(_event(body, kind, _known_by(body), source)),))


def _known_by(body: Any) -> str:
    """What the body says, however it is written: GitHub's API tells of it in other bytes than its webhook."""
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _kind_of(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    for name in (*_RUNS, "deployment_status"):
        if isinstance(body.get(name), dict):
            return name
    if "hook_id" in body and "zen" in body:
        return "ping"
    return _alert_of(body)


def _alert_of(body: Mapping[str, Any]) -> str:
    alert = body.get("alert")
    if not isinstance(alert, dict):
        return ""
    if "secret_type" in alert:
        return "secret_scanning_alert"
    if "rule" in alert:
        return "code_scanning_alert"
    return "dependabot_alert" if "dependency" in alert else "repository_vulnerability_alert"


def _event(body: dict[str, Any], kind: str, id_: str, source: Source) -> Event:
    repo = shaping.text(body, "repository", "full_name") or shaping.text(body, "organization", "login")
    action = shaping.text(body, "action")
    status, key, labels, told = _facts(body, kind, action, source)
    named = {"repository": repo, "actor": shaping.text(body, "sender", "login"), "action": action, **labels}
    return Event(
        source=source.name,
        vendor="github",
        kind=kind,
        status=status,
        key=f"{kind}:{repo}:{key}",
        title=f"{told}: {repo}" if repo else told,
        vendor_id=id_,
        vendor_severity=_severity(body.get("alert")),
        labels=shaping.plain(named),
        starts_at=_instant(shaping.at(body, kind)),
        link=_link(body, kind),
    )


def _facts(
    body: dict[str, Any], kind: str, action: str, source: Source
) -> tuple[Status, str, dict[str, str], str]:
    """Status, what it is about, labels, and the title."""
    if kind in _RUNS:
        return _run(body, kind, source)
    if kind == "deployment_status":
        return _deployment(body)
    if kind in _ALERTS:
        status = Status.FIRING if action in _OPENED else Status.RESOLVED if action in _CLOSED else Status.INFO
        number = shaping.text(body, "alert", "number") or shaping.text(body, "alert", "id")
        what = {"package": shaping.text(body, "alert", "dependency", "package", "name"),
                "rule": shaping.text(body, "alert", "rule", "id"),
                "secret_type": shaping.text(body, "alert", "secret_type")}  # fmt: skip
        about = next(filter(None, what.values()), number)
        return status, number, what, f"{kind.replace('_', ' ')} {action}: {about}"
    return Status.INFO, action, {}, f"GitHub {kind.replace('_', ' ')} {action}".strip()


def _run(body: dict[str, Any], kind: str, source: Source) -> tuple[Status, str, dict[str, str], str]:
    run = body[kind]
    name = shaping.text(run, "name") or shaping.text(run, "app", "name") or kind
    branch = shaping.text(run, "head_branch") or shaping.text(run, "check_suite", "head_branch")
    conclusion = shaping.text(run, "conclusion")
    labels = {
        "branch": branch,
        "workflow": name,
        "conclusion": conclusion,
        "commit": shaping.text(run, "head_sha"),
    }
    status = Status.INFO
    if shaping.text(body, "action") == "completed" and _ours(branch, body, source):
        status = Status.FIRING if conclusion in _FAILED else status
        status = Status.RESOLVED if conclusion == "success" else status
    said = conclusion or shaping.text(run, "status") or shaping.text(body, "action")
    return status, f"{name}:{branch}", labels, f"{name} {said} on {branch or 'no branch'}"


def _ours(branch: str, body: Mapping[str, Any], source: Source) -> bool:
    listed = source.settings.get("branches")
    if isinstance(listed, list) and listed:
        return any(fnmatchcase(branch, str(one)) for one in listed)
    return branch == shaping.text(body, "repository", "default_branch")


def _deployment(body: dict[str, Any]) -> tuple[Status, str, dict[str, str], str]:
    told = body["deployment_status"]
    state = shaping.text(told, "state")
    where = shaping.text(told, "environment") or shaping.text(body, "deployment", "environment")
    status = Status.FIRING if state in _FAILED else Status.RESOLVED if state == "success" else Status.INFO
    if shaping.at(body, "deployment", "transient_environment") is True:
        status = Status.INFO  # a preview: it is the author's business
    labels = {"environment": where, "state": state, "commit": shaping.text(body, "deployment", "sha"),
              "branch": shaping.text(body, "deployment", "ref")}  # fmt: skip
    return status, where, labels, f"Deployment to {where or 'an environment'}: {state}"


def _severity(alert: Any) -> str:
    return (
        shaping.text(alert, "security_advisory", "severity")
        or shaping.text(alert, "rule", "security_severity_level")
        or shaping.text(alert, "rule", "severity")
        or shaping.text(alert, "severity")
    )


def _instant(told: Any) -> int:
    found = told if isinstance(told, dict) else {}
    return instants.rfc3339(found, "updated_at") if isinstance(found.get("updated_at"), str) else 0


def _link(body: Mapping[str, Any], kind: str) -> str:
    told = body.get("alert") if kind in _ALERTS else body.get(kind)
    for name in ("html_url", "log_url", "target_url"):
        if shaping.text(told, name):
            return shaping.text(told, name)
    return shaping.text(body, "repository", "html_url")
