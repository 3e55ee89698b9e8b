"""Supabase: auth hooks, database webhooks and log drains, at one address each or all at one.

https://supabase.com/docs/guides/auth/auth-hooks, .../database/webhooks, .../telemetry/log-drains. Hooks are signed as
Standard Webhooks says (their id is another for each attempt), and wait for an answer: ours lets everything pass, so
that nobody is kept from signing in. Webhooks and drains carry a token. All of it is information, for rules to count.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson

from receiver import instants, many, shaping, standard_signature, strict_json, tokens
from routing.errors import Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Answer, Inbound, Parsed

STATES = frozenset({Status.INFO})
VERIFIED = "auth hooks: `webhook-signature` as Standard Webhooks; database webhooks and log drains: a token"
REPEAT = "of an auth hook, the same time and body; a drain's line of the same id; a row is news each time"
TITLE = "Supabase"
SETUP = """\
1. Auth hooks: Authentication → Hooks → HTTPS, `https://<tocsin>/hooks/supabase`; its secret (`v1,whsec_…`) into
   `SUPABASE_HOOK_SECRET`. Choose it only for hooks that may pass: the answer is always to go on.
2. Database webhooks: Database → Webhooks, `POST https://<tocsin>/hooks/supabase`, HTTP header
   `Authorization: Bearer <SUPABASE_TOKEN>`.
3. Log drains: Project settings → Log drains → generic HTTP endpoint, the same address and header, gzip as you like.
4. List both in `secrets:`.
"""

_CHANGES = frozenset({"INSERT", "UPDATE", "DELETE"})
_DECIDES = frozenset({"mfa_verification_attempt", "password_verification_attempt"})
_LEVELS = ("level", "severity", "error_severity")


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    """What comes with a signature must be rightly signed, whatever token it has too."""
    if "webhook-signature" in inbound.headers:
        standard_signature.verify(inbound, secrets, source)
    else:
        tokens.verify_anywhere(inbound, secrets)


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    """A hook is signed, all else has the token."""
    try:
        hook = _hook(strict_json.loads(body))
    except Unreadable:
        hook = ""
    if hook:
        return standard_signature.sign(body, secret, at, f"hook_{at}")
    return {"content-type": "application/json", **tokens.bearer(secret)}


def parse(inbound: Inbound, source: Source) -> Parsed:
    """An event of a hook or of a row; of a drain one for each line. Raises Unreadable."""
    if inbound.body.lstrip()[:1] == b"[" or b"\n{" in inbound.body.strip():
        return many.parse(inbound.body, lambda line: _line(line, source))
    body = strict_json.object_of(strict_json.loads(inbound.body))
    if shaping.text(body, "type") in _CHANGES and "table" in body:
        return Parsed((_row(body, source),))
    if _hook(body):
        at = inbound.headers.get("webhook-timestamp", "")
        return Parsed(
            (_hooked(body, sha256(b"%b.%b" % (at.encode(), inbound.body)).hexdigest()[:32], source),)
        )
    if "event_message" in body:
        return Parsed((_line(body, source),))
    raise Unreadable("expected an auth hook, a database webhook or lines of a log")


def answer(inbound: Inbound, source: Source) -> Answer | None:
    """A hook is told to go on, as JSON and with 200: anything else would stop the sign-in."""
    if "webhook-signature" not in inbound.headers:
        return None
    try:
        body = strict_json.object_of(strict_json.loads(inbound.body))
    except Unreadable:
        body = {}
    return Answer(200, {"content-type": "application/json"}, orjson.dumps(_word(body)))


def scrubbed(body: bytes) -> bytes:
    """A hook's body without its one-time passwords and links."""
    try:
        told = strict_json.loads(body)
    except Unreadable:
        return body
    if not _hook(told):
        return body
    for holder, names in (
        ("email_data", ("token", "token_hash", "token_new", "token_hash_new")),
        ("sms", ("otp",)),
    ):
        held = told.get(holder)
        for name in names if isinstance(held, dict) else ():
            held.pop(name, None)
    return orjson.dumps(told)


def _word(body: dict[str, Any]) -> dict[str, Any]:
    kind = _hook(body)
    if kind in _DECIDES:
        return {"decision": "continue"}
    return {"claims": body["claims"]} if kind == "custom_access_token" else {}


def _hook(body: Any) -> str:
    """Which hook it is; "" for none."""
    if not isinstance(body, dict) or "table" in body:
        return ""
    if isinstance(body.get("claims"), dict):
        return "custom_access_token"
    if "valid" in body and "user_id" in body:
        return "mfa_verification_attempt" if "factor_id" in body else "password_verification_attempt"
    if not isinstance(body.get("user"), dict):
        return ""
    named = {"email_data": "send_email", "sms": "send_sms"}
    return next((kind for name, kind in named.items() if isinstance(body.get(name), dict)), "user_created")


def _hooked(body: dict[str, Any], id_: str, source: Source) -> Event:
    kind = _hook(body)
    user = shaping.text(body, "user_id") or shaping.text(body, "user", "id")
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="supabase",
            kind=f"auth.{kind}",
            status=Status.INFO,
            key=f"auth:{kind}:{user}",
            title=f"Supabase auth hook {kind.replace('_', ' ')}",
            vendor_id=id_,
            labels=shaping.plain(
                {
                    "valid": body.get("valid"),
                    "action": shaping.text(body, "email_data", "email_action_type"),
                }
            ),
            details=shaping.plain({"user": user}),
            starts_at=instants.rfc3339(shaping.inner(body, "metadata"), "time")
            if body.get("metadata")
            else 0,
        )
    )


def _row(body: dict[str, Any], source: Source) -> Event:
    """Only which row of which table: what is in it may be anybody's."""
    kind, table = str(body["type"]).lower(), shaping.needed(body, "table")
    row = body.get("record") or body.get("old_record")
    id_ = shaping.text(row, "id")
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="supabase",
            kind=f"database.{kind}",
            status=Status.INFO,
            key=f"row:{shaping.text(body, 'schema')}.{table}:{id_}",
            title=f"Supabase {kind} in {table}",
            labels=shaping.plain(
                {"table": table, "schema": body.get("schema"), "row_status": shaping.text(row, "status")}
            ),
            details=shaping.plain({"id": id_}),
        )
    )


def _line(line: dict[str, Any], source: Source) -> Event:
    held = shaping.at(line, "metadata")
    meta = held[0] if isinstance(held, list) and held else held
    message = shaping.needed(line, "event_message")
    status = shaping.text(meta, "response", "status_code") or shaping.text(meta, "status_code")
    level = next(filter(None, (shaping.text(meta, name) for name in _LEVELS)), "")
    level = level or shaping.text(meta, "parsed", "error_severity")
    service = shaping.text(line, "source") or shaping.text(line, "event_type") or "log"
    return shaping.bounded(
        Event(
            source=source.name,
            vendor="supabase",
            kind="log",
            status=Status.INFO,
            key=f"log:{service}",
            title=message,
            vendor_id=shaping.text(line, "id"),
            vendor_severity=level,
            labels=shaping.plain({"log": service, "level": level.lower(), "status_code": status,
                                  "status_class": status[:1] and f"{status[0]}xx"}),
            starts_at=_microseconds(line.get("timestamp")),
        )
    )  # fmt: skip


def _microseconds(found: Any) -> int:
    """Drains write microseconds; some write milliseconds, or ISO 8601."""
    if isinstance(found, str):
        return instants.rfc3339({"timestamp": found}, "timestamp")
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        return 0
    return found // 1000 if found > 10**14 else found
