"""Twilio, as far as we use it: takes calls and messages, refuses what Twilio refuses, calls back signed.

Magic numbers are those of Twilio's test credentials (twilio.com/docs/iam/test-credentials). Run it alone:
`python tests/support/twilio_standin.py --port 9001 --log calls.jsonl --receiver http://127.0.0.1:8080`.
"""

import hmac
import http.client
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from vendor_server import Asked, Reply, VendorServer, arguments, serve_for_ever

ACCOUNT_SID = "AC" + "0" * 31 + "1"
API_KEY = "SK" + "0" * 31 + "2"
API_SECRET = "standin-api-secret"
AUTH_TOKEN = "standin-auth-token"
FROM = "+15005550006"

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_TAKES = {
    "Calls": {
        "To", "From", "Twiml", "Timeout", "StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod",
        "MachineDetection", "AsyncAmd", "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod",
    },
    "Messages": {"To", "From", "Body", "MessagingServiceSid", "StatusCallback"},
}  # fmt: skip
_EVENTS = {"initiated", "ringing", "answered", "completed"}
_BAD_TO = {
    "Calls": {
        "+15005550001": 21217, "+15005550002": 21214, "+15005550003": 21215, "+15005550004": 21216,
    },
    "Messages": {
        "+15005550001": 21211, "+15005550002": 21612, "+15005550003": 21408, "+15005550004": 21610,
        "+15005550009": 21614,
    },
}  # fmt: skip
_BAD_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611, "+15005550000": 21606}
_CODES = {401: 20003, 403: 20003, 404: 20404, 409: 20409, 422: 20422, 429: 20429, 500: 20500, 503: 20503}


@dataclass(frozen=True)
class Made:
    """A call or message that was taken."""

    sid: str
    resource: str
    to: str
    sender: str
    text: str
    """The TwiML, or the body."""
    status_callback: str
    machine_callback: str = ""

    @property
    def action(self) -> str:
        """Where a pressed key goes."""
        return _action(self.text)


