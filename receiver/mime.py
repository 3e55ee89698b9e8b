"""Mail as it is sent: who wrote it, its subject, its text. Read with bounds, for anybody can write one.

RFC 5322, RFC 2045 to 2047. Attachments are not looked at.
"""

import html
import re
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32

from routing.errors import Unreadable

MEDIA_TYPE = "message/rfc822"
FORM_TYPE = "multipart/form-data"

_LOOKED_AT = 131_072
"""So many bytes are read; what comes behind them is attachments."""
_LONGEST_HEADER = 4_096
_LONGEST_TYPE = 2_000
_LONGEST_NAME = 200
_MOST_PARTS = 100
_LONGEST_TEXT = 20_000
_MESSAGE_ID = re.compile(r"^message-id:[ \t]*<?([^\s<>]{1,300})", re.IGNORECASE | re.MULTILINE)
_TYPES = re.compile(rb"^content-(?:type|disposition):[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_UNSEEN = ("style", "script")


def read(raw: bytes) -> dict[str, str]:
    """`From`, `Subject`, `MessageID` and `TextBody`, as providers' webhooks name them. Raises Unreadable."""
    lines = _lines(raw)
    _check(lines)
    try:
        message = message_from_bytes(lines, policy=compat32)
        return {
            "From": _header(message, "From"),
            "Subject": _header(message, "Subject"),
            "MessageID": _header(message, "Message-ID").strip().strip("<>"),
            "TextBody": _text(message),
        }
    except Exception as error:  # the library raises a good dozen of them on mails that are none
        raise Unreadable("the mail cannot be read") from error


def fields(raw: bytes, content_type: str) -> dict[str, str]:
    """The fields of a form in parts, as providers post mails with attachments; files are left out. Raises Unreadable.

    RFC 7578. Of a field sent twice the first one counts.
    """
    head = f"Content-Type: {content_type[:_LONGEST_TYPE]}\n\n".encode("latin-1", "replace")
    lines = head + _lines(raw)
    _check(lines)
    try:
        parts = message_from_bytes(lines, policy=compat32).get_payload()
        found: dict[str, str] = {}
        for part in parts if isinstance(parts, list) else ():
            name = part.get_param("name", header="Content-Disposition") if isinstance(part, Message) else None
            if isinstance(name, str) and isinstance(part, Message) and part.get_filename() is None:
                found.setdefault(name[:_LONGEST_NAME], _decoded(part))
    except Exception as error:  # as above
        raise Unreadable("the form cannot be read") from error
    if not found:
        raise Unreadable("the form has no field")
    return found


def message_id(headers: str) -> str:
    """Of a mail's headers as one text; "" where it has none."""
    found = _MESSAGE_ID.search(headers[:_LOOKED_AT])
    return found[1] if found else ""


def _lines(raw: bytes) -> bytes:
    return raw[:_LOOKED_AT].replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _check(lines: bytes) -> None:
    """What the library would read in more than linear time."""
    types = _TYPES.findall(lines)
    if len(types) > _MOST_PARTS:
        raise Unreadable("it has too many parts")
    if any(len(each) > _LONGEST_TYPE for each in types):
        raise Unreadable(f"what it says of a part is longer than {_LONGEST_TYPE} bytes")


def _header(message: "Message[str, str]", name: str) -> str:
    found = str(message.get(name, ""))[:_LONGEST_HEADER]
    try:
        decoded = str(make_header(decode_header(found)))
    except (LookupError, ValueError, HeaderParseError):
        decoded = found
    return " ".join(decoded.encode(errors="replace").decode().split())


def _text(message: "Message[str, str]") -> str:
    """The first text that is no attachment; HTML where there is no plain one."""
    texts: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment":
            texts.setdefault(kind, _decoded(part))
    plain = texts.get("text/plain", "").strip() or _without_markup(texts.get("text/html", "")).strip()
    return plain[:_LONGEST_TEXT]


def _decoded(part: "Message[str, str]") -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:
        return raw.decode("latin-1")


def _without_markup(text: str) -> str:
    for name in _UNSEEN:
        text = _without(text, f"<{name}", f"</{name}")
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _without(text: str, begin: str, end: str) -> str:
    """Without what stands between the two; what has no end goes to the end."""
    lower, kept, at = text.lower(), [], 0
    while (start := lower.find(begin, at)) >= 0:
        kept.append(text[at:start])
        at = lower.find(end, start)
        if at < 0:
            return "".join(kept)
    return "".join([*kept, text[at:]])
