"""One dead letter: why, what came, what was tried; mend it, see whether it reads, bring it through."""

import json

import click
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.doing import dead as doing
from console.refusals import Nowhere
from console.reviving import MENDABLE
from console.serving.site import site_of
from console.serving.view import Facts, NotFound, View, act, page
from console.trust.acts import Act
from console.trust.guard import guarded
from console.written_out import Editable, editable, read
from ledger.dead import DeadLetter, Fate
from ledger.views import why as life
from routing import redaction
from routing.errors import TocsinError

SHOWN = 65_536
"""Characters of a body on the page; the whole of it can be fetched."""
DUMPED = 4_096
EDITED = 500_000
"""Characters of a body that can be edited here: a form takes up to four bytes for each."""
_WAYS = ("pretty", "received", "hex")


def ask(view: View) -> Facts:
    letter = _letter(view)
    how = view.query.get("as", "pretty")
    how = how if how in _WAYS else "pretty"
    open_ = view.actor.may(Act.EDIT_DEAD)
    return {
        "letter": letter,
        "how": how,
        "ways": _WAYS if open_ else ("pretty",),
        "body": _body(letter, how if open_ else "pretty"),
        "cut": len(letter.raw) > SHOWN,
        "life": [stage for each in life(view.context.store, letter.id) for stage in each.stages],
        "mendable": letter.kind in MENDABLE,
        "reads": _reads(view, letter),
        "can": {each: view.actor.may(each) for each in (Act.EDIT_DEAD, Act.REPLAY_DEAD, Act.DROP_DEAD)},
        "text": _text(letter) if open_ and letter.kind in MENDABLE and "edit" in view.query else None,
        "waits": letter.status is Fate.WAITING,
        "retried": view.query.get("retried", ""),
    }  # fmt: skip


def _letter(view: View) -> DeadLetter:
    try:
        return doing.one(view.context, view.path["id"])
    except Nowhere as error:
        raise NotFound(f"no dead letter {view.path['id'][:40]!r}") from error


def _reads(view: View, letter: DeadLetter) -> tuple[bool, str]:
    """Whether it could be brought through now, and what as or why not."""
    if letter.kind not in MENDABLE:
        return True, f"{letter.subject or 'its work'} is done again"
    try:
        return True, f"it reads as {doing.reads_as(view.context, letter)}"
    except (TocsinError, click.ClickException) as error:
        return False, str(error)


def _body(letter: DeadLetter, how: str) -> str:
    if how == "hex":
        return _dump(letter.raw[:DUMPED])
    if how == "received":
        return letter.raw[:SHOWN].decode(errors="backslashreplace")
    return _pretty(redaction.body(letter.raw))[:SHOWN]


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _dump(raw: bytes) -> str:
    """Offset, sixteen bytes, and what of them can be read."""
    lines = []
    for at in range(0, len(raw), 16):
        part = raw[at : at + 16]
        readable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)  # noqa: PLR2004  # ASCII
        lines.append(f"{at:06x}  {part.hex(' ', 1):<47}  {readable}")
    return "\n".join(lines)


def _text(letter: DeadLetter) -> Editable | None:
    """The body for editing; None where it is no text, or too large for a form."""
    try:
        text = letter.raw.decode()
    except UnicodeDecodeError:
        return None
    found = editable(text) if len(text) <= EDITED else None
    return found if found and len(found.text) <= EDITED else None


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────


def edit(view: View) -> str:
    letter = _letter(view)
    raw = view.form.get("body", "")
    text = raw.replace("\r\n", "\n") if isinstance(raw, str) else ""
    text = read(text) if view.sent("escaped") else text
    doing.edit(view.context, view.who, letter.id, text.encode("utf-8", "surrogatepass"))
    return f"/dead/{letter.id}?edit=1#mend"


def retry(view: View) -> str:
    letter = _letter(view)
    (outcome,) = doing.retry(view.context, view.who, [letter])
    if outcome.error:
        raise click.ClickException(f"kept: {outcome.error}")
    return f"/dead/{letter.id}?retried={','.join(outcome.entered[:20])}"


def drop(view: View) -> str:
    letter = _letter(view)
    (outcome,) = doing.drop(view.context, view.who, [letter])
    if outcome.error:
        raise click.ClickException(outcome.error)
    return f"/dead/{letter.id}"


def restore(view: View) -> str:
    letter = _letter(view)
    doing.restore(view.context, view.who, letter.id)
    return f"/dead/{letter.id}"


async def body(request: Request) -> Response:
    """What was received, byte by byte, as a file: nothing a browser would show or run."""
    site = site_of(request)
    letter = await site.read(doing.one, site.context, request.path_params["id"])
    name = f"attachment; filename={letter.id}.bin"
    return Response(letter.raw, media_type="application/octet-stream", headers={"content-disposition": name})


ROUTES = [
    Route("/dead/{id}", page(Act.READ, "dead_letter.html", ask)),
    Route("/dead/{id}/body", guarded(Act.EDIT_DEAD, body)),
    Route("/dead/{id}/edit", act(Act.EDIT_DEAD, edit), methods=["POST"]),
    Route("/dead/{id}/retry", act(Act.REPLAY_DEAD, retry), methods=["POST"]),
    Route("/dead/{id}/drop", act(Act.DROP_DEAD, drop), methods=["POST"]),
    Route("/dead/{id}/restore", act(Act.DROP_DEAD, restore), methods=["POST"]),
]