class TwilioStandin(VendorServer):
    """`receiver`: where callbacks really go, while their URL and signature stay the public one's."""

    def __init__(
        self, *, port: int = 0, log: Path | None = None, receiver: str = "", auth_token: str = AUTH_TOKEN
    ) -> None:
        super().__init__(port=port, log=log)
        self.made: list[Made] = []
        self.heard: dict[str, str] = {}
        """What the receiver answered last in each call, or it was changed to, as TwiML."""
        self.states: dict[str, str] = {}
        """Of each call; "ringing" until something is said of it."""
        self.receiver = receiver
        self.auth_token = auth_token
        self.on_made: Callable[[Made], object] = lambda _: None
        """Called when something was taken, before the request is answered."""
        self.report_first: str = ""
        """A status that is called back before the request itself is answered."""

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What a channel needs to use it."""
        return settings(self.url, **changes)

    def fault(self, status: int) -> Any:
        return _fault(status, _CODES.get(status, 20001))

    def answer(self, asked: Asked) -> Reply:
        parts = asked.path.strip("/").split("/")
        if asked.user != (API_KEY, API_SECRET):
            return Reply(401, _fault(401, 20003))
        if (
            parts[:3] == ["2010-04-01", "Accounts", ACCOUNT_SID]
            and parts[3:4] == ["Calls"]
            and len(parts) == 5
        ):
            return self._change(parts[4].removesuffix(".json"), asked)
        if parts[:3] != ["2010-04-01", "Accounts", ACCOUNT_SID] or len(parts) != 4:
            return Reply(404, _fault(404, 20404))
        resource = parts[3].removesuffix(".json")
        if asked.method != "POST" or resource not in _TAKES or not parts[3].endswith(".json"):
            return Reply(404, _fault(404, 20404))
        code = _refuses(resource, asked)
        return Reply(400, _fault(400, code)) if code else self._make(resource, asked)

    def press(self, sid: str, digits: str) -> int:
        """The person who was called presses a key, or with "" none in time. Returns the receiver's status."""
        made = self._find(sid)
        form = {"CallSid": sid, "AccountSid": ACCOUNT_SID, "From": made.sender, "To": made.to}
        form |= {"CallStatus": "in-progress"} | ({"Digits": digits} if digits else {})
        self.states[sid] = "in-progress"
        status, document = self._ask(_action(self.heard.get(sid, "")) or made.action, form)
        self.heard[sid] = document
        return status

    def detect(self, sid: str, answered_by: str) -> int:
        """What has taken the call, as Twilio hears it. Returns the receiver's status, 0 when nobody asked."""
        made = self._find(sid)
        if not made.machine_callback:
            return 0
        form = {"CallSid": sid, "AccountSid": ACCOUNT_SID, "AnsweredBy": answered_by}
        return self._post(made.machine_callback, {**form, "MachineDetectionDuration": "2840"})

    def report(self, sid: str, status: str, **more: str) -> int:
        """How a call or message went. Returns the receiver's status, 0 when no callback was asked for."""
        made = self._find(sid)
        self.states[sid] = status
        if not made.status_callback:
            return 0
        kind = "Call" if made.resource == "Calls" else "Message"
        form = {"AccountSid": ACCOUNT_SID, "From": made.sender, "To": made.to, **more}
        return self._post(made.status_callback, {**form, f"{kind}Sid": sid, f"{kind}Status": status})

    def write_back(self, url: str, sender: str, body: str) -> int:
        """A person writes to our number; `url` is the public one configured at Twilio."""
        sid = f"SM{len(self.calls):032x}"
        form = {"MessageSid": sid, "AccountSid": ACCOUNT_SID, "From": sender, "To": FROM, "Body": body}
        return self._post(url, form)

    def control(self, what: str, given: Any) -> Any:
        does: dict[str, Callable[..., int]] = {
            "press": self.press,
            "detect": self.detect,
            "report": self.report,
            "write_back": self.write_back,
        }
        if what == "made":
            return [made.__dict__ for made in self.made]
        return {"status": does[what](**given)}

    def _make(self, resource: str, asked: Asked) -> Reply:
        prefix = "CA" if resource == "Calls" else "SM"
        made = Made(
            sid=f"{prefix}{len(self.made) + 1:032x}",
            resource=resource,
            to=asked.field("To"),
            sender=asked.field("From") or asked.field("MessagingServiceSid"),
            text=asked.field("Twiml") or asked.field("Body"),
            status_callback=asked.field("StatusCallback"),
            machine_callback=asked.field("AsyncAmdStatusCallback"),
        )
        self.made.append(made)
        self.on_made(made)
        if self.report_first:
            self.report(made.sid, self.report_first)
        body = {"sid": made.sid, "status": "queued", "to": made.to, "from": made.sender, "error_code": None}
        return Reply(201, {**body, "account_sid": ACCOUNT_SID, "api_version": "2010-04-01"})

    def _change(self, sid: str, asked: Asked) -> Reply:
        """End a call that rings, or let one that was picked up say something else. One that is over is refused."""
        known = sid in {made.sid for made in self.made if made.resource == "Calls"}
        if not known or asked.method != "POST":
            return Reply(404, _fault(404, 20404))
        state, form = self.states.get(sid, "ringing"), asked.form
        if len(form) != 1 or not form.keys() <= {"Status", "Twiml"} or not asked.field(*form):
            return Reply(400, _fault(400, 20001))
        if "Status" in form and asked.field("Status") not in {"canceled", "completed"}:
            return Reply(400, _fault(400, 21218))
        if state not in {"queued", "ringing", "in-progress"} or ("Twiml" in form and state != "in-progress"):
            return Reply(400, _fault(400, 21220))
        if "Twiml" in form:
            ET.fromstring(asked.field("Twiml"))  # noqa: S314  # made by the code under test
            self.heard[sid] = asked.field("Twiml")
        elif state != "in-progress" or asked.field("Status") == "completed":
            ended = "canceled" if state != "in-progress" else "completed"
            self.states[sid] = ended
            if self.receiver:
                self.report(sid, ended)
        return Reply(200, {"sid": sid, "status": self.states.get(sid, state)})

    def _find(self, sid: str) -> Made:
        return next(made for made in self.made if made.sid == sid)

    def _post(self, url: str, form: dict[str, str]) -> int:
        return self._ask(url, form)[0]

    def _ask(self, url: str, form: dict[str, str]) -> tuple[int, str]:
        public = urlsplit(url)
        to = urlsplit(self.receiver) if self.receiver else public
        path = f"{public.path}?{public.query}" if public.query else public.path
        connection = http.client.HTTPConnection(to.hostname or "", to.port or 80, timeout=10)
        try:
            headers = {
                "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
                "X-Twilio-Signature": signature(url, form, self.auth_token),
            }
            connection.request("POST", path, urlencode(form), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def settings(url: str, **changes: Any) -> dict[str, Any]:
    """The same for one that runs elsewhere."""
    return {
        "account_sid": ACCOUNT_SID, "api_key": API_KEY, "api_secret": API_SECRET, "from_number": FROM,
        "base_url": url, **changes,
    }  # fmt: skip


def signature(url: str, form: dict[str, str], auth_token: str) -> str:
    """As documented at twilio.com/docs/usage/security#validating-requests."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.digest(auth_token.encode(), text.encode(), "sha1")).decode()


def _refuses(resource: str, asked: Asked) -> int:
    """Twilio's code for what is wrong with the request; 0 when nothing is."""
    if not asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return 20001
    form = asked.form
    if form.keys() - _TAKES[resource]:
        return 20001  # Twilio ignores what it does not know; a test must see it
    code = _refuses_numbers(resource, asked)
    if code:
        return code
    if not set(form.get("StatusCallbackEvent", [])) <= _EVENTS:
        return 21626
    callback = urlsplit(asked.field("StatusCallback"))
    if "StatusCallback" in form and (not callback.hostname or "_" in callback.hostname):
        return 21609
    return _refuses_call(asked) if resource == "Calls" else _refuses_message(asked)


def _refuses_numbers(resource: str, asked: Asked) -> int:
    to, sender = asked.field("To"), asked.field("From")
    if not to:
        return 21201 if resource == "Calls" else 21604
    if not _NUMBER.fullmatch(to):
        return 21211
    if to in _BAD_TO[resource]:
        return _BAD_TO[resource][to]
    if sender in _BAD_FROM:
        return _BAD_FROM[sender]
    if not _NUMBER.fullmatch(sender) and not (resource == "Messages" and asked.field("MessagingServiceSid")):
        return 21603
    return 0


def _action(twiml: str) -> str:
    """Where a pressed key goes; "" where none is listened for."""
    gather = ET.fromstring(twiml).find("Gather") if twiml.startswith("<") else None  # noqa: S314  # our own code's
    return "" if gather is None else gather.get("action", "")


def _refuses_machine(asked: Asked) -> int:
    if asked.field("MachineDetection") not in {"", "Enable", "DetectMessageEnd"}:
        return 21205
    if asked.field("AsyncAmd") not in {"", "true", "false"}:
        return 21205
    callback = asked.field("AsyncAmdStatusCallback")
    return 21609 if callback and "_" in (urlsplit(callback).hostname or "_") else 0


def _refuses_call(asked: Asked) -> int:
    if code := _refuses_machine(asked):
        return code
    twiml = asked.field("Twiml")
    if not twiml:
        return 21205
    if len(twiml) > 4000:
        return 21624
    if not asked.field("Timeout").isdigit() or not 5 <= int(asked.field("Timeout")) <= 600:
        return 21218
    try:
        document = ET.fromstring(twiml)  # noqa: S314  # made by the code under test
    except ET.ParseError:
        return 12100
    known = {"Response", "Gather", "Say", "Hangup", "Pause"}
    return 0 if document.tag == "Response" and {each.tag for each in document.iter()} <= known else 12200


def _refuses_message(asked: Asked) -> int:
    body = asked.field("Body")
    if not body.strip():
        return 21602
    return 21617 if len(body) > 1600 else 0


def _fault(status: int, code: int) -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": f"refused with {code}", "more_info": more, "status": status}


def main() -> None:
    parser = arguments()
    parser.add_argument("--receiver", default="")
    parser.add_argument("--auth-token", default=AUTH_TOKEN)
    given = parser.parse_args()
    serve_for_ever(
        TwilioStandin(port=given.port, log=given.log, receiver=given.receiver, auth_token=given.auth_token)
    )


if __name__ == "__main__":
    main()
