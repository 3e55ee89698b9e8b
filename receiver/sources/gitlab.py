"""GitLab: pipelines, deployments and vulnerabilities; all else as information.

https://docs.gitlab.com/user/project/integrations/webhook_events/. It sends its secret in a header; newer ones sign as
Standard Webhooks says. After four failures GitLab turns a webhook off for a while, after a 4xx for good.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from receiver import shaping, standard_signature, strict_json, tokens
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`X-Gitlab-Token`; or `webhook-signature` as Standard Webhooks, where it is there"
REPEAT = "the same `Idempotency-Key`"
TITLE = "GitLab"
SETUP = """\
1. Project or group → Settings → Webhooks: `https://<tocsin>/hooks/gitlab`, a long random secret token; put it into
   `GITLAB_WEBHOOK_SECRET`. Where GitLab shows a signing token (`whsec_…`), that one.
2. Triggers: pipeline, deployment, vulnerability events.
"""
SETTINGS = {
    "branches": "branches whose failures are conditions, with * for any part; unless named the default branch"
}

_STATES = {"failed": Status.FIRING, "success": Status.RESOLVED}
_FOUND = {
    "detected": Status.FIRING,
    "confirmed": Status.FIRING,
    "resolved": Status.RESOLVED,
    "dismissed": Status.RESOLVED,
}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """A signature that is there must be right, whatever token is there too."""
    if "webhook-signature" in inbound.headers:
        standard_signature.verify(inbound, secrets, source)
        return
    tokens.verify_given(inbound.headers.get("x-gitlab-token", ""), secrets, "X-Gitlab-Token header")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "x-gitlab-token": secret, "user-agent": "GitLab/18.0.0"}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    kind = shaping.text(body, "object_kind") or shaping.needed(body, "event_name")
    told = body.get("object_attributes")
    found = {"pipeline": _pipeline, "deployment": _deployment, "vulnerability": _vulnerability}.get(
        kind, _other
    )
    status, key, labels, title = found(body, told if isinstance(told, dict) else {}, source)
    project = shaping.text(body, "project", "path_with_namespace") or shaping.text(told, "project_id")
    named = {"project": project, "actor": shaping.text(body, "user", "username"), **labels}
    event = Event(
        source=source.name,
        vendor="gitlab",
        kind=kind,
        status=status,
        key=f"{kind}:{project}:{key}",
        title=f"{title}: {project}" if project else title,
        vendor_id=inbound.headers.get("idempotency-key", ""),
        vendor_severity=shaping.text(told, "severity"),
        labels=shaping.plain(named),
        link=shaping.text(told, "url")
        or shaping.text(body, "deployable_url")
        or shaping.text(body, "project", "web_url"),
    )
    return Parsed((shaping.bounded(event),))


_Facts = tuple[Status, str, dict[str, str], str]


def _pipeline(body: Mapping[str, Any], told: Mapping[str, Any], source: Source) -> _Facts:
    branch, state = shaping.text(told, "ref"), shaping.text(told, "status")
    ours = branch == shaping.text(body, "project", "default_branch")
    listed = source.settings.get("branches")
    if isinstance(listed, list) and listed:
        ours = any(fnmatchcase(branch, str(one)) for one in listed)
    status = _STATES.get(state, Status.INFO) if ours else Status.INFO
    return (
        status,
        branch,
        {"branch": branch, "commit": shaping.text(told, "sha")},
        f"Pipeline {state} on {branch}",
    )


def _deployment(body: Mapping[str, Any], told: Mapping[str, Any], source: Source) -> _Facts:
    where, state = shaping.text(body, "environment"), shaping.text(body, "status")
    labels = {"environment": where, "commit": shaping.text(body, "short_sha")}
    return (
        _STATES.get(state, Status.INFO),
        where,
        labels,
        f"Deployment to {where or 'an environment'}: {state}",
    )


def _vulnerability(body: Mapping[str, Any], told: Mapping[str, Any], source: Source) -> _Facts:
    title, state = shaping.text(told, "title"), shaping.text(told, "state")
    key = shaping.text(told, "url") or title
    return (
        _FOUND.get(state, Status.INFO),
        key,
        {"report": shaping.text(told, "report_type")},
        f"Vulnerability {state}: {title}",
    )


def _other(body: Mapping[str, Any], told: Mapping[str, Any], source: Source) -> _Facts:
    kind = shaping.text(body, "object_kind") or shaping.text(body, "event_name")
    return (
        Status.INFO,
        shaping.text(told, "id"),
        {},
        f"GitLab {kind.replace('_', ' ')} {shaping.text(told, 'action')}".strip(),
    )
