"""`tocsin alerts`: write a probe in one line, and send an alert's event through the real pipeline to see what comes."""

from collections.abc import Sequence
from pathlib import Path

import click

from console import drafting
from console.acting import acting
from console.context import connected
from console.doing import alerts as doing
from console.doing.entries import Who
from console.drafting import FILE, Worded, draft
from console.options import Duration
from console.output import say
from ledger import policies
from ledger.settings import from_env


@click.group()
def alerts() -> None:
    """Write probes, and try what their alerts would bring about."""


@alerts.command()
@click.option("--name", required=True, help="A name to find it by, like api-slow.")
@click.option("--condition", required=True, help='When it fires, like "response-time > 2000ms".')
@click.option(
    "--duration", "lasting", type=Duration(), default="2m", show_default=True, help="How long it must last."
)
@click.option(
    "--severity", default="warning", show_default=True, help="In a vendor's words, for severity.yaml's rules."
)
@click.option(
    "--url",
    default="/",
    show_default=True,
    help="A path of the site, or an address; a host for certificates, HOST:PORT for connections.",
)
@click.option("--title", default="", help="What people are told. Default: the condition.")
@click.option("--kind", default="", help="What rules match. Default: made of the name, like ApiSlow.")
@click.option("--service", default="", help="Which service it is about.")
@click.option("--config", type=click.Path(path_type=Path), help="Folder to write to. Default: TOCSIN_CONFIG.")
@click.option("--dry-run", is_flag=True, help="Print what would be written.")
def create(  # one option each
    name: str, condition: str, lasting: int, severity: str, url: str, title: str, kind: str, service: str,
    config: Path | None, dry_run: bool,
) -> None:  # fmt: skip
    """Write a probe into probes.yaml; it goes live with the configuration, if that is good with it.

    Conditions: response-time > 2000ms, connect-time > 500ms, status != 200, content != TEXT, certificate-days < 14.
    """
    one = draft(Worded(name, condition, lasting, severity, url, title, kind, service))
    if dry_run:
        click.echo(one.text, nl=False)
        return
    folder = config or from_env().config_dir
    _write(folder / Path(FILE).name, drafting.whole(policies.read_files(folder), one))
    say(f"{name} written: {one.when}")
    say("try what that brings about: tocsin alerts test " + name)


def _write(path: Path, text: str) -> None:
    """As a whole, or not at all."""
    new = path.with_suffix(".yaml.new")
    new.write_text(text)
    new.replace(path)


@alerts.command()
@click.argument("NAME")
@click.option("--resolve", is_flag=True, help="Say at once that it is over, too.")
@acting
def test(name: str, resolve: bool, by: str) -> None:
    """Send the event that probe NAME fires through the real pipeline: it pages whom it would page.

    Title and labels say that it is a test.
    """
    done = doing.test(connected(), Who(by), name, resolve=resolve)
    tell(done.entry, done.said, done.incident)


def tell(entry: str, said: Sequence[str], incident: str) -> None:
    """Said alike beside the store and over a console."""
    first, *rest = said
    say(f"{entry}: {first}")
    for line in rest:
        say(line)
    say(f"who was told, and why: tocsin why {incident or entry}")
