"""`tocsin send` at work: the source is looked up in the policy in force, samples are sent, answers shown."""

import json
import sys

import click
import redis

from ledger import catalogue, env_file, policies
from ledger.clock import now_ms
from ledger.connection import connect
from ledger.keys import Keys
from receiver import samples
from receiver.post import NotSent, Poster
from receiver.samples import Wanted
from receiver.sending import CannotSend, Sender, said, sender
from receiver.settings import environment, from_env
from routing.policy import Policy, Source

_MANY = 100
"""From here on progress is shown."""


def play(source: str, sample: str, count: int, wanted: Wanted, url: str, *, as_json: bool) -> bool:
    """Whether everything sent was kept. Raises TocsinError, or ValueError for what the sample cannot do."""
    vendor = sender_of(source, url)
    replies = []
    with Poster() as poster, click.progressbar(range(count), hidden=count < _MANY, file=sys.stderr) as turns:
        for _ in turns:
            try:
                reply = vendor.send(poster, sample, wanted, now_ms())
            except NotSent as error:
                raise CannotSend(f"{error}; is the receiver running? start it with: make up") from error
            replies.append(reply)
            for line in () if as_json else said(reply):
                click.echo(line, err=not reply.ok)
    if as_json:
        click.echo(json.dumps([{"status": reply.status, **reply.json()} for reply in replies], indent=2))
    return all(reply.ok for reply in replies)


def show_samples(vendor: str, *, as_json: bool) -> None:
    """All of them, or one vendor's."""
    found = {name: samples.names(name) for name in samples.vendors() if vendor in {"", name}}
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for name, listed in found.items():
        for one in listed:
            click.echo(f"tocsin send {name} {one}")


def sender_of(name: str, url: str) -> Sender:
    """Raises CannotSend saying what is missing."""
    given = environment()
    environ = env_file.joined(env_file.where(given), given)
    settings = from_env(environ)
    try:
        with connect(settings.ledger) as client:
            policy = policies.current(client, Keys())
    except (redis.RedisError, OSError) as error:
        raise CannotSend(
            f"Redis does not answer ({error}); is Tocsin running? start it with: make up"
        ) from error
    source = _source(policy, name)
    base = url or f"http://127.0.0.1:{settings.port}"
    return sender(source, catalogue.source(source.vendor), environ, base)


def _source(policy: Policy | None, name: str) -> Source:
    if policy is None:
        raise CannotSend("no configuration is live yet; start Tocsin with: make up")
    known = sorted(source.name for source in policy.sources.values() if source.secrets)
    if name not in known:
        raise CannotSend(f"no source {name!r}; there are: {', '.join(known)}")
    return policy.sources[name]
