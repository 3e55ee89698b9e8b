"""Every way to say no: status, a short word for the metrics, what is wrong, and what to do about it.

No text here holds a secret, a body, or the name of a source that a stranger might be guessing.
"""

from collections.abc import Collection, Mapping

import orjson

from routing.errors import BadSignature, TocsinError


class Refused(TocsinError):
    """The request is answered with `status` and nothing of it was kept. `why` is a label in /metrics."""

    def __init__(
        self, status: int, why: str, error: str, hint: str, *, retry_after_s: int = 0, allow: str = "POST"
    ) -> None:
        super().__init__(error)
        self.status = status
        self.why = why
        self.error = error
        self.hint = hint
        self.retry_after_s = retry_after_s
        self.allow = allow

    def body(self) -> bytes:
        return orjson.dumps({"error": self.error, "hint": self.hint})

    def headers(self) -> Mapping[str, str]:
        found = {"content-type": "application/json", "cache-control": "no-store"}
        if self.retry_after_s:
            found["retry-after"] = str(self.retry_after_s)
        if self.why == "method":
            found["allow"] = self.allow
        if self.status == 401:  # noqa: PLR2004  # the one status that must name its scheme (RFC 9110, 15.5.2)
            found["www-authenticate"] = 'Basic realm="tocsin"'
        return found


def unauthentic(error: BadSignature) -> Refused:
    hint = (
        error.hint
        or "check that sender and receiver hold the same secret, and that nothing rewrites the body"
    )
    return Refused(401, "signature", error.reason, hint)


def unknown_source() -> Refused:
    hint = "check the address; `tocsin sources list` shows every source and its path"
    return Refused(404, "unknown_source", "no source of that name is configured", hint)


def no_mailbox() -> Refused:
    hint = "nothing is relayed here; mail is taken for a source and its token, as docs/sources.md says"
    return Refused(404, "no_mailbox", "no such mailbox", hint)


def unknown_page() -> Refused:
    return Refused(404, "unknown_path", "there is nothing at this address", "check the address")


def too_large(limit: int) -> Refused:
    hint = "send less in one request, or raise max_bytes of this source in config/sources.yaml"
    return Refused(413, "too_large", f"the body is larger than {limit} bytes", hint)


def outsider() -> Refused:
    hint = "ask on this machine, or send the token of TOCSIN_METRICS_TOKEN: `Authorization: Bearer <token>`"
    return Refused(401, "outsider", "this is not for everybody", hint)


def undecodable(error: str) -> Refused:
    return Refused(400, "encoding", error, "send the body as it is, or packed with gzip and marked as such")


def too_slow(wait_s: float) -> Refused:
    hint = "send the whole body at once"
    return Refused(408, "too_slow", f"the body was not complete after {wait_s:.0f} s", hint)


def gone() -> Refused:
    return Refused(400, "gone", "the sender hung up before the body was complete", "send it again")


def wrong_method(allowed: Collection[str] = ("POST",)) -> Refused:
    taken = ", ".join(sorted(allowed))
    return Refused(405, "method", f"this address only takes {taken}", f"send it with {taken}", allow=taken)


def outside() -> Refused:
    hint = "the operator finds `networks` of this source in config/sources.yaml"
    return Refused(403, "network", "this source does not send from here", hint)


def too_often() -> Refused:
    hint = "nothing was kept; send it again later, or raise `rate` of this source in config/sources.yaml"
    return Refused(503, "rate", "this source sends more than was agreed", hint, retry_after_s=2)


def unreachable(what: str) -> Refused:
    hint = "nothing is certain to be kept; send it again later"
    return Refused(503, "unreachable", f"{what} could not be had", hint, retry_after_s=10)


def overloaded(what: str) -> Refused:
    return Refused(503, "overload", what, "nothing was kept; send it again later", retry_after_s=2)


def not_durable() -> Refused:
    hint = "nothing is certain to be kept; send it again later"
    return Refused(503, "not_durable", "the event log did not confirm in time", hint, retry_after_s=5)


def weak_store() -> Refused:
    hint = "the operator finds at /readyz what to set; nothing was kept, send it again later"
    return Refused(503, "weak_store", "the event log might lose what it is given", hint, retry_after_s=60)


def fault() -> Refused:
    hint = "try again later; the operator finds the reason in the receiver's log"
    return Refused(503, "fault", "a fault of ours kept this from being done", hint, retry_after_s=5)


def no_policy() -> Refused:
    hint = "the receiver has no configuration yet: start the dispatcher, or run `tocsin check`"
    return Refused(503, "no_policy", "not ready", hint, retry_after_s=5)


def no_secret(names: str) -> Refused:
    hint = f"the operator must set {names} in the receiver's environment; unsigned requests are never taken"
    return Refused(503, "no_secret", "this address cannot verify anything yet", hint, retry_after_s=60)
