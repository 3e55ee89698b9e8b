"""Commands in a chat, like `ack INC-12`, `status INC-12 text`, `list`, and what is answered to them."""

import re
from collections.abc import Iterable
from typing import Final

from routing.entry import Command, Speaker, Verb
from routing.incident import Incident, Phase
from routing.instant import iso

HELP: Final = (
    "Write: ack INC-12, resolve INC-12, escalate INC-12, approve INC-12, deny INC-12, "
    "status INC-12 how it stands, list, help."
)
LIST: Final = "list"
"""What `read` returns where the open incidents are asked for."""
MOST_READ: Final = 2000
_LISTED: Final = 10
_VERBS: Final = {
    "ack": Verb.ACK,
    "acknowledge": Verb.ACK,
    "resolve": Verb.RESOLVE,
    "escalate": Verb.ESCALATE,
    "status": Verb.STATUS,
    "approve": Verb.APPROVE,
    "deny": Verb.DENY,
}
_VIA: Final = "Slack"
_WORDS: Final = re.compile(
    r"\s*(?P<verb>[a-z]+)(?:\s+#?(?:inc-)?(?P<number>\d{1,12}))?(?:\s+(?P<text>.*?))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_MOST_TEXT: Final = 2000


def read(text: str, who: Speaker, at: int) -> Command | str:
    """What is wanted, or what to answer instead. `at` in ms."""
    found = _WORDS.fullmatch(text)
    verb = _VERBS.get(found["verb"].lower()) if found else None
    if found is not None and found["verb"].lower() == LIST:
        return LIST
    if found is None or verb is None:
        return HELP if not text.strip() or text.strip().lower() == "help" else f"Not understood. {HELP}"
    if not found["number"]:
        return f"Which incident? Write {found['verb'].lower()} INC-12; list shows those that are open."
    said = (found["text"] or "")[:_MOST_TEXT]
    if verb is Verb.STATUS and not said:
        return f"How does it stand? Write status INC-{found['number']} and a sentence."
    if verb is not Verb.STATUS and said:
        return f"Not understood after INC-{found['number']}. {HELP}"
    by = f"{who.name or who.id} ({_VIA})"
    return Command(
        at=at, by=by, incident=f"INC-{int(found['number'])}", verb=verb, text=said, via=_VIA, who=who
    )


def done(said: Command, incident: Incident) -> str:
    """What its author sees: it is kept, and how the incident stood before it counts."""
    if incident.phase is Phase.RESOLVED:
        return (
            f"{incident.id} is resolved already, since {iso(incident.resolved_at)}: {_plain(incident.title)}"
        )
    if said.verb is Verb.ACK and incident.phase is Phase.ACKNOWLEDGED:
        return f"{_plain(incident.acknowledged_by)} has {incident.id} already: {_plain(incident.title)}"
    return f"Noted: {said.verb} {incident.id}, {_plain(incident.title)}"


def listed(incidents: Iterable[Incident]) -> str:
    """The worst that are open, the oldest first among those as bad."""
    opened = [each for each in incidents if each.phase is not Phase.RESOLVED]
    opened.sort(key=lambda each: (each.severity, each.opened_at))
    if not opened:
        return "Nothing is open."
    lines = [_line(each) for each in opened[:_LISTED]]
    rest = len(opened) - len(lines)
    return "\n".join([*lines, *([f"and {rest} more: tocsin incidents list"] if rest else [])])


def _line(incident: Incident) -> str:
    has = (
        f"{_plain(incident.acknowledged_by)} has it"
        if incident.phase is Phase.ACKNOWLEDGED
        else "nobody has it"
    )
    return (
        f"{incident.id} {incident.severity} {_plain(incident.title)}, since {iso(incident.opened_at)}, {has}"
    )


def _plain(text: str) -> str:
    """Without markup: "<!channel>" calls nobody."""
    clean = " ".join(text.split())[:200]
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
