"""The command `tocsin console`."""

import sys

import click


@click.command()
@click.option("--host", default=None, help="Address to listen on; TOCSIN_CONSOLE_HOST, else 127.0.0.1.")
@click.option("--port", type=int, default=None, help="TOCSIN_CONSOLE_PORT, else 8081.")
def console(host: str | None, port: int | None) -> None:
    """Serve the console: pages and an API for the people who run Tocsin."""
    from dataclasses import replace  # noqa: PLC0415  # other commands need not load the server

    from console.serving.serve import serve  # noqa: PLC0415
    from console.serving.settings import environment, from_env  # noqa: PLC0415
    from console.trust.oidc import settings as oidc  # noqa: PLC0415
    from ledger import logs, sentry  # noqa: PLC0415

    logs.configure()
    try:
        sentry.start(environment())
        settings = from_env()
        settings = replace(settings, host=host or settings.host, port=port or settings.port)
        settings = replace(settings, oidc=oidc.from_env(environment(), settings.origin))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    sys.exit(serve(settings))
