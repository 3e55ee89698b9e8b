"""A workflow of Teams: takes adaptive cards of a message, as large as Teams shows them, and refuses all else."""

import json
from typing import Any

from vendor_server import Asked, Reply, VendorServer

SECRET = "sig-of-the-workflow"
PATH = "/workflows/abc/triggers/manual/paths/invoke"
_KINDS = {"RichTextBlock"}


class TeamsStandin(VendorServer):
    def __init__(self) -> None:
        super().__init__()
        self.cards: list[dict[str, Any]] = []

    @property
    def workflow(self) -> str:
        return f"{self.url}{PATH}?sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SECRET}"

    def settings(self, **changes: Any) -> dict[str, Any]:
        return {"workflows": {"ops": self.workflow}, **changes}

    def fault(self, status: int) -> Any:
        return {"error": {"code": "ScriptedFault", "message": f"scripted {status}, and what it was sent"}}

    def answer(self, asked: Asked) -> Reply:
        if asked.path != PATH:
            return Reply(404, {"error": {"code": "WorkflowNotFound", "message": "not found"}})
        if asked.query.get("sig") != [SECRET]:
            return Reply(
                401, {"error": {"code": "DirectApiAuthorizationRequired", "message": "no signature"}}
            )
        if asked.headers.get("content-type") != "application/json" or not _is_message(asked.body):
            return Reply(400, {"error": {"code": "TriggerInputSchemaMismatch", "message": "does not match"}})
        if len(asked.body) > 28_000:
            return Reply(413, {"error": {"code": "RequestEntityTooLarge", "message": "too large"}})
        self.cards.append(asked.json["attachments"][0]["content"])
        run = f"0858{len(self.cards):010d}"
        return Reply(202, b"", {"x-ms-workflow-run-id": run})


def texts(card: dict[str, Any]) -> list[str]:
    return [run["text"] for block in card["body"] for run in block["inlines"]]


def _is_message(raw: bytes) -> bool:
    try:
        given = json.loads(raw)
        (attached,) = given["attachments"]
    except (ValueError, KeyError):
        return False
    kind = "application/vnd.microsoft.card.adaptive"
    return (
        given.get("type") == "message"
        and attached.get("contentType") == kind
        and is_card(attached["content"])
    )


def is_card(given: dict[str, Any]) -> bool:
    """Whether Teams shows it: what it does not know it leaves out without a word."""
    sound = given.get("type") == "AdaptiveCard" and given.get("version") in {"1.4", "1.5"}
    return (
        sound
        and bool(given.get("body"))
        and all(map(_is_block, given["body"]))
        and all(map(_is_action, given.get("actions", [])))
    )


def _is_block(given: dict[str, Any]) -> bool:
    runs = given.get("inlines", [])
    return (
        given.get("type") in _KINDS
        and bool(runs)
        and all(run.get("type") == "TextRun" and run.get("text") for run in runs)
    )


def _is_action(given: dict[str, Any]) -> bool:
    return (
        given.get("type") == "Action.OpenUrl"
        and bool(given.get("title"))
        and given["url"].startswith("https://")
    )
