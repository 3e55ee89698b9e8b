"""HTTP to the outside: the one module that knows httpx.

Every call has a deadline and a connection of its own, follows no redirect, ignores proxies of the environment,
reads a bounded answer, and says of each failure whether the call may have happened.
"""

import functools
import ssl
import zlib
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import orjson

from routing.entry import Outcome
from workers.addresses import CONNECT_S, ForbiddenAddressError, Guard, resolve
from workers.answer import Answer, Call, HttpError
from workers.deadline import Deadline
from workers.journal import note

_AGENT = "tocsin"


def call(what: Call) -> Answer:
    """Make the call and return whatever was answered, errors included. Raises HttpError without an answer."""
    try:
        answer = _call(what)
    except BaseException as error:
        note(str(error) if isinstance(error, HttpError) else f"{what}: interrupted")
        raise
    note(str(answer))
    return answer


def _call(what: Call) -> Answer:
    deadline = Deadline(what.timeout_s)
    try:
        with httpx.Client(transport=_transport(what, deadline), trust_env=False) as client:
            return _exchange(client, what, deadline)
    except ForbiddenAddressError as error:
        raise HttpError(str(error), Outcome.REFUSED) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, ValueError) as error:
        raise HttpError(f"{what}: cannot be asked: {error}", Outcome.PERMANENT) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise HttpError(
            f"{what}: no connection to {_host(what.url)}: {_why(error)}", Outcome.TEMPORARY
        ) from error
    except (httpx.TransportError, TimeoutError) as error:
        unsure = Outcome.UNKNOWN if what.mutates else Outcome.TEMPORARY
        late = isinstance(error, httpx.TimeoutException | TimeoutError)
        said = f"no answer within {what.timeout_s:g} s" if late else f"the connection broke: {_why(error)}"
        raise HttpError(f"{what}: {said}", unsure) from error


def _exchange(client: httpx.Client, what: Call, deadline: Deadline) -> Answer:
    headers = {"accept-encoding": "identity", "connection": "close", "user-agent": _AGENT, **what.headers}
    content, kind = _body(what)
    if kind:
        headers["content-type"] = kind
    request = client.build_request(
        what.method,
        what.url,
        params=dict(what.query) or None,
        content=content,
        headers=headers,
        timeout=httpx.Timeout(
            what.timeout_s, connect=min(CONNECT_S, what.timeout_s), read=what.listen_s or what.timeout_s
        ),
    )
    auth = httpx.BasicAuth(*what.auth) if what.auth else None
    response = client.send(request, auth=auth, stream=True)
    try:
        found = {name.lower(): value for name, value in response.headers.items()}
        body = _read(response, what, deadline)
        return Answer(what, response.status_code, found, body, deadline.passed_ms)
    finally:
        response.close()


def _body(what: Call) -> tuple[bytes | None, str]:
    if what.form is not None:
        return str(httpx.QueryParams(dict(what.form))).encode(), "application/x-www-form-urlencoded"
    if what.json is not None:
        return orjson.dumps(what.json), "application/json"
    return what.content, ""


def _read(response: httpx.Response, what: Call, deadline: Deadline) -> bytes:
    """At most `max_bytes`. A body that is compressed though we asked for none is unpacked that far only."""
    packed = response.headers.get("content-encoding", "identity").lower() in {"gzip", "x-gzip", "deflate"}
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
    body, limit = b"", what.max_bytes
    for chunk in _heard(response, what.listen_s) if what.listen_s else response.iter_raw():
        deadline.left()
        try:
            body += unpack.decompress(chunk, limit - len(body)) if unpack else chunk
        except zlib.error:
            return body
        if len(body) >= limit:
            return body[:limit]
    return body


def _heard(response: httpx.Response, listen_s: float) -> Iterator[bytes]:
    """What comes until then, or until nothing more does for as long, or the connection breaks."""
    listening = Deadline(listen_s)
    with suppress(httpx.TransportError, TimeoutError):
        for chunk in response.iter_raw():
            yield chunk
            listening.left()


@functools.cache
def tls_context() -> ssl.SSLContext:
    """One for all: making it costs about 100 ms. Honours SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx.create_ssl_context()


def _transport(what: Call, deadline: Deadline) -> httpx.BaseTransport:
    """A connection per call. A kept one would answer the next request with what a vendor sent twice, be closed
    under our hands while idle, and, pooled by address, skip the next host's TLS check.
    """
    # Only where there is TLS: `tocsin up` asks its own receiver, and needs no certificates for it.
    verify = urlsplit(what.url).scheme != "http" and tls_context()
    plain = httpx.HTTPTransport(
        verify=verify, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
    )
    return _Pinned(plain, what.guard, deadline) if what.guard else plain


class _Pinned(httpx.BaseTransport):
    """Resolves once, checks every address, and connects to what it checked; Host and SNI stay the name's."""

    def __init__(self, inner: httpx.BaseTransport, guard: Guard, deadline: Deadline) -> None:
        self._inner = inner
        self._guard = guard
        self._deadline = deadline

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = resolve(host, port, self._guard)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{host} cannot be resolved: {error}", request=request) from error
        request.extensions = {**request.extensions, "sni_hostname": host}
        for address in addresses[:-1]:
            self._deadline.left()
            try:
                return self._ask(request, address)
            except httpx.ConnectError:
                continue
        return self._ask(request, addresses[-1])

    def _ask(self, request: httpx.Request, address: str) -> httpx.Response:
        request.url = request.url.copy_with(host=address)
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def _host(url: str) -> str:
    return urlsplit(url).hostname or "(no host)"


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
