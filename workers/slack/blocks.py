"""What Slack shows of a card: blocks of plain text, in which nothing an alert's author wrote is markup or a mention.

Limits: docs.slack.dev/reference/block-kit/blocks (header 150, section 3000 characters, 50 blocks).
"""

from typing import Any, Final

from routing.entry import Verb
from routing.ports import Notification
from workers.card import LABELS, Card
from workers.text import cut

HEADER = 150
SECTION = 3000
TEXT = 3900
"""Of the text for notifications and screen readers, escaped; an update with more than 4000 is refused."""
_STYLES: Final = {
    Verb.ACK: "primary",
    Verb.APPROVE: "primary",
    Verb.DENY: "danger",
    Verb.RESOLVE: "",
    Verb.ESCALATE: "",
}


def text(card: Card) -> str:
    """Heading and body in one, with Slack's three characters escaped: "<!channel>" calls nobody."""
    said = cut(f"{card.heading}\n{card.body}".strip(), TEXT)
    while len(found := _escaped(said)) > TEXT:
        said = cut(said, len(said) * TEXT // len(found) - 1)
    return found


def blocks(card: Card, notification: Notification, *, answerable: bool) -> list[dict[str, Any]]:
    """`answerable`: whether buttons reach us; else there is the link, if it has one."""
    found: list[dict[str, Any]] = [{"type": "header", "text": _plain(card.heading, HEADER)}]
    found += [{"type": "section", "text": _plain(part, SECTION)} for part in (card.stands, card.body) if part]
    remarks = [card.remark, _command(notification)]
    elements = [_plain(each, SECTION) for each in remarks if each]
    if elements:
        found.append({"type": "context", "elements": elements})
    buttons = _buttons(card, notification) if answerable else _link(card, notification)
    if buttons:
        found.append({"type": "actions", "block_id": "answers", "elements": buttons})
    return found


def _buttons(card: Card, notification: Notification) -> list[dict[str, Any]]:
    return [
        {
            "type": "button",
            "action_id": str(verb),
            "value": notification.delivery,
            "text": _plain(LABELS[verb], 75),
        }
        | ({"style": _STYLES[verb]} if _STYLES[verb] else {})
        for verb in card.answers
    ]


def _link(card: Card, notification: Notification) -> list[dict[str, Any]]:
    if not card.answers or not notification.ack_url:
        return []
    label = "Approve or deny" if card.answers[-1] is Verb.DENY and len(card.answers) == 2 else "Acknowledge"  # noqa: PLR2004
    return [{"type": "button", "action_id": "open", "url": notification.ack_url, "text": _plain(label, 75)}]


def _command(notification: Notification) -> str:
    return f"tocsin incidents show {notification.incident}" if notification.incident else ""


def _plain(said: str, limit: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": _fitting(said, limit), "emoji": False}


def _fitting(said: str, limit: int) -> str:
    """Counted as Slack may count: what is beyond the basic plane, like most emoji, counts twice."""
    beyond = len(said.encode("utf-16-le")) // 2 - len(said)
    return cut(said, max(limit // 2, limit - beyond))


def _escaped(said: str) -> str:
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
