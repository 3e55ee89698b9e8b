"""Sends the samples that the console asks for: signed as their vendor signs, to this receiver's own address.

The secrets are here already, and stay here. What is sent goes the whole way of a request, its verification included.
"""

import asyncio

import structlog
from redis.exceptions import RedisError

from ledger import rehearsals
from ledger.rehearsals import Answered, Wanted
from receiver.gates import Gates
from receiver.post import NotSent, Poster, Reply
from receiver.samples import Wanted as Wish
from receiver.sending import CannotSend, Sender, said
from receiver.settings import ReceiverSettings
from receiver.site import Site
from routing.errors import TocsinError

_log = structlog.get_logger(__name__)

_WAIT_S = 1.0
_TIMEOUT_S = 4.0
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # to be reached, not to listen at


async def keep_rehearsing(site: Site) -> None:
    while not _cancelled():
        try:
            wanted = await rehearsals.take(site.client, site.keys, _WAIT_S)
            if wanted is not None and wanted.until_at > site.now():
                found = await asyncio.to_thread(_sent, site, wanted)
                await rehearsals.answer(site.client, site.keys, wanted.id, found)
        except (RedisError, OSError) as error:
            _log.warning("no sample can be sent", error=type(error).__name__)
            await asyncio.sleep(_WAIT_S)
        except Exception:  # noqa: BLE001  # whatever is asked for, the next may be sent
            _log.exception("a sample was not sent")


def _cancelled() -> bool:
    """Asked, for a connection that is being made may take the cancellation for its own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _sent(site: Site, wanted: Wanted) -> Answered:
    at = site.now()
    try:
        vendor = _sender(site.gates, wanted.source, here(site.settings))
        with Poster(_TIMEOUT_S) as poster:
            reply = vendor.send(poster, wanted.sample, Wish(), at)
    except (TocsinError, ValueError, NotSent) as error:
        return Answered(sample=wanted.sample, at=at, said=[str(error)])
    return _answered(wanted.sample, at, reply)


def _sender(gates: Gates, name: str, base_url: str) -> Sender:
    """Raises Refused for a source there is not, CannotSend without its secret."""
    gate = gates.gate(name)
    if not gate.secrets:
        raise CannotSend(f"no secret to sign with for source {name!r}: set {' or '.join(gate.unset)}")
    path = getattr(gate.module, "PATH", f"/hooks/{name}")
    return Sender(gate.module, gate.source, base_url, path, gate.secrets[0])


def _answered(sample: str, at: int, reply: Reply) -> Answered:
    told = reply.json()
    accepted, dead = ([str(each) for each in told.get(kind, ())] for kind in ("accepted", "dead"))
    words = [] if reply.ok else list(said(reply))
    return Answered(sample=sample, at=at, status=reply.status, accepted=accepted, dead=dead, said=words)


def here(settings: ReceiverSettings) -> str:
    """Where this process listens, as it reaches itself."""
    host = _EVERYWHERE.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
