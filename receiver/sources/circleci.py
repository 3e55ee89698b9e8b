"""CircleCI's workflows and jobs.

https://circleci.com/docs/outbound-webhooks/. Only version 1 of its signature counts: what else is in the list, or will
be, is not asked. A failed workflow is a condition on `branches`, main and master unless you say which.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from receiver import hmacs, instants, shaping, strict_json
from routing.errors import BadSignature
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "`circleci-signature` (`v1`), HMAC-SHA256 over the body"
REPEAT = "the same event id, which is signed"
TITLE = "CircleCI"
SETUP = """\
1. Project settings → Webhooks: `https://<tocsin>/hooks/circleci`, *Workflow Completed*, a long random secret; put it
   into `CIRCLECI_WEBHOOK_SECRET`.
"""
SETTINGS = {
    "branches": "branches whose failures are conditions, with * for any part; [main, master] unless named"
}

_STATES = {"failed": Status.FIRING, "error": Status.FIRING, "success": Status.RESOLVED}
_MOST = 16


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    given = [part.strip() for part in inbound.headers.get("circleci-signature", "").split(",")][:_MOST]
    signatures = [part.removeprefix("v1=") for part in given if part.startswith("v1=")]
    if not signatures:
        raise BadSignature("no circleci-signature header of the form v1=…", "give the webhook a secret")
    if not any(hmacs.matches("sha256", inbound.body, each, secrets) for each in signatures):
        raise BadSignature("no v1 signature matches the body", "check CIRCLECI_WEBHOOK_SECRET")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "circleci-signature": f"v1={hmacs.hexdigest('sha256', body, secret)}",
    }


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    body = strict_json.object_of(strict_json.loads(inbound.body))
    id_, kind = shaping.needed(body, "id"), shaping.needed(body, "type")
    what = "workflow" if isinstance(body.get("workflow"), dict) and kind.startswith("workflow") else "job"
    name, state = shaping.text(body, what, "name") or what, shaping.text(body, what, "status")
    project, branch = shaping.text(body, "project", "slug"), shaping.text(body, "pipeline", "vcs", "branch")
    listed = source.settings.get("branches", ["main", "master"])
    ours = any(fnmatchcase(branch, str(one)) for one in (listed if isinstance(listed, list) else ()))
    event = Event(
        source=source.name,
        vendor="circleci",
        kind=kind,
        status=_STATES.get(state, Status.INFO) if ours and kind == "workflow-completed" else Status.INFO,
        key=f"{what}:{project}:{name}:{branch}",
        title=f"{name} {state or kind}: {project}".strip(": "),
        vendor_id=id_,
        labels=shaping.plain({"project": project, "branch": branch, "workflow": name, "conclusion": state,
                              "commit": shaping.text(body, "pipeline", "vcs", "revision")}),
        starts_at=instants.rfc3339(body, "happened_at"),
        link=shaping.text(body, what, "url"),
    )  # fmt: skip
    return Parsed((shaping.bounded(event),))
