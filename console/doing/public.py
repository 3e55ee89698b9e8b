"""What people say in public: how an incident stands."""

from collections.abc import Sequence
from typing import Any

import click

from console.context import Context
from console.doing.entries import Done, Who, do
from console.output import plain
from console.refusals import Clash, Nowhere
from ledger.clock import now_ms
from ledger.views.status_page import board, documents, facts, records
from routing.entry import Published
from routing.policy import StatusPage
from routing.public import Health, Said

MOST = 2_000
"""Characters of what is said."""


def page_of(context: Context) -> StatusPage:
    """Raises Nowhere."""
    process = context.policy.process
    if process is None or process.status_page is None:
        raise Nowhere("there is no status page; write `status_page` into config/process.yaml")
    return process.status_page


def said(context: Context, now: int) -> dict[str, Any]:
    """What stands there, in the shape that others' status pages have. Raises Nowhere."""
    return facts(board(page_of(context), records(context.client, context.keys), now))


def drawn(context: Context, now: int) -> str:
    """The page as customers see it, as HTML. Raises Nowhere."""
    found = documents(page_of(context), records(context.client, context.keys), now)
    return found["index.html"].decode()


def publish(
    context: Context, who: Who, incident: str, what: Said, text: str = "", components: Sequence[str] = (),
    health: Health | None = None,
) -> Done:  # fmt: skip
    """`text` "" takes the template's words. Raises Nowhere, Clash, click.UsageError, Undecided."""
    page = page_of(context)
    if len(text) > MOST:
        raise click.UsageError(f"the message has {len(text)} characters; write at most {MOST:,}")
    for service in components:
        if service not in page.components:
            raise click.UsageError(f"no component {service!r}; there are {', '.join(page.components)}")
    if not context.store.is_live(incident):
        raise Clash(f"no incident {incident!r} that can still be spoken of; see: tocsin incidents list --all")
    entry = Published(
        at=now_ms(), by=who.name, client=who.client, incident=incident, said=what, text=plain(text).strip(),
        components=list(components), health=health,
    )  # fmt: skip
    return do(context, who, entry, incident)
