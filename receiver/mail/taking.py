"""Taking one mail in: as a request of its source, through the same door and on disk before it is answered."""

import asyncio
import re

import sentry_sdk
import structlog

from ledger.log import Kept
from receiver import intake, mime, refuse
from receiver.mail.mailboxes import Mailbox, headers
from receiver.redaction import HIDDEN
from receiver.refuse import Refused
from receiver.site import Site
from receiver.take import keep
from routing.errors import BadSignature
from routing.ports import Inbound

_log = structlog.get_logger(__name__)


async def take(
    site: Site, loop: asyncio.AbstractEventLoop, mailbox: Mailbox, content: bytes, said: dict[str, str]
) -> Kept:
    """Returns once it is on disk. Raises Refused; then it is not certain that it was kept.

    `loop` is the one in which all requests are kept; this runs in another.
    """
    gate, token = site.gates.gate(mailbox.gate.source.name), mailbox.token  # as it is configured by now
    if len(content) > gate.source.max_bytes:
        raise refuse.too_large(gate.source.max_bytes)
    site.durable.insist()
    given = {"content-type": mime.MEDIA_TYPE, **headers(token), **said}
    try:
        request = intake.judge(gate, Inbound(without(content, token), given, {}, site.now()))
    except BadSignature as error:  # its secret was changed while the mail came in
        raise refuse.no_mailbox() from error
    try:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(keep(site, request), loop))
    except Refused:
        raise
    except Exception as error:
        _log.exception("fault in taking a mail", source=gate.source.name)
        sentry_sdk.capture_exception(error)
        raise refuse.not_durable() from error


def without(content: bytes, token: str) -> bytes:
    """The mail without the token of the address it was written to, which stands in its headers."""
    return (
        re.sub(re.escape(token.encode()), HIDDEN.encode(), content, flags=re.IGNORECASE) if token else content
    )
