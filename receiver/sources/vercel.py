"""Vercel: account and integration webhooks.

https://vercel.com/docs/webhooks/webhooks-api. One deployment goes through several types. Two matter most: a
failed build (`deployment.error`) is a condition of its project and target, which leaves what is live
untouched; a success with target production means that new code is live. So a production success brings two
events: the deployment itself, as information, and the end of the failed build that may have been before it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from receiver import hmacs, strict_json
from routing.errors import BadSignature
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`x-vercel-signature`, HMAC-SHA1 over the body"
REPEAT = "the same type and deployment, where it comes once to each; else the same delivery too"
TITLE = "Vercel"
SETUP = """\
1. Team settings → Webhooks → `https://<tocsin>/hooks/vercel`; deployment events, projects as you like.
2. Put the secret, which is shown once, into `VERCEL_WEBHOOK_SECRET`.
3. To find deployments we were not told of: `poll`, with a token of the team.
"""

FAILED_BUILD = "deployment.error"
WENT_LIVE = frozenset({"deployment.succeeded", "deployment.ready"})
"""With target production. `deployment.ready` is the older name."""
ONCE = frozenset({
    "deployment.canceled", "deployment.created", "deployment.error", "deployment.ready", "deployment.succeeded"
})  # fmt: skip
"""Of one deployment each comes once."""
OPENS = frozenset({
    "ai-gateway.auto-reload.limit-reached",
    "ai-gateway.balance-depleted",
    "alerts.triggered",
    "botid.anomaly",
    "budget.reached",
    "deployment.blocked",
    "deployment.checks.failed",
    "domain.certificate.add.failed",
    "domain.certificate.renew.failed",
    "domain.renewal.failed",
    "domain.transfer-in.failed",
    "firewall.attack",
    "firewall.custom-rule-anomaly",
    "firewall.system-rule-anomaly",
    "function.removal-required",
    "observability.anomaly",
    "observability.anomaly-botId",
    "observability.anomaly-error",
    "observability.error-anomaly",
    "observability.usage-anomaly",
    "project.domain.unverified",
    "project.rolling-release.aborted",
    FAILED_BUILD,
})  # fmt: skip
CLOSES = {
    "deployment.checks.succeeded": "deployment.checks.failed",
    "domain.certificate.add": "domain.certificate.add.failed",
    "domain.certificate.renew": "domain.certificate.renew.failed",
    "domain.renewal": "domain.renewal.failed",
    "domain.transfer-in.completed": "domain.transfer-in.failed",
    "project.domain.verified": "project.domain.unverified",
    "project.rolling-release.completed": "project.rolling-release.aborted",
}
"""The type that ends a condition -> the type that began it."""

_HYPHENATED = frozenset({"deployment", "project", "domain"})
_LEGACY = {
    "deployment": "deployment.created",
    "deployment-check-rerequested": "deployment.check-rerequested",
    "integration-configuration-permission-updated": "integration-configuration.permission-upgraded",
    "integration-configuration-removed": "integration-configuration.removed",
    "integration-configuration-scope-change-confirmed": "integration-configuration.scope-change-confirmed",
}
"""Old names that are more than another spelling."""
_NOT_SHOWN = frozenset({"team", "user", "links", "regions", "deployment"})


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """`x-vercel-signature` is the hex HMAC-SHA1 of the body; Vercel signs no time, so none is checked."""
    header = inbound.headers.get("x-vercel-signature", "")
    if not header:
        raise BadSignature(
            "no x-vercel-signature header", "is this really Vercel? `tocsin send vercel ...` signs as it does"
        )
    if not hmacs.matches("sha1", inbound.body, header, secrets):
        raise BadSignature(
            "the signature does not match the body", "check VERCEL_WEBHOOK_SECRET: each webhook has its own"
        )


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    signature = hmacs.hexdigest("sha1", body, secret)
    return {"content-type": "application/json", "user-agent": "Vercel", "x-vercel-signature": signature}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event; two for a production deployment that succeeded. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    kind = dotted(strict_json.text_of(body, "type"))
    payload = body.get("payload")
    event = _event(
        body, kind, strict_json.object_of(payload if payload is not None else {}, "payload"), source
    )
    if kind in WENT_LIVE and event.labels.get("target") == "production":
        return Parsed((event, _healed(event)))
    return Parsed((event,))


def dotted(kind: str) -> str:
    """Legacy names have hyphens: "deployment-error" is "deployment.error"."""
    if kind in _LEGACY:
        return _LEGACY[kind]
    head, hyphen, rest = kind.partition("-")
    if hyphen and "." not in kind and head in _HYPHENATED:
        return f"{head}.{rest.replace('-', '.')}"
    return kind


def _event(body: Mapping[str, Any], kind: str, payload: Mapping[str, Any], source: Source) -> Event:
    labels = _labels(payload)
    began = CLOSES.get(kind)
    deployment = labels.get("deployment", "")
    return Event(
        source=source.name,
        vendor="vercel",
        kind=kind[:200],
        status=Status.RESOLVED if began else Status.FIRING if kind in OPENS else Status.INFO,
        key=_key(began or kind, payload, labels)[:300],
        title=(_text(_alert(payload), "title") or _title(kind, labels))[:200],
        summary=_summary(labels) or _measured(_alert(payload)),
        vendor_id=_delivery(body, kind, deployment),
        vendor_severity=_severity(kind),
        labels=labels,
        details=_details(payload),
        starts_at=_created(body),
        link=_text(payload, "links", "deployment")
        or _text(payload, "links", "project")
        or _text(payload, "links", "observability"),
    )


def _healed(success: Event) -> Event:
    """The next production success of a project ends its failed build, whichever deployment that was."""
    labels = success.labels
    return Event(
        source=success.source,
        vendor=success.vendor,
        kind=FAILED_BUILD,
        status=Status.RESOLVED,
        key=_target_key(labels),
        title=f"Build of {_name(labels)} works again",
        vendor_id=success.vendor_id,
        labels=labels,
        starts_at=success.starts_at,
        ends_at=success.starts_at,
        link=success.link,
    )


def _key(kind: str, payload: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Failed builds go by project and target; previews by deployment too, since they heal one by one."""
    if kind == FAILED_BUILD or kind.startswith("deployment.checks"):
        return _target_key(labels)
    if labels.get("deployment"):
        return f"deployment:{labels['deployment']}"
    about = (
        _text(payload, "domain")
        or _text(payload, "domain", "name")
        or labels.get("project", "")
        or _team(payload)
    )
    which = _text(payload, "groupId") or _text(_alert(payload), "metric") or _text(_alert(payload), "type")
    return f"{kind}:{about}{which and f':{which}'}"


