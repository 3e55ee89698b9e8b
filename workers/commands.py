"""The commands `tocsin up`, `tocsin worker` and `tocsin watchdog`."""

import click
from redis.exceptions import RedisError

from ledger import logs, sentry
from routing.errors import ConfigError, TocsinError
from workers.queues import QUEUES
from workers.settings import WorkerSettings, environment, from_env


def _begin() -> WorkerSettings:
    """Each process: how it logs, where its errors go, what it is told."""
    logs.configure()
    try:
        sentry.start(environment())
        return from_env()
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@click.command()
def up() -> None:
    """Run all of it in this terminal, on a database of its own, until Ctrl-C."""
    from workers.supervisor import Supervisor  # noqa: PLC0415  # workers do not need what it needs

    settings = _begin()
    try:
        Supervisor(settings, environment()).run()
    except ConfigError:
        raise  # told fault by fault by the command's entry point
    except RedisError as error:
        raise click.ClickException(f"Redis does not answer: {error}") from error
    except (TocsinError, OSError) as error:
        raise click.ClickException(str(error)) from error


@click.command()
@click.option("--queue", required=True, type=click.Choice(QUEUES), help="The one queue to serve.")
def worker(queue: str) -> None:
    """Serve one queue: dispatch, deliveries or repairs. Start as many as there is work for."""
    from workers.serving import serve  # noqa: PLC0415  # loaded when it is this command that runs

    _begin()
    serve(queue)


@click.command()
def watchdog() -> None:
    """Watch that work moves; reach the last-resort contact when it does not."""
    from workers.watchdog import start  # noqa: PLC0415  # loaded when it is this command that runs

    start(_begin(), environment())
