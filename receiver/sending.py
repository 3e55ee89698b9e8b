"""`tocsin send`: what a vendor would send, signed as it signs, through the real endpoint."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from receiver import samples
from receiver.gates import resolve, settled
from receiver.post import Poster, Reply
from receiver.samples import Wanted
from routing.errors import TocsinError
from routing.policy import Source
from routing.ports import SourceModule


class CannotSend(TocsinError):
    """Says what is missing."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A vendor, played by us: it knows where to post and what to sign with."""

    module: SourceModule
    source: Source
    base_url: str
    path: str
    secret: str

    def send(self, poster: Poster, name: str, wanted: Wanted, at: int) -> Reply:
        """Raises samples.NoSuchSample, ValueError for what the sample cannot do, or post.NotSent."""
        made = samples.make(self.source.vendor, name, wanted, at)
        packed = getattr(self.module, "packed", None)
        body = packed(json.loads(made)) if packed else made
        return poster.post(self.base_url + self._path(made), body, self._headers(body, at))

    def _path(self, made: bytes) -> str:
        address = getattr(self.module, "address", None)
        path: str = address(json.loads(made)) if address else self.path
        return path

    def _headers(self, body: bytes, at: int) -> Mapping[str, str]:
        sign_for = getattr(self.module, "sign_for", None)
        if sign_for is None:
            return self.module.sign(body, self.secret, at)
        found: Mapping[str, str] = sign_for(self.source, body, self.secret, at)
        return found


def sender(source: Source, module: SourceModule, environ: Mapping[str, str], base_url: str) -> Sender:
    """Raises CannotSend without the source's secret."""
    secrets, unset = resolve(source, environ)
    if not secrets:
        names = " or ".join(unset) or "none is configured"
        raise CannotSend(
            f"no secret to sign with for source {source.name!r}: set {names}, or start `make up` once"
        )
    path = getattr(module, "PATH", f"/hooks/{source.name}")
    settings = {name: settled(value, environ) for name, value in source.settings.items()}
    return Sender(module, replace(source, settings=settings), base_url.rstrip("/"), path, secrets[0])


def said(reply: Reply) -> Iterator[str]:
    """An answer in lines for people: ids, or what was wrong and what to do."""
    answer = reply.json()
    if reply.ok:
        ids = [*answer.get("accepted", []), *(f"{one} (dead letter)" for one in answer.get("dead", []))]
        yield from ids or [
            f"{reply.status}: {reply.body[:300].decode(errors='replace') or 'no ids in the answer'}"
        ]
    else:
        text = reply.body[:300].decode(errors="replace")
        yield f"{reply.status}: {answer.get('error') or text or 'no explanation'}"
        if answer.get("hint"):
            yield f"  {answer['hint']}"
