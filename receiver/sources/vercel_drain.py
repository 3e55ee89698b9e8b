"""Vercel's log drains: JSON arrays, or one object a line.

https://vercel.com/docs/drains. All of it is information, for thresholds to count by `status_class`,
`level` and `path`. A new drain is checked by Vercel: it wants its code back in a header.
"""

from collections.abc import Sequence
from typing import Any

from receiver import hmacs, many, shaping
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Answer, Inbound, Parsed

STATES = frozenset({Status.INFO})
VERIFIED = "`x-vercel-signature`, HMAC-SHA1 over the body"
REPEAT = "a line of the same id"
TITLE = "Vercel log drains"
SETUP = """\
1. Team settings → Drains → *Add*: logs, to `https://<tocsin>/hooks/vercel_drain`, JSON or NDJSON, with a signature
   secret of your own; put it into `VERCEL_DRAIN_SECRET`.
2. The code it wants to see goes into `settings: {verify: "..."}`. Every answer then has it, as `x-vercel-verify`.
3. Choose sources and sampling so that it stays below `rate` and what the disk is for.
"""
SETTINGS = {"verify": "the code Vercel shows while a drain is made; it comes back as `x-vercel-verify`"}

_CRASHED = -1
"""Instead of a status code: the function ended without an answer."""
_LEVELS = frozenset({"error", "fatal"})


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    given = inbound.headers.get("x-vercel-signature", "")
    if not given:
        raise BadSignature("no x-vercel-signature header", "give the drain a signature secret")
    if not hmacs.matches("sha1", inbound.body, given, secrets):
        raise BadSignature("the signature does not match the body", "check VERCEL_DRAIN_SECRET")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", "x-vercel-signature": hmacs.hexdigest("sha1", body, secret)}


def greeting(inbound: Inbound, source: Source) -> Answer | None:
    """Vercel looks for the code before it has anything to say, or to sign: only what holds nothing is answered so."""
    return _coded(source) if inbound.body.strip() in {b"", b"[]", b"{}"} else None


def handshake(method: str, headers: Any, query: Any, source: Source) -> Answer | None:
    return _coded(source) if method in {"GET", "HEAD"} else None


def answer(inbound: Inbound, source: Source) -> Answer | None:
    return _coded(source)


def parse(inbound: Inbound, source: Source) -> Parsed:
    """An event for each line; what is none is dead alone. Raises Unreadable."""
    return many.parse(inbound.body, lambda line: _line(line, source))


def _coded(source: Source) -> Answer | None:
    code = source.settings.get("verify")
    if not isinstance(code, str) or not code.isascii() or not code.isprintable():
        return None
    return Answer(200, {"content-type": "application/json", "x-vercel-verify": code}, b"{}")


def _line(line: dict[str, Any], source: Source) -> Event:
    if "message" not in line and "proxy" not in line:
        raise Unreadable("expected a message or a request", "message")
    proxy = shaping.at(line, "proxy")
    code = line.get("statusCode") or shaping.at(proxy, "statusCode")
    crashed = code == _CRASHED
    level = shaping.text(line, "level") or shaping.text(line, "type")
    path = shaping.text(line, "path") or shaping.text(proxy, "path").partition("?")[0]
    status = "crashed" if crashed else f"{code // 100}xx" if type(code) is int and 100 <= code <= 599 else ""  # noqa: PLR2004
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="vercel_drain",
            kind=f"log.{shaping.text(line, 'source') or 'line'}",
            status=Status.INFO,
            key=f"log:{shaping.text(line, 'projectId')}:{path}",
            title=_title(line, path, status),
            vendor_id=shaping.text(line, "id"),
            vendor_severity="error" if crashed else level if level in _LEVELS else "",
            labels=shaping.plain(
                {
                    "project": shaping.text(line, "projectId"),
                    "project_name": shaping.text(line, "projectName"),
                    "deployment": shaping.text(line, "deploymentId"),
                    "target": shaping.text(line, "environment"),
                    "level": level,
                    "path": path,
                    "status_class": status,
                }
            ),
            starts_at=_ms(line.get("timestamp")),
        )
    )


def _title(line: dict[str, Any], path: str, status: str) -> str:
    first = next(iter(shaping.text(line, "message").splitlines()), "").strip()
    return first or " ".join(filter(None, ("Vercel log", path, status)))


def _ms(found: Any) -> int:
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else 0
