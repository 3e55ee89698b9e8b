"""StatusCake's tests, by a ping URL: a form with `Status`, `TestID`, `Name` and a `Token`.

https://www.statuscake.com/kb/knowledge-base/how-to-use-the-web-hook-url/. The token is the MD5 of user name
and API key: whoever has one has it for good.
"""

import hmac
from collections.abc import Sequence
from hashlib import md5
from typing import Any

from receiver import forms, shaping, tokens
from routing.errors import BadSignature, Unreadable
from routing.event import Event, Status
from routing.policy import Source
from routing.ports import Inbound, Parsed

STATES = frozenset({Status.FIRING, Status.RESOLVED, Status.INFO})
VERIFIED = "a token, as of others; or the form's `Token`, the MD5 of user name and API key"
REPEAT = "news: it says only how it stands"
TITLE = "StatusCake"
SETUP = """\
1. Contact groups → *Web hook URL*: `https://<tocsin>/hooks/statuscake?token=<STATUSCAKE_TOKEN>`, method POST.
2. Or leave the token out of the address, and put user name and API key, one right after the other, into
   `STATUSCAKE_TOKEN`.
"""

_STATES = {"DOWN": Status.FIRING, "UP": Status.RESOLVED}


def verify(inbound: Inbound, secrets: Sequence[str], source: Source) -> None:
    if "authorization" in inbound.headers or "token" in inbound.query:
        tokens.verify_anywhere(inbound, secrets)
        return
    try:
        given = forms.loads(inbound.body).get("Token", "").encode("utf-8", "surrogateescape")
    except Unreadable as error:
        raise BadSignature("no token, and the body is no form that has one") from error
    known = [md5(secret.encode()).hexdigest().encode() for secret in secrets if secret.strip()]  # noqa: S324  # theirs
    if not any([hmac.compare_digest(given, each) for each in known]):  # noqa: C419  # all are compared
        raise BadSignature("the form's Token is not this source's", "it is the MD5 of user name and API key")


def sign(body: bytes, secret: str, at: int) -> dict[str, str]:
    return {"content-type": "application/x-www-form-urlencoded", **tokens.bearer(secret)}


def packed(value: Any) -> bytes:
    return forms.dumps({name: str(each) for name, each in value.items()})


def parse(inbound: Inbound, source: Source) -> Parsed:
    """One event. Raises Unreadable."""
    told = forms.loads(inbound.body)
    test, state = shaping.needed(told, "TestID"), shaping.needed(told, "Status")
    name = told.get("Name") or test
    tags = [tag.strip() for tag in told.get("Tags", "").split(",") if tag.strip()]
    event = Event(
        source=source.name,
        vendor="statuscake",
        kind="test",
        status=_STATES.get(state.upper(), Status.INFO),
        key=f"test:{test}",
        title=f"{name} is {state}",
        labels=shaping.plain(
            {
                "test": name,
                "url": told.get("URL", ""),
                "status_code": told.get("StatusCode", ""),
                "tags": ",".join(tags),
            }
        ),
        link=told.get("URL", ""),
    )
    return Parsed((shaping.bounded(event),))
