"""The commands `tocsin receiver`, `tocsin send` and `tocsin heartbeat`."""

import sys

import click


@click.command()
@click.option("--host", default=None, help="Address to listen on; TOCSIN_RECEIVER_HOST, else 127.0.0.1.")
@click.option("--port", type=int, default=None, help="TOCSIN_RECEIVER_PORT, else 8080.")
def receiver(host: str | None, port: int | None) -> None:
    """Take in what vendors send: the process that faces the internet."""
    from ledger import logs, sentry  # noqa: PLC0415  # other commands need not load the server
    from receiver.serve import serve  # noqa: PLC0415
    from receiver.settings import environment, from_env  # noqa: PLC0415

    logs.configure()
    try:
        sentry.start(environment())
        settings = from_env()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    sys.exit(serve(settings, environment(), host=host or settings.host, port=port or settings.port))


def _changes(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in given]
    if any(not path or not equals for path, equals, _ in pairs):
        raise click.BadParameter("write PATH=VALUE, as in data.object.amount=100")
    return [(path, value) for path, _, value in pairs]


@click.command()
@click.argument("source", required=False, default="")
@click.argument("sample", required=False, default="")
@click.option("--count", type=click.IntRange(1), default=1, help="How many, each with a fresh id and time.")
@click.option("--id", "id_", default="", help="The event's id, instead of a fresh one.")
@click.option(
    "--set", "changes", multiple=True, callback=_changes, metavar="PATH=VALUE", help="Change the body."
)
@click.option("--url", default="", help="The receiver; default http://127.0.0.1 and its port.")
@click.option("--list", "listing", is_flag=True, help="Show the samples there are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def send(*, source: str, sample: str, count: int, id_: str, changes: list[tuple[str, str]], url: str,
         listing: bool, as_json: bool) -> None:  # fmt: skip
    """Send SAMPLE as the vendor of SOURCE would: its shape, its signature, the real endpoint.

    Prints the ids of what was kept. Exit status 1 when anything was not.
    """
    from receiver.play import play, show_samples  # noqa: PLC0415  # loaded when it is this command that runs
    from receiver.samples import Wanted  # noqa: PLC0415

    if listing:
        show_samples(source, as_json=as_json)
        return
    if not source or not sample:
        raise click.UsageError("name a SOURCE and a SAMPLE; `tocsin send --list` shows them")
    try:
        good = play(source, sample, count, Wanted(id_, changes), url, as_json=as_json)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    sys.exit(0 if good else 1)


@click.command()
@click.argument("job")
@click.option("--source", default="", help="The source of vendor heartbeat, if there are several.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def heartbeat(job: str, source: str, *, as_json: bool) -> None:
    """Print the addresses at which JOB says that it started, ran or failed. They hold a key: keep them private."""
    from receiver import heartbeats  # noqa: PLC0415  # loaded when it is this command that runs

    heartbeats.show(job, source, as_json=as_json)
