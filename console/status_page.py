"""`tocsin status-page`: say in public how it stands, and see what is said."""

from typing import Any

import click

from console.acting import acting
from console.context import connected
from console.doing import public as doing
from console.doing.entries import Who
from console.options import json_option
from console.output import as_json, heading, say, table
from ledger.clock import now_ms
from routing.public import Health, Said


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
    done = doing.publish(
        connected(), Who(by), id, Said(said), message, components, Health(health) if health else None
    )
    for line in done.said:
        say(f"{id}: {line}")


@status_page.command()
@json_option
def show(json: bool) -> None:
    """Show what is said now. --json is the page's own JSON."""
    tell(doing.said(connected(), now_ms()), json=json)


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
    click.echo(doing.drawn(connected(), now_ms()), nl=False)
