"""Anything that can send JSON: where what is in the body, its source's settings say, in JMESPath.

What has no expression is looked for under the names most senders use. `tocsin sources test NAME FILE` shows what
becomes of a body.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from receiver import hmacs, instants, shaping, strict_json, tokens
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.language import expressions
from routing.policy import Source
from routing.ports import Inbound, Parsed, Unread
from routing.schema.refusal import Refusal, shown

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token; or HMAC of the body in a header of your choice (`signature`)"
REPEAT = "the same `id`, where an expression finds one; else news"
TITLE = "Any JSON"
SETUP = """\
1. `POST https://<tocsin>/hooks/<name>` with `Authorization: Bearer <token>`, `X-Tocsin-Token`, or `?token=` in the
   address; or signed: `signature: {header: X-Signature, algorithm: sha256, prefix: "sha256="}` in `settings:`.
2. Say what is where in `settings:`, each in JMESPath: `events` (a list in the body; else the body is one), `kind`,
   `status`, `key`, `title`, `summary`, `severity`, `id`, `at`, `ended`, `link`, and `labels: {name: expression}`.
3. Say which values of `status` mean what: `firing: [...]`, `resolved: [...]`; anything else is information.
4. Try it: `tocsin sources test <name> body.json`.
"""
_EXPRESSIONS = (
    "events",
    "kind",
    "status",
    "key",
    "title",
    "summary",
    "severity",
    "id",
    "at",
    "ended",
    "link",
)
SETTINGS = {
    "events": "a list of them in the body",
    **dict.fromkeys(_EXPRESSIONS[1:], "where it is, in JMESPath"),
    "labels": "name -> where it is",
    "firing": "values of status that begin a condition",
    "resolved": "values that end one",
    "signature": "header, algorithm (sha1, sha256, sha512) and prefix, where it is signed",
}

_USUAL = {
    "kind": "type || kind || event || event_type || name || 'event'",
    "status": "status || state || alert_status || action || ''",
    "key": "key || dedup_key || fingerprint || alert_id || id || type || 'event'",
    "title": "title || subject || summary || message || name || ''",
    "summary": "description || details || text || ''",
    "severity": "severity || priority || level || ''",
    "id": "''",
    "at": "timestamp || time || created_at || ''",
    "ended": "''",
    "link": "url || link || ''",
}
_FIRING = frozenset({
    "alert", "alerting", "critical", "down", "error", "failed", "failure", "firing", "open", "opened", "problem",
    "trigger", "triggered", "true",
})  # fmt: skip
_RESOLVED = frozenset({
    "close", "closed", "false", "normal", "ok", "recovered", "resolve", "resolved", "success", "up",
})  # fmt: skip
_ALGORITHMS = frozenset({"sha1", "sha256", "sha512"})
_MOST = 1000
_SECONDS_END = 10**11


def faults(settings: Mapping[str, Any]) -> list[Refusal]:
    """Expressions that cannot be read, lists that are none, a signature of a kind that is unknown."""
    labels = settings.get("labels", {})
    found = [_fault((name,), settings[name]) for name in _EXPRESSIONS if name in settings]
    found += [_fault(("labels", name), each) for name, each in labels.items()] if isinstance(labels, dict) else [
        Refusal("labels is no mapping", "write {name: expression}", ("labels",))
    ]  # fmt: skip
    found += [Refusal(f"{name} is no list", "write [open, failed]", (name,))
              for name in ("firing", "resolved") if not isinstance(settings.get(name, []), list)]  # fmt: skip
    if "signature" in settings:
        try:
            _scheme(settings["signature"])
        except BadSignature as error:
            found.append(Refusal(error.reason, error.hint, ("signature",)))
    return [each for each in found if each is not None]


def _fault(at: tuple[str, ...], expression: Any) -> Refusal | None:
    try:
        expressions.compiled(expression if isinstance(expression, str) else "")
    except expressions.BadExpression as error:
        fix = "write a JMESPath expression, like alert.host"
        return Refusal(f"{shown(expression)} cannot be read: {error.reason}", fix, at)
    return None


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    wanted = source.settings.get("signature")
    if wanted is None:
        tokens.verify_anywhere(inbound, secrets)
        return
    header, algorithm, prefix = _scheme(wanted)
    given = inbound.headers.get(header, "")
    if not given.startswith(prefix) or len(given) == len(prefix):
        raise BadSignature(
            f"no {header} header of the form {prefix}…", "compare settings.signature with the sender's"
        )
    if not hmacs.matches(algorithm, inbound.body, given[len(prefix) :], secrets):
        raise BadSignature("the signature does not match the body", "compare both sides' secrets")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/json", **tokens.bearer(secret)}


def sign_for(source: Source, body: bytes, secret: str, at: int) -> dict[str, str]:
    wanted = source.settings.get("signature")
    if wanted is None:
        return sign(body, secret, at)
    header, algorithm, prefix = _scheme(wanted)
    return {"content-type": "application/json", header: prefix + hmacs.hexdigest(algorithm, body, secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event for each element of `events`, or of the body. Raises Unreadable."""
    body = strict_json.loads(inbound.body)
    found = _search(source, "events", body) if "events" in source.settings else body
    elements = found if isinstance(found, list) else [found]
    if not 0 < len(elements) <= _MOST:
        raise Unreadable(f"expected 1 to {_MOST} events, found {len(elements)}")
    events, unread = [], []
    for number, element in enumerate(elements):
        try:
            where = f"[{number}]" if len(elements) > 1 else ""
            events.append(shaping.bounded(_event(strict_json.object_of(element, where), source)))
        except Unreadable as error:
            unread.append(Unread(error.reason, error.where, orjson.dumps(element)))
    return Parsed(events, unread)