def _alert(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of the alerts that `alerts.triggered` tells; {} of anything else."""
    found = payload.get("alerts")
    return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def _measured(alert: Mapping[str, Any]) -> str:
    """As in: http_5xx: 412, usually 3."""
    count, average = alert.get("count"), alert.get("average")
    if not isinstance(count, int | float):
        return ""
    usual = f", usually {average:g}" if isinstance(average, int | float) else ""
    return f"{_text(alert, 'metric') or 'count'}: {count:g}{usual}"


def _target_key(labels: Mapping[str, str]) -> str:
    project = labels.get("project") or labels.get("project_name") or ""
    if labels.get("target") == "production":
        return f"deployment:{project}:production"
    return f"deployment:{project}:preview:{labels.get('deployment', '')}"


def _labels(payload: Mapping[str, Any]) -> dict[str, str]:
    """`project` is the id, which Vercel's API wants; `project_name` is for people."""
    meta = payload.get("deployment")
    commit = meta.get("meta") if isinstance(meta, dict) else {}
    held = commit if isinstance(commit, dict) else {}
    named = {
        "project": _text(payload, "project", "id") or _text(payload, "projectId"),
        "project_name": _text(payload, "deployment", "name")
        or _text(payload, "projectSlug")
        or _text(payload, "project", "name")
        or _text(payload, "name"),
        "team_id": _team(payload),
        "deployment": _text(payload, "deployment", "id") or _text(payload, "toDeploymentId"),
        "url": _text(payload, "deployment", "url"),
        "branch": _git(held, "CommitRef"),
        "commit": _git(held, "CommitSha"),
        "author": _git(held, "CommitAuthorLogin") or _git(held, "CommitAuthorName"),
    }
    labels = {name: value for name, value in named.items() if value}
    if labels.get("deployment"):
        labels["target"] = _text(payload, "target") or "preview"
    return labels


def _git(meta: Mapping[str, Any], name: str) -> str:
    """Whoever hosts the code, its facts are named alike: githubCommitRef, gitlabCommitRef."""
    for host in ("github", "gitlab", "bitbucket"):
        found = meta.get(f"{host}{name}")
        if isinstance(found, str) and found:
            return found[:200]
    return ""


def _delivery(body: Mapping[str, Any], kind: str, deployment: str) -> str:
    """`id` names the delivery, not what happened: type and deployment are added. "" without one.

    What comes once to a deployment is known by that alone, so that it is the same however we came to know of it.
    """
    if kind in ONCE and deployment:
        return f"{kind}:{deployment}"[:300]
    id_ = _text(body, "id")
    return f"{id_}:{kind}:{deployment}"[:300] if id_ else ""


def _title(kind: str, labels: Mapping[str, str]) -> str:
    what = {
        FAILED_BUILD: "Build failed",
        "deployment.succeeded": "Deployed",
        "deployment.promoted": "Promoted",
        "deployment.rollback": "Rolled back",
        "deployment.canceled": "Deployment canceled",
    }.get(kind, f"Vercel {kind}")
    target = labels.get("target", "")
    return f"{what}: {_name(labels)}{target and f' ({target})'}"


def _name(labels: Mapping[str, str]) -> str:
    return labels.get("project_name") or labels.get("project") or "the team"


def _summary(labels: Mapping[str, str]) -> str:
    parts = (
        labels.get("branch") and f"branch {labels['branch']}",
        labels.get("commit") and f"commit {labels['commit'][:12]}",
        labels.get("author") and f"by {labels['author']}",
    )
    return ", ".join(part for part in parts if part)


_SEVERITIES = {
    FAILED_BUILD: "error",
    "alerts.triggered": "error",
    "deployment.canceled": "warning",
    "domain.certificate.renew.failed": "error",
    "domain.renewal.failed": "error",
    "firewall.attack": "critical",
    "observability.error-anomaly": "error",
}
"""Vercel has no words for it; these are ours, for those that no rule of the configuration grades."""


def _severity(kind: str) -> str:
    return _SEVERITIES.get(kind) or ("warning" if kind in OPENS else "")


def _details(payload: Mapping[str, Any]) -> dict[str, str]:
    """What the payload says in plain values, and is not in the labels already."""
    plain = {name: value for name, value in payload.items() if name not in _NOT_SHOWN}
    return {
        name[:80]: str(value)[:500]
        for name, value in list(plain.items())[:20]
        if isinstance(value, str | int)
    }


def _created(body: Mapping[str, Any]) -> int:
    return strict_json.whole_of(body, "createdAt") if body.get("createdAt") is not None else 0


def _team(payload: Mapping[str, Any]) -> str:
    return _text(payload, "team", "id") or _text(payload, "teamId")


def _text(holder: Mapping[str, Any], *path: str) -> str:
    found: Any = holder
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found[:500] if isinstance(found, str) else ""
