"""`tocsin heartbeat NAME`: the addresses at which a job says that it started, ran or failed."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import click
import redis

from ledger import env_file, policies
from ledger.connection import connect
from ledger.keys import Keys
from receiver.gates import resolve
from receiver.settings import environment, from_env
from receiver.sources.heartbeat import JOB, key_of
from routing.policy import Policy, Source

_VENDOR = "heartbeat"
_STATES = ("start", "success", "fail")


def addresses(job: str, source: Source, secret: str, base_url: str) -> dict[str, str]:
    """State -> the address that says it. The key in it opens this job's addresses alone."""
    if not JOB.fullmatch(job):
        raise ValueError("a job's name has letters, digits, dots, hyphens and underscores, 100 at most")
    base = f"{base_url.rstrip('/')}/hooks/{source.name}"
    asked = {"job": job, "key": key_of(job, secret)}
    return {state: f"{base}?{urlencode({**asked, 'state': state})}" for state in _STATES}


def of_job(job: str, name: str) -> dict[str, str]:
    """For the source of that name, or for the only one there is. Raises ValueError saying what is missing."""
    environ = env_file.joined(env_file.where(environment()), environment())
    settings = from_env(environ)
    try:
        with connect(settings.ledger) as client:
            policy = policies.current(client, Keys())
    except (redis.RedisError, OSError) as error:
        raise ValueError(
            f"Redis does not answer ({error}); is Tocsin running? start it with: make up"
        ) from error
    if policy is None:
        raise ValueError("no configuration is live yet; start Tocsin with: make up")
    source = _source(policy, name)
    base = settings.public_url or policy.public_url or f"http://127.0.0.1:{settings.port}"
    return addresses(job, source, _secret(source, environ), base)


def lines(found: Mapping[str, str]) -> Iterator[str]:
    for state, address in found.items():
        yield f"{state:8} {address}"


def _source(policy: Policy, name: str) -> Source:
    known = {one.name: one for one in policy.sources.values() if one.vendor == _VENDOR}
    if name in known:
        return known[name]
    if len(known) == 1 and not name:
        return next(iter(known.values()))
    if not known:
        raise ValueError("no source of vendor heartbeat; add one to config/sources.yaml, see docs/sources.md")
    raise ValueError(f"name the source with --source: {', '.join(sorted(known))}")


def _secret(source: Source, environ: Mapping[str, str]) -> str:
    secrets, unset = resolve(source, environ)
    if not secrets:
        raise ValueError(f"source {source.name!r} has no secret here: set {' or '.join(unset)}")
    return secrets[0]


def show(job: str, source: str, *, as_json: bool) -> None:
    """Raises click.UsageError saying what is missing."""
    try:
        found = of_job(job, source)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines(found)))
