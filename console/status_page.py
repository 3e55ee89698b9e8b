"""`tocsin status-page`: say in public how it stands, and see what is said."""

from typing import Any

import click

from console.acting import acting
from console.context import Context, connected
from console.decided import act
from console.options import json_option
from console.output import as_json, heading, plain, say, table
from ledger.clock import now_ms
from ledger.views.status_page import board, documents, facts, records
from routing.entry import Published
from routing.policy import StatusPage
from routing.public import Health, Said

MOST = 2_000
"""Characters of what is said."""


@click.group("status-page")
def status_page() -> None:
    """Say in public how it stands, and see what is said there."""


@status_page.command()
@click.argument("ID")
@click.option("--status", "said", required=True, type=click.Choice([each.value for each in Said]))
@click.option(
    "--message", default="", metavar="TEXT", help="In public, word for word. Default: the template's."
)
@click.option(
    "--component", "components", multiple=True, metavar="SERVICE", help="Of which; can be repeated."
)
@click.option(
    "--health", type=click.Choice([each.value for each in Health]), help="How it does. Default: by severity."
)
@acting
def update(
    id: str, said: str, message: str, components: tuple[str, ...], health: str | None, by: str,  # noqa: A002
) -> None:  # fmt: skip
    """Say how incident ID stands: on the page, its feed, and the pages of vendors that are told."""
    if len(message) > MOST:
        raise click.UsageError(f"--message has {len(message)} characters; write at most {MOST:,}")
    context = connected()
    _known(_page(context), components)
    if not context.store.is_live(id):
        raise click.ClickException(
            f"no incident {id!r} that can still be spoken of; see: tocsin incidents list --all"
        )
    entry = Published(
        at=now_ms(), by=by, incident=id, said=Said(said), text=plain(message).strip(), components=list(components),
        health=Health(health) if health else None,
    )  # fmt: skip
    act(context, entry, incident=id)


@status_page.command()
@json_option
def show(json: bool) -> None:
    """Show what is said now. --json is the page's own JSON."""
    context = connected()
    tell(facts(board(_page(context), records(context.client, context.keys), now_ms())), json=json)


def tell(found: dict[str, Any], *, json: bool) -> None:
    """Said alike beside the store and over a console."""
    if json:
        as_json(found)
        return
    heading(f"{found['page']['name']}: {found['status']['description']}")
    rows = [(each["name"], Health(each["status"]).words) for each in found["components"]]
    table(("COMPONENT", "STATUS"), rows)
    for each in found["incidents"]:
        heading(f"{each['name']}: {each['status']}")
        say(each["updates"][0]["body"])


@status_page.command()
def html() -> None:
    """Print the page as customers see it."""
    context = connected()
    page = _page(context)
    click.echo(
        documents(page, records(context.client, context.keys), now_ms())["index.html"].decode(), nl=False
    )


def _page(context: Context) -> StatusPage:
    process = context.policy.process
    if process is None or process.status_page is None:
        raise click.ClickException("there is no status page; write `status_page` into config/process.yaml")
    return process.status_page


def _known(page: StatusPage, services: tuple[str, ...]) -> None:
    for service in services:
        if service not in page.components:
            raise click.UsageError(f"no component {service!r}; there are {', '.join(page.components)}")
