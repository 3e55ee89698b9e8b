"""The commands that run processes: `up`, `worker`, `watchdog`, `upkeep`; and `publish`."""

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
@click.option("--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="Only these; default all.")
@click.option("--processes", type=click.IntRange(1), default=1, help="For each queue.")
def worker(queues: tuple[str, ...], processes: int) -> None:
    """Serve queues: dispatch, pages, other deliveries, repairs. Each process serves one of them.

    Start it on as many machines as there is work for, all with the same Redis.
    """
    settings, chosen = _begin(), queues or QUEUES
    if len(chosen) * processes == 1:
        from workers.serving import serve  # noqa: PLC0415  # loaded when it is this command that runs

        serve(chosen[0])
        return
    from workers.crew import Crew, specs_of  # noqa: PLC0415

    Crew(settings, environment()).run(specs_of(chosen, processes))


@click.command()
def watchdog() -> None:
    """Watch that work moves; reach the last-resort contact when it does not."""
    from workers.watchdog import start  # noqa: PLC0415  # loaded when it is this command that runs

    start(_begin(), environment())


@click.command()
def upkeep() -> None:
    """Keep the queues clean and the archive fed: one process, beside the archive."""
    from workers import upkeep as chores  # noqa: PLC0415  # loaded when it is this command that runs

    chores.serve(_begin())


@click.command()
def prober() -> None:
    """Look again and again whether all is well, as probes.yaml says: one process, several do no harm."""
    from workers import prober as probing  # noqa: PLC0415  # loaded when it is this command that runs

    probing.serve(_begin())


@click.command()
def publish() -> None:
    """Put the configuration into force once, for deployments without `tocsin up`; every fault is listed."""
    from ledger import catalogue, policies  # noqa: PLC0415  # loaded when it is this command that runs
    from ledger.connection import connect  # noqa: PLC0415
    from ledger.keys import Keys  # noqa: PLC0415

    ledger = _begin().ledger
    settled = policies.settle(
        connect(ledger), Keys(), ledger.config_dir, environment(), catalogue.catalogue(), by="publish"
    )
    for remark in (*settled.faults, *settled.warnings):
        click.echo(str(remark), err=True)
    if settled.used_last_good:
        raise click.ClickException(
            f"not used; {settled.policy.version}, the last good policy, stays in force"
        )
    click.echo(f"policy {settled.policy.version} is in force")