def _event(told: dict[str, Any], source: Source) -> Event:
    if not told:
        raise Unreadable("the event is empty")
    kind, title = (_text(source, name, told) for name in ("kind", "title"))
    labels = source.settings.get("labels")
    named = labels if isinstance(labels, dict) else {}
    return Event(
        source=source.name,
        vendor="generic",
        kind=kind or "event",
        status=_status(_search(source, "status", told), source),
        key=_text(source, "key", told) or kind or "event",
        title=title or kind or "event",
        summary=_text(source, "summary", told),
        vendor_id=_text(source, "id", told),
        vendor_severity=_text(source, "severity", told),
        labels=shaping.plain({name: _evaluated(str(each), told) for name, each in named.items()}),
        details=shaping.plain(told),
        starts_at=_instant(_search(source, "at", told), "at"),
        ends_at=_instant(_search(source, "ended", told), "ended"),
        link=_text(source, "link", told),
    )


def _status(found: Any, source: Source) -> Status:
    word = shaping.written(found).casefold()
    for name, usual, status in (("firing", _FIRING, Status.FIRING), ("resolved", _RESOLVED, Status.RESOLVED)):
        listed = source.settings.get(name)
        if word in (
            {shaping.written(one).casefold() for one in listed} if isinstance(listed, list) else usual
        ):
            return status
    return Status.INFO


def _instant(found: Any, where: str) -> int:
    """Seconds or milliseconds since the epoch, or RFC 3339; 0 for nothing of the kind."""
    if isinstance(found, int | float) and not isinstance(found, bool):
        return max(0, int(found * 1000 if found < _SECONDS_END else found))
    return instants.rfc3339({where: found}, where) if isinstance(found, str) else 0


def _text(source: Source, name: str, told: Mapping[str, Any]) -> str:
    return shaping.written(_search(source, name, told))


def _search(source: Source, name: str, told: Any) -> Any:
    return _evaluated(str(source.settings.get(name) or _USUAL.get(name, "@")), told)


def _evaluated(expression: str, told: Any) -> Any:
    try:
        return expressions.evaluate(expression, told)
    except expressions.BadExpression as error:
        raise Unreadable(f"{expression!r} cannot be evaluated: {error.reason}") from error


def _scheme(wanted: Any) -> tuple[str, str, str]:
    """Header in lower case, algorithm, prefix. Raises BadSignature for one that is unknown: nothing is let in."""
    header, algorithm = (shaping.text(wanted, name) for name in ("header", "algorithm"))
    if not header or (algorithm or "sha256") not in _ALGORITHMS:
        raise BadSignature(
            "settings.signature cannot be used", "write {header: X-Signature, algorithm: sha256}"
        )
    return header.lower(), algorithm or "sha256", shaping.text(wanted, "prefix")
