"""One HTTP call and what came of it: the request, the answer, and whether asking again can help.

Sources: RFC 9110 (statuses, Retry-After), RFC 6585 (429).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from ledger.clock import now_ms
from routing.entry import Outcome
from routing.errors import TocsinError
from workers.addresses import Guard

MAX_BYTES = 1_048_576
_LONGEST_WAIT_MS = 3_600_000
_FIRST_EPOCH_S = 1_000_000_000
"""A lower X-RateLimit-Reset is no instant: it would be before 2001."""


class HttpError(TocsinError):
    """No usable answer. `outcome` says whether the call may have happened; `answer` is there if one came."""

    def __init__(self, reason: str, outcome: Outcome, answer: "Answer | None" = None) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.answer = answer

    @property
    def retry_after_ms(self) -> int:
        return self.answer.retry_after_ms if self.answer else 0


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `mutates`: without an answer it may or may not have happened."""

    method: str
    url: str
    mutates: bool
    timeout_s: float
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    form: Mapping[str, str | list[str]] | None = None
    json: Any = None
    content: bytes | None = None
    """The body as it is, where `form` and `json` are none; `headers` say what it is."""
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    guard: Guard | None = None
    """For URLs that a payload may have had a hand in: which addresses they may lead to."""
    max_bytes: int = MAX_BYTES
    listen_s: float = 0
    """For an answer that need not end: what came within so many seconds is the body. 0: it must end in time."""
    name: str = ""
    """What it is called instead, where the path holds a secret."""

    def __str__(self) -> str:
        """For the audit: "POST /v1/projects/prj_1/rollback/dpl_1", without query and host."""
        if self.name:
            return f"{self.method} {self.name}"
        try:
            return f"{self.method} {urlsplit(self.url).path or '/'}"
        except ValueError:
            return f"{self.method} (not a URL)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` have lower-case names; `body` ends at the call's `max_bytes`."""

    call: Call
    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: int

    def __str__(self) -> str:
        return f"{self.call} answered {self.status}"

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  # RFC 9110 section 15.3

    @property
    def outcome(self) -> Outcome:
        return classify(self.status, mutates=self.call.mutates)

    @property
    def retry_after_ms(self) -> int:
        return retry_after_ms(self.headers)

    def good(self) -> "Answer":
        """Itself when 2xx. Raises HttpError with what the status means."""
        if not self.ok:
            raise HttpError(str(self), self.outcome, self)
        return self

    def json(self) -> Any:
        """The body as JSON. Raises HttpError: a mutating call that was answered so may have happened."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            unsure = Outcome.UNKNOWN if self.call.mutates else Outcome.TEMPORARY
            raise HttpError(f"{self} with something that is not JSON", unsure, self) from error

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises HttpError as `json` does."""
        found = self.json()
        if not isinstance(found, dict):
            unsure = Outcome.UNKNOWN if self.call.mutates else Outcome.TEMPORARY
            raise HttpError(f"{self} with JSON that is not an object", unsure, self)
        return found


def classify(status: int, *, mutates: bool) -> Outcome:
    """What an HTTP status says about repeating the call.

    408, 425, 429 and 5xx ask for a repeat. 502 and 504 come from a gateway that had passed the call on, so
    what was to be changed may have been changed. All else that is not 2xx cannot be helped by repeating.
    """
    if 200 <= status < 300:  # noqa: PLR2004
        return Outcome.OK
    if status in {502, 504} and mutates:
        return Outcome.UNKNOWN
    if status in {408, 425, 429} or status >= 500:  # noqa: PLR2004
        return Outcome.TEMPORARY
    return Outcome.PERMANENT


def retry_after_ms(headers: Mapping[str, str]) -> int:
    """How long the server asks us to wait: Retry-After in seconds or as a date, else X-RateLimit-Reset.

    The latter is an instant in seconds since the epoch (Vercel) or, a small number, seconds from now (Supabase);
    it asks for nothing while X-RateLimit-Remaining says that more may be asked. A date is measured against the
    server's own Date, so that a wrong clock of ours does no harm. Bounded by an hour; 0 when nothing (readable)
    is asked.
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return min(int(asked[:9]) * 1000, _LONGEST_WAIT_MS)
    until, reset = _instant(asked), _reset(headers)
    if until is None and reset < _FIRST_EPOCH_S:
        return min(reset * 1000, _LONGEST_WAIT_MS)
    until = reset * 1000 if until is None else until
    now = _instant(headers.get("date", "")) or now_ms()
    return max(0, min(until - now, _LONGEST_WAIT_MS))


def _reset(headers: Mapping[str, str]) -> int:
    reset = headers.get("x-ratelimit-reset", "").strip()
    used_up = headers.get("x-ratelimit-remaining", "0").strip() in {"0", ""}
    return int(reset[:12]) if used_up and reset.isdecimal() else 0


def _instant(http_date: str) -> int | None:
    try:
        return round(parsedate_to_datetime(http_date).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
